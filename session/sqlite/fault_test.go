package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	modernc "modernc.org/sqlite"

	"cloakroom/session"
)

var errFault = errors.New("injected fault")

// faults stands between the store and the driver. Its functions, where they are
// set, decide what becomes of a COMMIT, and whether the file can be opened.
type faults struct {
	commit atomic.Pointer[func(commit func() error) error]
	open   atomic.Pointer[func() error]
}

func (x *faults) connector(dsn string) (driver.Connector, error) {
	base, err := modernc.NewConnector(dsn)
	return faultyConnector{base, x}, err
}

type faultyConnector struct {
	driver.Connector
	faults *faults
}

func (c faultyConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if open := c.faults.open.Load(); open != nil {
		if err := (*open)(); err != nil {
			return nil, err
		}
	}
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return faultyConn{conn.(rawConn), c.faults}, nil
}

type faultyConn struct {
	rawConn
	faults *faults
}

func (c faultyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.rawConn.PrepareContext(ctx, query)
	if err != nil || query != "COMMIT" {
		return s, err
	}
	return faultyCommit{s.(rawStmt), c.faults}, nil
}

type faultyCommit struct {
	rawStmt
	faults *faults
}

func (s faultyCommit) ExecContext(ctx context.Context, args []driver.NamedValue) (result driver.Result, err error) {
	run := func() error {
		result, err = s.rawStmt.ExecContext(ctx, args)
		return err
	}
	if commit := s.faults.commit.Load(); commit != nil {
		err = (*commit)(run)
		return result, err
	}
	return result, run()
}

func openFaulty(t *testing.T) (*Store, *faults) {
	t.Helper()
	x := new(faults)
	s, err := open(t.Context(), filepath.Join(t.TempDir(), "sessions.db"), x.connector)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, x
}

// watch passes on signals until the test ends.
func watch(t *testing.T, s *Store, signals session.Signals) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { _ = s.Watch(ctx, signals) })
	t.Cleanup(func() { stop(); watching.Wait() })
	eventually(t, func() bool {
		s.journal.mu.Lock()
		defer s.journal.mu.Unlock()
		return len(s.journal.watchers) > 0
	})
}

func eventually(t *testing.T, what func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !what(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}

func sign(t *testing.T, s *Store, c session.Creation) session.Created {
	t.Helper()
	created, err := s.Create(t.Context(), time.Now(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// TestFailedCommit has a COMMIT fail under many callers, once without effect
// and once after it took effect: nobody can tell them apart.
func TestFailedCommit(t *testing.T) {
	for _, takesEffect := range []bool{false, true} {
		s, x := openFaulty(t)
		old := creation("old")
		sign(t, s, old)
		before, err := s.Tick(t.Context(), session.Position{}, 10)
		if err != nil || before.Lease != session.LeaseHeld {
			t.Fatalf("a healthy store: lease %v, %v", before.Lease, err)
		}
		var told, lapses atomic.Int64
		watch(t, s, session.Signals{Wake: func() {}, Lapse: func() {
			time.Sleep(20 * time.Millisecond) // whoever is told too early is told now
			if n := told.Load(); n != 0 {
				t.Errorf("I9: %d callers were told before the lapse", n)
			}
			lapses.Add(1)
		}})
		closed := errors.New("cannot be opened yet")
		cannotOpen := func() error { return closed }
		fail := func(commit func() error) error {
			if takesEffect {
				_ = commit()
			}
			return errFault
		}
		x.open.Store(&cannotOpen)
		x.commit.Store(&fail)

		tokens := failTogether(t, s, &told)
		if lapses.Load() != 1 {
			t.Errorf("I13: %d lapses", lapses.Load())
		}
		wantOutOfUse(t, s, old)

		x.commit.Store(nil)
		x.open.Store(nil)
		after := recovered(t, s)
		if after.Incarnation == before.Head.Incarnation {
			t.Error("the same incarnation")
		}
		if after.Number < before.Head.Number {
			t.Errorf("the head fell from %d to %d", before.Head.Number, after.Number)
		}
		found := 0
		for _, token := range tokens {
			if _, err := s.Load(t.Context(), time.Now(), token); err == nil {
				found++
			}
		}
		if (found > 0) != takesEffect {
			t.Errorf("%d sessions of the failed commit are there, takes effect %v", found, takesEffect)
		}
	}
}

// failTogether has 16 callers write into the failure. The first batch has an
// unknown outcome, and is told of it after the lapse; who comes later is
// refused, which may be at any time, since nothing of theirs was begun.
func failTogether(t *testing.T, s *Store, told *atomic.Int64) []session.Hash {
	t.Helper()
	var all sync.WaitGroup
	var unknown atomic.Int64
	tokens := make([]session.Hash, 16)
	for i := range tokens {
		c := creation("new")
		tokens[i] = c.Token
		all.Go(func() {
			_, err := s.Create(t.Context(), time.Now(), c, nil)
			switch {
			case errors.Is(err, session.ErrUnknownOutcome) && errors.Is(err, errFault):
				told.Add(1)
				unknown.Add(1)
			case !errors.Is(err, session.ErrUnavailable):
				t.Errorf("I9: after a failed COMMIT: %v", err)
			}
		})
	}
	all.Wait()
	if unknown.Load() == 0 {
		t.Error("nobody had an unknown outcome")
	}
	return tokens
}

func wantOutOfUse(t *testing.T, s *Store, c session.Creation) {
	t.Helper()
	_, tick := s.Tick(t.Context(), session.Position{}, 10)
	_, load := s.Load(t.Context(), time.Now(), c.Token)
	_, begin := s.Begin(t.Context(), c.Subject)
	_, revoke := s.Apply(t.Context(), time.Now(), session.Revoke(c.Subject, c.ID), nil)
	for _, err := range []error{tick, load, begin, revoke} {
		if !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, errFault) {
			t.Errorf("out of use: %v", err)
		}
	}
}

// recovered waits for the store to come back by itself.
func recovered(t *testing.T, s *Store) session.Position {
	t.Helper()
	var batch session.Batch
	eventually(t, func() bool {
		var err error
		batch, err = s.Tick(t.Context(), session.Position{}, 10)
		return err == nil && batch.Lease == session.LeaseHeld
	})
	eventually(t, func() bool {
		_, err := s.Create(t.Context(), time.Now(), creation("back"), nil)
		return err == nil
	})
	return batch.Head
}

// TestLapseReachesWhoComesLate: a node that begins to watch a store that is out
// of use must not wait for the next failure.
func TestLapseReachesWhoComesLate(t *testing.T) {
	s, _ := openFaulty(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var lapsed atomic.Bool
	watch(t, s, session.Signals{Wake: func() {}, Lapse: func() { lapsed.Store(true) }})
	eventually(t, lapsed.Load)
}

// TestUnknownOutcome: a caller whose context ends while its COMMIT is under way
// cannot know, and one that is still queued does know.
func TestUnknownOutcome(t *testing.T) {
	s, x := openFaulty(t)
	under, release := make(chan struct{}), make(chan struct{})
	slow := func(commit func() error) error {
		close(under)
		<-release
		x.commit.Store(nil)
		return commit()
	}
	x.commit.Store(&slow)
	first, second := creation("first"), creation("second")

	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	callers.Go(func() {
		_, err := s.Create(ctx, time.Now(), first, nil)
		if !errors.Is(err, session.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
			t.Errorf("begun: %v", err)
		}
	})
	<-under
	callers.Go(func() {
		_, err := s.Create(ctx, time.Now(), second, nil)
		if errors.Is(err, session.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
			t.Errorf("queued: %v", err)
		}
	})
	eventually(t, func() bool { return len(s.queue) == 1 })
	cancel()
	callers.Wait()
	close(release)

	sign(t, s, creation("after both"))
	if _, err := s.Load(t.Context(), time.Now(), first.Token); err != nil {
		t.Errorf("what was begun: %v", err)
	}
	if _, err := s.Load(t.Context(), time.Now(), second.Token); !errors.Is(err, session.ErrNoSession) {
		t.Errorf("what was withdrawn: %v", err)
	}
}

// TestAcknowledgedAfterCommit: nobody is told, and nothing logged, before the
// COMMIT is over.
func TestAcknowledgedAfterCommit(t *testing.T) {
	s, x := openFaulty(t)
	c := creation("subject")
	sign(t, s, c)
	before := s.journal.position()
	var told atomic.Bool
	look := func(commit func() error) error {
		x.commit.Store(nil) // not by who is told, who may be told before this is called
		err := commit()
		time.Sleep(20 * time.Millisecond)
		if told.Load() || s.journal.position() != before {
			t.Error("I9: told or logged before the COMMIT was over")
		}
		return err
	}
	x.commit.Store(&look)
	p, err := s.Apply(t.Context(), time.Now(), session.Revoke(c.Subject, c.ID), nil)
	told.Store(true)
	if err != nil || s.journal.position() != p {
		t.Errorf("logged %v, returned %v, %v", s.journal.position(), p, err)
	}
}
