package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"cloakroom/session"
	"cloakroom/session/sessiontest"
	"cloakroom/session/sessiontest/modeltest"
)

func TestStore(t *testing.T) { sessiontest.Run(t, engineOn) }
func TestModel(t *testing.T) { modeltest.Run(t, engineOn) }

func engineOn(t *testing.T) sessiontest.Engine {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := openAt(t, path)
	write := func(query string, args ...any) {
		t.Helper()
		err := s.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, query, args...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write(`CREATE TABLE scratch (key TEXT NOT NULL)`)
	return sessiontest.Engine{
		Store: s,
		JoinWrite: func(key string, then func(context.Context) error) session.Join {
			return Join(func(ctx context.Context, tx *sql.Tx) error {
				if _, err := tx.ExecContext(ctx, `INSERT INTO scratch (key) VALUES (?)`, key); err != nil {
					return err
				}
				if then == nil {
					return nil
				}
				return then(ctx)
			})
		},
		Written: func(key string) bool {
			var n int
			if err := s.Read().QueryRow(`SELECT count(*) FROM scratch WHERE key = ?`, key).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n > 0
		},
		LoseSubject: func(subject string) {
			write(`DELETE FROM cloakroom_subjects WHERE subject = ?`, subject)
		},
		CutLog: func() {
			s.journal.mu.Lock()
			defer s.journal.mu.Unlock()
			s.journal.trim(1)
		},
		Reopen: func() session.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openAt(t, path)
			return s
		},
	}
}

// openAt opens a store and closes it when the test ends.
func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
