package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"cloakroom/session"
)

// openNotes opens a store with a table of the application's beside its own.
func openNotes(t *testing.T) *Store {
	t.Helper()
	s := openAt(t, filepath.Join(t.TempDir(), "sessions.db"))
	err := s.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE notes (note TEXT UNIQUE)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func notes(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.Read().QueryRow(`SELECT count(*) FROM notes`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

const note = `INSERT INTO notes (note) VALUES ('x')`

// outcome runs do on a goroutine of its own and returns what it panicked with,
// or whether it ended its goroutine.
func outcome(do func()) (panicked any, ended bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended = true
		defer func() { panicked = recover() }()
		do()
		ended = false
	}()
	<-done
	return panicked, ended
}

// TestJoinThatCannotBeCommitted: whatever a Join does but return nil in time,
// neither its work nor the session's is there, and the writer goes on.
func TestJoinThatCannotBeCommitted(t *testing.T) {
	s := openNotes(t)
	own := errors.New("the join's own")
	write := func(tx *sql.Tx, query string) {
		if _, err := tx.Exec(query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	for name, test := range map[string]struct {
		join func(context.Context, *sql.Tx) error
		want error
	}{
		"fails": {func(_ context.Context, tx *sql.Tx) error { write(tx, note); return own }, own},
		"commits": {func(_ context.Context, tx *sql.Tx) error {
			write(tx, note)
			if err := tx.Commit(); !errors.Is(err, errLent) {
				t.Errorf("Commit: %v", err)
			}
			return nil
		}, errEnded},
		"rolls back": {func(_ context.Context, tx *sql.Tx) error {
			write(tx, note)
			_ = tx.Rollback()
			return nil
		}, errEnded},
		"commits by a statement": {func(_ context.Context, tx *sql.Tx) error {
			write(tx, note)
			if _, err := tx.Exec(`COMMIT`); err == nil {
				t.Error("COMMIT was run")
			}
			_, _ = tx.Exec(note) // outside of any transaction
			return nil
		}, errEnded},
		"rolls back by a statement": {func(_ context.Context, tx *sql.Tx) error {
			write(tx, `ROLLBACK`)
			write(tx, `BEGIN IMMEDIATE`)
			write(tx, note)
			return nil
		}, errEnded},
		"commits by a statement after beginning anew": {func(_ context.Context, tx *sql.Tx) error {
			write(tx, `ROLLBACK`)
			write(tx, `BEGIN IMMEDIATE`)
			write(tx, note)
			_, _ = tx.Exec(`COMMIT`)
			return nil
		}, errEnded},
		"loses the transaction": {func(_ context.Context, tx *sql.Tx) error {
			write(tx, note)
			_, _ = tx.Exec(`INSERT OR ROLLBACK INTO notes (note) VALUES ('x')`)
			return nil
		}, errEnded},
		"calls the store": {func(ctx context.Context, tx *sql.Tx) error {
			_, err := s.Apply(ctx, time.Now(), session.RevokeAll("subject"), nil)
			return err
		}, errNested},
		"leaves rows open": {func(ctx context.Context, tx *sql.Tx) error {
			write(tx, note)
			rows, err := tx.Query(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n`)
			if err == nil {
				rows.Next()
			}
			return errors.Join(own, err)
		}, own},
	} {
		t.Run(name, func(t *testing.T) {
			c := creation("subject")
			before := s.journal.position()
			_, err := s.Create(t.Context(), time.Now(), c, []session.Join{Join(test.join)})
			if !errors.Is(err, test.want) {
				t.Errorf("got error %v, want %v", err, test.want)
			}
			var je *session.JoinError
			if errors.As(err, &je) != (test.want == own || test.want == errNested) {
				t.Errorf("%v is a JoinError: %v", err, errors.As(err, &je))
			}
			wantNothing(t, s, c, before)
		})
	}
}

// wantNothing wants no trace of a creation, and a store that works.
func wantNothing(t *testing.T, s *Store, c session.Creation, before session.Position) {
	t.Helper()
	if _, err := s.Load(t.Context(), time.Now(), c.Token); !errors.Is(err, session.ErrNoSession) {
		t.Errorf("the session is there: %v", err)
	}
	if n := notes(t, s); n != 0 {
		t.Errorf("%d notes are there", n)
	}
	if after := s.journal.position(); after != before {
		t.Errorf("something was logged")
	}
	ctx, cancel := context.WithTimeout(t.Context(), maxLoan/2) // nobody waits until the loan runs out
	defer cancel()
	if _, err := s.Create(ctx, time.Now(), creation("another"), nil); err != nil {
		t.Errorf("the next sign-in: %v", err)
	}
	err := s.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, note); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM notes`)
		return err
	})
	if err != nil {
		t.Errorf("the next write: %v", err)
	}
}

// TestJoinThatDoesNotReturn: a panic and a Goexit go on in the caller's
// goroutine, and the writer goes on, too.
func TestJoinThatDoesNotReturn(t *testing.T) {
	s := openNotes(t)
	for name, leave := range map[string]func(){
		"panic":  func() { panic("the join's own") },
		"Goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			c := creation("subject")
			before := s.journal.position()
			panicked, ended := outcome(func() {
				_, _ = s.Create(t.Context(), time.Now(), c, []session.Join{Join(func(_ context.Context, tx *sql.Tx) error {
					if _, err := tx.Exec(note); err != nil {
						t.Error(err)
					}
					leave()
					return nil
				})})
			})
			if !ended || (panicked != nil) != (name == "panic") {
				t.Errorf("panicked with %v, ended %v", panicked, ended)
			}
			wantNothing(t, s, c, before)
		})
	}
}

// TestJoinThatOutlivesItsContext: it is cut off, whether it computes, waits in
// a statement that was given no context, or asks for more afterwards.
func TestJoinThatOutlivesItsContext(t *testing.T) {
	const endless = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n`
	s := openNotes(t)
	for name, linger := range map[string]func(ctx context.Context, tx *sql.Tx){
		"computing": func(ctx context.Context, _ *sql.Tx) { <-ctx.Done() },
		"in a statement": func(_ context.Context, tx *sql.Tx) {
			if _, err := tx.Exec(endless); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
				t.Errorf("an endless statement: %v", err)
			}
		},
		"in a prepared statement": func(_ context.Context, tx *sql.Tx) {
			p, err := tx.Prepare(endless)
			if err != nil {
				t.Error(err)
				return
			}
			_ = p.QueryRow().Scan(new(int))
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			c := creation("subject")
			before := s.journal.position()
			held := make(chan struct{}) // closed when the writer has gone on
			result := make(chan error)
			go func() {
				_, err := s.Create(ctx, time.Now(), c, []session.Join{Join(func(ctx context.Context, tx *sql.Tx) error {
					_, _ = tx.Exec(note)
					linger(ctx, tx)
					<-held
					if _, err := tx.Exec(note); err == nil {
						t.Error("a statement after the end")
					}
					return nil
				})})
				result <- err
			}()
			<-ctx.Done()
			sign(t, s, creation("another"))
			close(held)
			if err := <-result; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got error %v", err)
			}
			wantNothing(t, s, c, before)
		})
	}
}

// TestWriteReturnsWhatItsFunctionReturns: as it is, not as a JoinError.
func TestWriteReturnsWhatItsFunctionReturns(t *testing.T) {
	s := openNotes(t)
	own := errors.New("the function's own")
	if err := s.Write(t.Context(), func(context.Context, *sql.Tx) error { return own }); err != own {
		t.Errorf("got error %v", err)
	}
	if _, err := s.Read().Exec(note); err == nil {
		t.Error("the readers' pool writes")
	}
}

// endsWhenLent is a context that ends when the connection has just been lent:
// database/sql asks for Done once more then, and starts to wait for it.
type endsWhenLent struct {
	context.Context
	end  context.CancelFunc
	asks *int
}

func (c endsWhenLent) Done() <-chan struct{} {
	if *c.asks++; *c.asks > 1 {
		c.end()
	}
	return c.Context.Done()
}

// TestAContextThatEndsAsItsTransactionBegins: a caller may go away at any
// instant, also at that in which its function is about to be let in. The writer
// must not lose the loan: it has to wait for its end.
func TestAContextThatEndsAsItsTransactionBegins(t *testing.T) {
	f := openNotes(t).file.Load() // its writer has nothing to do
	lent := 0
	for range 20_000 {
		ctx, end := context.WithCancel(t.Context())
		tx, l, err := f.lend(endsWhenLent{ctx, end, new(int)})
		end()
		if err != nil {
			continue
		}
		if lent++; l == nil {
			t.Fatalf("loan %d was over before it was known", lent)
		}
		f.reclaim(tx, l)
	}
	if lent == 0 {
		t.Error("no transaction began")
	}
}
