package dbtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"cloakroom/internal/audit"
	"cloakroom/session"
)

// AuditEngine is a fresh, empty audit and what its suite needs around it. All
// of it is required.
type AuditEngine struct {
	Store    audit.Store
	Sessions session.Store // of the same database

	// Exec runs a statement in a transaction of its own, behind the store's
	// back, and commits it.
	Exec func(statement string) error
}

// Audit tests the store that open returns against every promise of
// audit.Store. open is called once for each of them, and cleans up by
// t.Cleanup.
func Audit(t *testing.T, open func(t *testing.T) AuditEngine) {
	for _, p := range []struct {
		name string
		test func(*auditFixture)
	}{
		{"an entry and its act are one", actAndEntry},
		{"an act whose entry cannot be written does not happen", actWithoutEntry},
		{"an entry comes back as it was prepared", roundTrip},
		{"hostile text is kept as one bounded line", hostileText},
		{"entries are written all or none", appendsWhole},
		{"numbers follow each other, in the order of the list", numbers},
		{"a list is what matches the filter", filters},
		{"pages hold still while entries are written", stablePages},
		{"what is no cursor, and no size of a page, is refused", malformed},
		{"entries are not changed, nor deleted on their first day", appendOnly},
		{"a sweep takes the oldest, so many at a time", sweeps},
		{"a number is not used again", numbersAfterSweep},
	} {
		t.Run(p.name, func(t *testing.T) { p.test(&auditFixture{t, open(t)}) })
	}
}

type auditFixture struct {
	*testing.T
	AuditEngine
}

// long ago, so that a sweep may have it.
var long = time.Date(2021, 2, 3, 4, 5, 6, 0, time.UTC)

func (f *auditFixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("unexpected error: %v", err)
	}
}

func (f *auditFixture) is(err, target error) {
	f.Helper()
	if !errors.Is(err, target) {
		f.Fatalf("got error %v, want %v", err, target)
	}
}

func (f *auditFixture) append(entries ...audit.Entry) {
	f.Helper()
	f.ok(f.Store.Append(f.Context(), entries))
}

// all lists what matches, in pages of a size, the latest first.
func (f *auditFixture) all(filter audit.Filter, size int) []audit.Entry {
	f.Helper()
	var all []audit.Entry
	for after := ""; ; {
		page, next, err := f.Store.List(f.Context(), filter, after, size)
		f.ok(err)
		if all = append(all, page...); next == "" {
			return all
		}
		if len(page) != size {
			f.Fatalf("a page of %d entries, and not of %d, before the end", len(page), size)
		}
		after = next
	}
}

func (f *auditFixture) wantSeqs(list []audit.Entry, want ...int64) {
	f.Helper()
	var got []int64
	for _, e := range list {
		got = append(got, e.Seq)
	}
	if !slices.Equal(got, want) {
		f.Fatalf("entries %v, want %v", got, want)
	}
}

// manager runs a session manager on the engine until the test ends.
func (f *auditFixture) manager() *session.Manager {
	f.Helper()
	m, err := session.New(session.Config{Store: f.Sessions})
	f.ok(err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	f.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			f.Error(err)
		}
	})
	f.ok(m.Ready(f.Context()))
	return m
}

// issue signs ann in with an entry and what else is joined, and reports whether
// there is a session.
func (f *auditFixture) issue(m *session.Manager, joins ...session.Join) error {
	f.Helper()
	attempt, err := m.Begin(f.Context(), "ann")
	f.ok(err)
	_, _, err = m.Issue(f.Context(), attempt, session.Grant{Methods: session.Password, Joins: joins})
	return err
}

func (f *auditFixture) wantSessions(m *session.Manager, want int) {
	f.Helper()
	list, _, err := m.List(f.Context(), "ann", "")
	f.ok(err)
	if len(list) != want {
		f.Fatalf("%d sessions, want %d", len(list), want)
	}
}

func actAndEntry(f *auditFixture) {
	m := f.manager()
	issued := f.Store.Record(audit.Entry{Event: audit.SessionIssued, Actor: "ann", Subject: "ann"})
	nobody := f.Store.Record(audit.Entry{Event: "session.teleported"})

	f.is(f.issue(m, issued, nobody), session.ErrInvalid) // a join after it fails
	f.wantSessions(m, 0)
	f.wantSeqs(f.all(audit.Filter{}, 10))

	f.ok(f.issue(m, issued))
	f.wantSessions(m, 1)
	f.wantSeqs(f.all(audit.Filter{}, 10), 1)

	attempt, err := m.Begin(f.Context(), "ann")
	f.ok(err)
	_, err = m.Apply(f.Context(), session.RevokeAll("ann"), f.Store.Record(
		audit.Entry{Event: audit.AccountDisabled, Actor: "eve", Subject: "ann"},
		audit.Entry{Event: audit.SessionsRevokedAll, Actor: "eve", Subject: "ann"}))
	f.ok(err)
	f.wantSessions(m, 0)
	f.wantSeqs(f.all(audit.Filter{}, 10), 3, 2, 1)

	// What the store itself refuses after the entry was written.
	_, _, err = m.Issue(f.Context(), attempt, session.Grant{Joins: []session.Join{issued}})
	f.is(err, session.ErrMoved)
	_, err = m.Apply(f.Context(), session.Revoke("ann", session.NewID()), issued)
	f.is(err, session.ErrNoSession)
	f.wantSeqs(f.all(audit.Filter{}, 10), 3, 2, 1)
}

func actWithoutEntry(f *auditFixture) {
	m := f.manager()
	entry := f.Store.Record(audit.Entry{Event: audit.SessionIssued, Subject: "ann"})
	f.ok(f.Exec(`ALTER TABLE cloakroom_audit RENAME TO cloakroom_gone`))
	if f.issue(m, entry) == nil {
		f.Fatal("signed in without an entry")
	}
	f.wantSessions(m, 0)
	f.ok(f.Exec(`ALTER TABLE cloakroom_gone RENAME TO cloakroom_audit`))
	f.ok(f.issue(m, entry))
	f.wantSeqs(f.all(audit.Filter{}, 10), 1)
}

func roundTrip(f *auditFixture) {
	full := audit.Entry{
		At: long.Add(time.Millisecond), Event: audit.SignInRefused, Reason: audit.Throttled,
		Actor: "ann", Subject: "bob", Session: "s", Address: "192.0.2.1", UserAgent: "Firefox <3",
		Detail: map[string]string{"old": `a "quoted" role`, "new": ""}, Count: 7, Until: long.Add(time.Hour),
	}
	f.append(full)
	before := time.Now().Truncate(time.Second)
	f.append(audit.Entry{Event: audit.SessionIssued})
	list := f.all(audit.Filter{}, 10)
	f.wantSeqs(list, 2, 1)

	want, err := full.Prepare(time.Time{})
	f.ok(err)
	want.Seq = 1
	if got := list[1]; fmt.Sprint(got) != fmt.Sprint(want) || got.At.Location() != time.UTC {
		f.Errorf("got  %+v\nwant %+v", got, want)
	}
	bare := list[0]
	if bare.At.Before(before) || bare.At.After(time.Now()) {
		f.Errorf("written at %v, which is not now", bare.At)
	}
	if bare.Count != 1 || bare.Until != bare.At || bare.Detail != nil || bare.Reason != "" {
		f.Errorf("%+v", bare)
	}
}

func hostileText(f *auditFixture) {
	hostile := "A\x00\r\n\x1b[31m\u2028\u202e\u200b\xff\xc3\"\\;'--" + strings.Repeat("é\n\xfe", 1<<20)
	f.append(audit.Entry{
		Event: audit.SessionIssued, Actor: hostile, Subject: hostile, Session: hostile, Address: hostile,
		UserAgent: hostile, Detail: map[string]string{hostile: hostile, "b": hostile, "c": "short"},
	})
	list := f.all(audit.Filter{}, 10)
	f.wantSeqs(list, 1)
	e := list[0]
	if !strings.HasPrefix(e.UserAgent, `A\x00\r\n\x1b[31m\u2028\u202e\u200b\xff\xc3"\;'--é\n\xfeé`) {
		f.Errorf("user agent %q", e.UserAgent)
	}
	if len(e.Detail) != 3 || e.Detail["c"] != "short" {
		f.Errorf("detail %q", e.Detail)
	}
	texts := []string{e.Actor, e.Subject, e.Session, e.Address, e.UserAgent}
	total := 0
	for name, fact := range e.Detail {
		texts = append(texts, name, fact)
		total += len(name) + len(fact)
	}
	for _, s := range texts {
		if s == "" || len(s) > 1024 || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			f.Errorf("kept as %q", s)
		}
	}
	if len(e.UserAgent) > 512 || total > 2<<10 {
		f.Errorf("%d bytes of user agent and %d of detail", len(e.UserAgent), total)
	}
}

func appendsWhole(f *auditFixture) {
	good := audit.Entry{Event: audit.SessionIssued}
	f.is(f.Store.Append(f.Context(), []audit.Entry{good, good, {Event: ""}}), session.ErrInvalid)
	f.is(f.Store.Append(f.Context(), []audit.Entry{good, {Event: audit.SignInRefused, Reason: "bored"}}), session.ErrInvalid)
	f.wantSeqs(f.all(audit.Filter{}, 10))
	f.append()
	f.append(good, good)
	f.wantSeqs(f.all(audit.Filter{}, 10), 2, 1) // what was undone has used no numbers
}

func numbers(f *auditFixture) {
	const writers, each = 8, 12
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for i := range each {
				entry := audit.Entry{Event: audit.SessionIssued}
				entries := []audit.Entry{entry, entry}
				switch {
				case i%3 == 0:
					entries[1].Event = "nothing"
					if err := f.Store.Append(f.Context(), entries); !errors.Is(err, session.ErrInvalid) {
						f.Error(err)
					}
				default:
					if err := f.Store.Append(f.Context(), entries); err != nil {
						f.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	var want []int64
	for n := int64(writers * each * 2 / 3 * 2); n > 0; n-- {
		want = append(want, n)
	}
	f.wantSeqs(f.all(audit.Filter{}, 7), want...)
}
