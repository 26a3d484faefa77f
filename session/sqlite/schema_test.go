package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"cloakroom/internal/migrate"
	"cloakroom/session"
)

func failing(context.Context, *sql.Tx) error { return errors.New("the join's own") }

func TestOlderBinaryRefusesNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := openAt(t, path)
	err := s.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE cloakroom_migrations SET version = version + 1 WHERE component = 'session'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var newer *migrate.NewerSchemaError
	for range 2 { // the refusal leaves no lock behind
		if s, err := Open(t.Context(), path); !errors.As(err, &newer) {
			t.Fatalf("Open = %v, %v", s, err)
		}
	}
}

// TestOneManager: the lease of a second one would not end with the first's.
func TestOneManager(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "sessions.db"))
	if _, err := s.Attach(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Attach(); !errors.Is(err, session.ErrWrongStore) {
		t.Errorf("a second Manager: %v", err)
	}
}

// TestClosedStore: everything fails, nothing hangs, and none of it says that
// there is no session.
func TestClosedStore(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "sessions.db"))
	c := creation("subject")
	sign(t, s, c)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	_, load := s.Load(ctx, time.Now(), c.Token)
	_, create := s.Create(ctx, time.Now(), creation("subject"), nil)
	_, join := s.Create(ctx, time.Now(), creation("subject"), []session.Join{Join(failing)})
	_, tick := s.Tick(ctx, session.Position{}, 1)
	_, begin := s.Begin(ctx, "subject")
	for _, err := range []error{load, create, join, tick, begin} {
		if !errors.Is(err, errClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestPathsThatAreNoFile(t *testing.T) {
	for _, path := range []string{"", ":memory:", filepath.Join(t.TempDir(), "missing", "sessions.db")} {
		if _, err := Open(t.Context(), path); err == nil {
			t.Errorf("Open(%q) succeeded", path)
		}
	}
	openAt(t, filepath.Join(t.TempDir(), "50% off? #1.db"))
}

// TestSettings: what durability rests on is not left to a default.
func TestSettings(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "sessions.db"))
	for _, test := range []struct {
		on           *prepared
		pragma, want string
	}{
		{s.file.Load().writes, "journal_mode", "wal"},
		{s.file.Load().writes, "synchronous", "2"}, // FULL
		{s.file.Load().writes, "foreign_keys", "1"},
		{s.file.Load().reads, "query_only", "1"},
	} {
		var got string
		if err := test.on.row(t.Context(), "PRAGMA "+test.pragma).Scan(&got); err != nil || got != test.want {
			t.Errorf("%s is %s, %v", test.pragma, got, err)
		}
	}
}
