package dbtest

import (
	"errors"
	"slices"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/session"
)

// entriesOf makes entries of which every filter takes some; several are of the
// same second, and some are written long after they happened.
func entriesOf(n int) []audit.Entry {
	all := make([]audit.Entry, n)
	for i := range all {
		all[i] = audit.Entry{
			Event:   []audit.Event{audit.SessionIssued, audit.SignInRefused, audit.SessionRevoked}[i%3],
			Subject: []string{"ann", "bob", "", "ann", "eve"}[i%5],
			Actor:   []string{"", "ann"}[i%2],
			At:      long.Add(time.Duration(i/4*(1-2*(i%7/6))+100) * time.Second),
		}
	}
	return all
}

func filters(f *auditFixture) {
	kept := entriesOf(210)
	f.append(kept...)
	for i := range kept {
		kept[i].Seq = int64(i + 1)
	}
	slices.SortFunc(kept, func(a, b audit.Entry) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return int(b.Seq - a.Seq)
	})
	for _, subject := range []string{"", "ann", "nobody", "ann' OR ''='"} {
		for _, actor := range []string{"", "ann"} {
			for _, event := range []audit.Event{"", audit.SessionRevoked} {
				for _, since := range []time.Time{{}, long.Add(110 * time.Second), long.Add(120*time.Second + 1)} {
					for _, until := range []time.Time{{}, long.Add(140 * time.Second), long.Add(130*time.Second + 1)} {
						filter := audit.Filter{Subject: subject, Actor: actor, Event: event, Since: since, Until: until}
						f.wantSeqs(f.all(filter, 6), matching(kept, filter)...)
					}
				}
			}
		}
	}
}

func matching(all []audit.Entry, f audit.Filter) (seqs []int64) {
	for _, e := range all {
		if (f.Subject == "" || f.Subject == e.Subject) && (f.Actor == "" || f.Actor == e.Actor) &&
			(f.Event == "" || f.Event == e.Event) &&
			(f.Since.IsZero() || !e.At.Before(f.Since)) && (f.Until.IsZero() || e.At.Before(f.Until)) {
			seqs = append(seqs, e.Seq)
		}
	}
	return seqs
}

func stablePages(f *auditFixture) {
	f.append(entriesOf(60)...)
	want := f.all(audit.Filter{}, 100)
	var got []audit.Entry
	for after, page := "", 0; ; page++ {
		list, next, err := f.Store.List(f.Context(), audit.Filter{}, after, 7)
		f.ok(err)
		for _, e := range list {
			if e.Seq <= 60 {
				got = append(got, e)
			}
		}
		if next == "" {
			break
		}
		after = next
		// One before everything, one in the second just read, one after it all.
		f.append(audit.Entry{Event: audit.SetupUsed}, audit.Entry{Event: audit.SetupUsed, At: list[len(list)-1].At},
			audit.Entry{Event: audit.SetupUsed, At: long.Add(-time.Duration(page) * time.Hour)})
		if page > 60 {
			f.Fatal("the list does not end")
		}
	}
	var seqs []int64
	for _, e := range want {
		seqs = append(seqs, e.Seq)
	}
	f.wantSeqs(got, seqs...)
}

func malformed(f *auditFixture) {
	f.append(entriesOf(3)...)
	_, next, err := f.Store.List(f.Context(), audit.Filter{}, "", 1)
	f.ok(err)
	for _, after := range []string{"x", "1", "1.", ".1", "1.1.1", "01.1", "+1.1", "1.1 ", next + "0x", "99999999999999999999.1", "1.1'"} {
		_, _, err := f.Store.List(f.Context(), audit.Filter{}, after, 1)
		if !errors.Is(err, session.ErrInvalid) {
			f.Errorf("cursor %q: %v", after, err)
		}
	}
	for _, limit := range []int{-1, 0, audit.MaxPage + 1} {
		_, _, err := f.Store.List(f.Context(), audit.Filter{}, "", limit)
		f.is(err, session.ErrInvalid)
	}
}
