package sessiontest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"cloakroom/session"
)

// What a session of the suite is issued with unless a test says otherwise.
const (
	idle     = time.Hour
	absolute = 24 * time.Hour
	limit    = 100
)

// fixture is one engine in one test. Its methods fail the test at once unless
// they are named try…; those are safe for concurrent use.
type fixture struct {
	*testing.T
	Engine
	at time.Time // passed as now to an engine without a clock of its own
}

func newFixture(t *testing.T, e Engine) *fixture {
	if e.Store == nil || e.JoinWrite == nil || e.Written == nil || e.LoseSubject == nil || e.CutLog == nil {
		t.Fatal("sessiontest: a required field of Engine is missing")
	}
	// Not a whole second, so that truncation shows.
	at := time.Date(2031, 5, 6, 7, 8, 9, 250_000_000, time.UTC)
	return &fixture{T: t, Engine: e, at: at}
}

// ticket is a session that a test has signed in.
type ticket struct {
	subject string
	id      session.ID
	token   session.Hash
}

func newHash() (h session.Hash) {
	_, _ = rand.Read(h[:])
	return h
}

// now is the time by the clock that the engine judges by.
func (f *fixture) now() time.Time {
	if f.Engine.Now != nil {
		return f.Engine.Now()
	}
	return f.at
}

func (f *fixture) advance(d time.Duration) {
	if f.Engine.Advance != nil {
		f.Engine.Advance(d)
		return
	}
	f.at = f.at.Add(d)
}

// reach moves the clock to the moment in which a limit is reached: the limit
// has passed then.
func (f *fixture) reach(limit time.Time) {
	f.advance(limit.Sub(f.now()))
}

// approach moves the clock to just before a limit. A clock that runs by itself
// is left two seconds.
func (f *fixture) approach(limit time.Time) {
	margin := time.Nanosecond
	if f.Engine.Now != nil {
		margin = 2 * time.Second
	}
	f.advance(limit.Sub(f.now()) - margin)
}

// begin reads the epochs, as an authentication does first.
func (f *fixture) begin(subject string) session.Creation {
	f.Helper()
	epochs, err := f.Store.Begin(f.Context(), subject)
	f.ok(err)
	return session.Creation{
		Subject:  subject,
		Epochs:   epochs,
		ID:       session.NewID(),
		Token:    newHash(),
		Level:    1,
		Methods:  session.Password,
		Idle:     idle,
		Absolute: absolute,
		Limit:    limit,
	}
}

// signIn begins and creates in one go; edit may change the creation.
func (f *fixture) signIn(subject string, edit ...func(*session.Creation)) ticket {
	f.Helper()
	c := f.begin(subject)
	for _, e := range edit {
		e(&c)
	}
	return f.create(c)
}

func (f *fixture) create(c session.Creation, joins ...session.Join) ticket {
	f.Helper()
	created, err := f.tryCreate(c, joins...)
	f.ok(err)
	return ticket{c.Subject, created.Session.ID, c.Token}
}

func (f *fixture) tryCreate(c session.Creation, joins ...session.Join) (session.Created, error) {
	return f.Store.Create(f.Context(), f.now(), c, joins)
}

func (f *fixture) apply(c session.Change, joins ...session.Join) session.Position {
	f.Helper()
	position, err := f.tryApply(c, joins...)
	f.ok(err)
	return position
}

func (f *fixture) tryApply(c session.Change, joins ...session.Join) (session.Position, error) {
	return f.Store.Apply(f.Context(), f.now(), c, joins)
}

func (f *fixture) touch(t ticket, seen time.Time) {
	f.Helper()
	f.ok(f.Store.Touch(f.Context(), f.now(), []session.Touch{{ID: t.id, Seen: seen}}))
}

func (f *fixture) tryLoad(token session.Hash) (session.Loaded, error) {
	return f.Store.Load(f.Context(), f.now(), token)
}

// load returns a session that has a row, live or not.
func (f *fixture) load(t ticket) session.Loaded {
	f.Helper()
	l, err := f.tryLoad(t.token)
	f.ok(err)
	return l
}

func live(l session.Loaded) bool { return !l.Ended && l.IdleLeft > 0 && l.AbsoluteLeft > 0 }

func (f *fixture) wantLive(tickets ...ticket) {
	f.Helper()
	for i, t := range tickets {
		if l := f.load(t); !live(l) {
			f.Fatalf("session %d is not live: ended %v, idle left %v, absolute left %v", i, l.Ended, l.IdleLeft, l.AbsoluteLeft)
		}
	}
}

// wantExpired wants sessions that have passed a limit and may be gone.
func (f *fixture) wantExpired(tickets ...ticket) {
	f.Helper()
	for i, t := range tickets {
		l, err := f.tryLoad(t.token)
		if err != nil {
			f.is(err, session.ErrNoSession)
		} else if live(l) {
			f.Fatalf("I15: session %d is live", i)
		}
	}
}

// wantEnded wants sessions that are over for good, whatever their limits.
func (f *fixture) wantEnded(tickets ...ticket) {
	f.Helper()
	for i, t := range tickets {
		l, err := f.tryLoad(t.token)
		if err != nil {
			f.is(err, session.ErrNoSession)
		} else if !l.Ended {
			f.Fatalf("I10: session %d has not ended", i)
		}
	}
}

// subject returns the subject's row, and whether it has one.
func (f *fixture) subject(name string) (session.SubjectInfo, bool) {
	f.Helper()
	infos, err := f.Store.Subjects(f.Context(), []string{name})
	f.ok(err)
	if len(infos) == 0 {
		return session.SubjectInfo{}, false
	}
	if len(infos) != 1 || infos[0].Subject != name {
		f.Fatalf("Subjects(%q) = %+v", name, infos)
	}
	return infos[0], true
}

func (f *fixture) head() session.Position {
	f.Helper()
	batch, err := f.Store.Tick(f.Context(), session.Position{}, 0)
	f.ok(err)
	return batch.Head
}

// since returns all entries after a position of the log.
func (f *fixture) since(after session.Position) []session.Entry {
	f.Helper()
	batch, err := f.Store.Tick(f.Context(), after, 1_000_000)
	f.ok(err)
	if batch.Reset {
		f.Fatalf("position %v is not in the log", after)
	}
	return batch.Entries
}

// unchanged runs what must leave the log as it is.
func (f *fixture) unchanged(do func()) {
	f.Helper()
	before := f.head()
	do()
	if after := f.head(); after != before {
		f.Fatalf("I10: %d entries were logged", after.Number-before.Number)
	}
}

func (f *fixture) list(subject string) []session.Details {
	f.Helper()
	all, next, err := f.Store.List(f.Context(), f.now(), subject, "", 10_000)
	f.ok(err)
	if next != "" {
		f.Fatal("a cursor after the end")
	}
	return all
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("unexpected error: %v", err)
	}
}

func (f *fixture) is(err, target error) {
	f.Helper()
	if !errors.Is(err, target) {
		f.Fatalf("got error %v, want %v", err, target)
	}
}

// refused is is for what must not come after an end; the invariant stands in the
// failure.
func (f *fixture) refused(invariant string, err, target error) {
	f.Helper()
	if !errors.Is(err, target) {
		f.Fatalf("%s: got error %v, want %v", invariant, err, target)
	}
}

// equal is for what a failure should show as got and want.
func equal[V comparable](f *fixture, what string, got, want V) {
	f.Helper()
	if got != want {
		f.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// detached runs do on a goroutine of its own, so that it may panic or end it.
func detached(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		do()
	}()
	<-done
}

var errJoin = errors.New("the join's own error")

func failing(context.Context) error { return errJoin }
