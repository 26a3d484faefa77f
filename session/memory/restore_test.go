package memory

import (
	"errors"
	"testing"
	"time"

	"cloakroom/session"
)

var now = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)

// signIn begins and creates a session, and returns its token.
func signIn(t *testing.T, s *Store, subject string) session.Creation {
	t.Helper()
	c := attempt(t, s, subject)
	if _, err := s.Create(t.Context(), now, c, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

func attempt(t *testing.T, s *Store, subject string) session.Creation {
	t.Helper()
	epochs, err := s.Begin(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	c := session.Creation{
		Subject: subject, Epochs: epochs, ID: session.NewID(), Level: 1,
		Idle: time.Hour, Absolute: time.Hour, Limit: 10,
	}
	copy(c.Token[:], c.ID[:])
	return c
}

func revokeAll(t *testing.T, s *Store, subject string) session.Position {
	t.Helper()
	p, err := s.Apply(t.Context(), now, session.RevokeAll(subject), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func reset(t *testing.T, s *Store, at session.Position) bool {
	t.Helper()
	batch, err := s.Tick(t.Context(), at, 100)
	if err != nil {
		t.Fatal(err)
	}
	return batch.Reset
}

// TestRestore: an older state comes back under a new incarnation, and nothing
// that was valid in it or begun since is.
func TestRestore(t *testing.T) {
	s := New()
	old := signIn(t, s, "ann")
	revokeAll(t, s, "bob")
	snapshot := s.Snapshot()
	at := revokeAll(t, s, "bob")
	late := signIn(t, s, "ann")
	// Epochs that the snapshot does not know and could reach by counting.
	if _, err := s.Apply(t.Context(), now, session.RevokeEverything(), nil); err != nil {
		t.Fatal(err)
	}
	under := attempt(t, s, "ann")
	revokeAll(t, s, "ann")

	for range 2 { // a snapshot may be restored more than once
		s.Restore(snapshot)
		if !reset(t, s, at) {
			t.Error("a node from before goes on as if nothing had happened")
		}
		if l, err := s.Load(t.Context(), now, old.Token); err != nil || !l.Ended {
			t.Errorf("a session of the older state: ended %v, %v", l.Ended, err)
		}
		if _, err := s.Load(t.Context(), now, late.Token); !errors.Is(err, session.ErrNoSession) {
			t.Errorf("a session that the older state does not know: %v", err)
		}
		if _, err := s.Create(t.Context(), now, under, nil); !errors.Is(err, session.ErrMoved) {
			t.Errorf("a sign-in begun before the restore: %v", err)
		}
		p := revokeAll(t, s, "bob")
		if p.Incarnation == at.Incarnation {
			t.Error("the incarnation stayed")
		}
		if err := s.PutData(t.Context(), now, signIn(t, s, "ann").ID, "k", []byte("v")); err != nil {
			t.Errorf("the store does not go on: %v", err)
		}
	}
}

// TestRestoreOfNothing is FLUSHALL.
func TestRestoreOfNothing(t *testing.T) {
	s := New()
	c := signIn(t, s, "ann")
	at := revokeAll(t, s, "bob")
	s.Restore(Snapshot{})
	if _, err := s.Load(t.Context(), now, c.Token); !errors.Is(err, session.ErrNoSession) {
		t.Errorf("a session outlived it: %v", err)
	}
	if !reset(t, s, at) {
		t.Error("a node from before goes on as if nothing had happened")
	}
	if infos, err := s.Subjects(t.Context(), []string{"ann", "bob"}); err != nil || len(infos) > 0 {
		t.Errorf("subjects %v, %v", infos, err)
	}
}

// TestTail: a node that is slower than the log is long is reset.
func TestTail(t *testing.T) {
	s := New()
	s.Tail = 4
	at := revokeAll(t, s, "ann")
	for range s.Tail {
		revokeAll(t, s, "ann")
	}
	if reset(t, s, at) {
		t.Error("reset, and all that follows is kept")
	}
	revokeAll(t, s, "ann")
	if !reset(t, s, at) {
		t.Error("not reset, and an entry that follows is gone")
	}
	if len(s.state.log) != s.Tail {
		t.Errorf("%d entries are kept", len(s.state.log))
	}
}
