package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"cloakroom/session"
)

// together has all of it queued while the writer is kept busy, so that it is
// committed in one transaction, and returns the number of commits that it took.
func together(t *testing.T, s *Store, x *faults, do []func()) int {
	t.Helper()
	under, release := make(chan struct{}), make(chan struct{})
	commits := -1 // the one that keeps the writer busy
	count := func(commit func() error) error {
		commits++
		if commits == 0 {
			close(under)
			<-release
		}
		return commit()
	}
	x.commit.Store(&count)
	defer x.commit.Store(nil)
	var all sync.WaitGroup
	all.Go(func() { sign(t, s, creation("busy")) })
	<-under
	for _, f := range do {
		all.Go(f)
	}
	eventually(t, func() bool { return len(s.queue) == len(do) })
	close(release)
	all.Wait()
	return commits
}

// TestGroupWithRefusals: of 64 callers in one batch, those that are refused are
// told so and the others are served, in one commit.
func TestGroupWithRefusals(t *testing.T) {
	s, x := openFaulty(t)
	if _, err := s.Apply(t.Context(), time.Now(), session.DeleteSubject("deleted"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), time.Now(), session.RevokeAll("moved"), nil); err != nil {
		t.Fatal(err)
	}
	var do []func()
	add := func(want error, f func() error) {
		do = append(do, func() {
			if err := f(); !errors.Is(err, want) {
				t.Errorf("got error %v, want %v", err, want)
			}
		})
	}
	var served []session.Creation
	for i := range 16 {
		c := creation(fmt.Sprint("subject-", i))
		served = append(served, c)
		create := func(c session.Creation) func() error {
			return func() error {
				_, err := s.Create(t.Context(), time.Now(), c, nil)
				return err
			}
		}
		add(nil, create(c))
		add(session.ErrMoved, create(creation("moved")))
		add(session.ErrDeleted, create(creation("deleted")))
		add(session.ErrNoSession, func() error {
			_, err := s.Apply(t.Context(), time.Now(), session.Revoke("nobody", session.NewID()), nil)
			return err
		})
	}
	if commits := together(t, s, x, do); commits != 1 {
		t.Errorf("it took %d commits", commits)
	}
	for _, c := range served {
		if _, err := s.Load(t.Context(), time.Now(), c.Token); err != nil {
			t.Error(err)
		}
	}
}

// TestGroupSpoiled: a piece that fails after it wrote takes the batch back with
// it; the others are served nevertheless, once.
func TestGroupSpoiled(t *testing.T) {
	s, x := openFaulty(t)
	twice := creation("twice")
	sign(t, s, twice)
	before := s.journal.position()
	var do []func()
	var served []session.Creation
	for i := range 8 {
		c := creation(fmt.Sprint("subject-", i))
		c.Profile = &session.Profile{Name: "with an entry"}
		served = append(served, c)
		do = append(do, func() {
			if _, err := s.Create(t.Context(), time.Now(), c, nil); err != nil {
				t.Error(err)
			}
		})
	}
	do = append(do, func() {
		c := twice
		c.Profile = &session.Profile{Name: "written, then taken back"}
		if _, err := s.Create(t.Context(), time.Now(), c, nil); err == nil {
			t.Error("the same session was created twice")
		}
	})
	together(t, s, x, do)
	for _, c := range served {
		if _, err := s.Load(t.Context(), time.Now(), c.Token); err != nil {
			t.Error(err)
		}
	}
	if logged := s.journal.position().Number - before.Number; logged != 8 {
		t.Errorf("%d entries were logged, want 8", logged)
	}
}

// TestLogHasNoGaps: 32 callers revoke, some with Joins that fail after others
// have taken numbers, and a reader finds every number once and in order.
func TestLogHasNoGaps(t *testing.T) {
	s := openNotes(t)
	after := s.journal.position()
	var all sync.WaitGroup
	var mu sync.Mutex
	acknowledged := make(map[uint64]uint64) // number to nonce
	for i := range 32 {
		all.Go(func() {
			for n := range 10 {
				var joins []session.Join
				if n%5 == 0 {
					joins = append(joins, Join(failing))
				}
				p, err := s.Apply(t.Context(), time.Now(), session.RevokeAll(fmt.Sprint("subject-", i)), joins)
				if (err != nil) != (joins != nil) {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					acknowledged[p.Number] = p.Nonce
					mu.Unlock()
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false // after one more look
		default:
		}
		after = readOn(t, s, after, acknowledged, &mu)
	}
	if len(acknowledged) != 0 {
		t.Errorf("%d acknowledged entries are not in the log", len(acknowledged))
	}
}

// readOn reads up to the head and crosses off what it finds.
func readOn(t *testing.T, s *Store, after session.Position, acknowledged map[uint64]uint64, mu *sync.Mutex) session.Position {
	t.Helper()
	var entries []session.Entry
	for {
		batch, err := s.Tick(t.Context(), after, 7)
		if err != nil || batch.Reset {
			t.Fatalf("tick: reset %v, %v", batch.Reset, err)
		}
		if len(batch.Entries) == 0 {
			break
		}
		for _, e := range batch.Entries {
			if e.Number != after.Number+1 {
				t.Fatalf("%d follows %d", e.Number, after.Number)
			}
			after.Number, after.Nonce = e.Number, e.Nonce
		}
		entries = append(entries, batch.Entries...)
	}
	eventually(t, func() bool { // an entry is in the log before its caller is told
		mu.Lock()
		defer mu.Unlock()
		for _, e := range entries {
			if acknowledged[e.Number] != e.Nonce {
				return false
			}
		}
		for _, e := range entries {
			delete(acknowledged, e.Number)
		}
		return true
	})
	return after
}

// TestClockDoesNotGoBack: a session that was judged expired stays so, whatever
// the caller's clock says later, and also after a restart.
func TestClockDoesNotGoBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	start := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	c := creation("subject")
	s := openAt(t, path)
	if _, err := s.Create(t.Context(), start, c, nil); err != nil {
		t.Fatal(err)
	}
	idleLeft := func(now time.Time) time.Duration {
		l, err := s.Load(t.Context(), now, c.Token)
		if err != nil {
			t.Fatal(err)
		}
		return l.IdleLeft
	}
	if idleLeft(start.Add(c.Idle)) > 0 || idleLeft(start) > 0 {
		t.Error("an expired session came back with the clock")
	}
	// Stored with the next write, which itself is of an earlier time.
	if _, err := s.Apply(t.Context(), start, session.RevokeAll("another"), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path)
	if idleLeft(start) > 0 {
		t.Error("an expired session came back with a restart")
	}
	created, err := s.Create(t.Context(), start, creation("subject"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if created.Session.Created.Before(start.Add(c.Idle)) {
		t.Errorf("created at %v, behind the highest time stored", created.Session.Created)
	}
}
