package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"cloakroom/session"
)

// transaction is what the store's own statements are run in. What it says about
// the log and the global epoch becomes true when it is committed.
type transaction struct {
	file    *file
	clock   *clock
	global  uint64           // the global epoch
	head    session.Position // of the log
	entries []session.Entry  // to be appended
	writes  int              // statements that were to change something
}

// exec runs a statement that changes something, and says how many rows it did.
func (t *transaction) exec(query string, args ...any) (int64, error) {
	t.writes++
	result, err := t.file.writes.exec(context.Background(), query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// execOne is for a statement that must change exactly one row.
func (t *transaction) execOne(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n != 1 {
		err = errRows
	}
	return err
}

var errRows = errors.New("a statement did not change the one row that it should")

func (t *transaction) row(query string, args ...any) scanner {
	return t.file.writes.row(context.Background(), query, args...)
}

func (t *transaction) rows(query string, args ...any) (*sql.Rows, error) {
	return t.file.writes.rows(context.Background(), query, args...)
}

// log adds an entry and returns its number.
func (t *transaction) log(now time.Time, e session.Entry) uint64 {
	e.Number, e.Nonce, e.At = t.head.Number+1, newNonce(), now
	t.head.Number, t.head.Nonce = e.Number, e.Nonce
	t.entries = append(t.entries, e)
	return e.Number
}

// finish stores what goes on across starts, if there is anything to commit.
func (t *transaction) finish() error {
	if t.writes == 0 {
		return nil
	}
	return t.execOne(`UPDATE cloakroom_meta SET number = ?, latest = ?`,
		t.head.Number, t.clock.latest())
}
