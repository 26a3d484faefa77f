package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"cloakroom/internal/throttle"
	"cloakroom/session/sqlite"
)

var _ throttle.Store = (*Throttle)(nil)

// Throttle is a throttle.Store beside a session store.
type Throttle struct {
	store *sqlite.Store
}

// NewThrottle returns the buckets in the file of the accounts, whose tables are
// up to date.
func NewThrottle(accounts *Accounts) *Throttle { return &Throttle{accounts.store} }

// EmptyAt reads beside the writer.
func (t *Throttle) EmptyAt(ctx context.Context, buckets []throttle.Bucket) ([]int64, error) {
	at, err := allEmptyAt(ctx, t.store.Read(), buckets)
	return at, broken("read the throttle", err)
}

// Take judges an attempt in the transaction that charges it.
func (t *Throttle) Take(ctx context.Context, now time.Time, buckets []throttle.Bucket) (wait time.Duration, err error) {
	err = t.store.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, err := allEmptyAt(ctx, tx, buckets)
		if err != nil {
			return err
		}
		var after []int64
		after, wait = throttle.Admit(now, buckets, before)
		for i, b := range buckets {
			if after[i] == before[i] {
				continue
			}
			if err := setEmptyAt(ctx, tx, b.Key, after[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, broken("charge the throttle", err)
	}
	return wait, nil
}

// Return takes one attempt out of each bucket.
func (t *Throttle) Return(ctx context.Context, now time.Time, buckets []throttle.Bucket) error {
	return broken("give back to the throttle", t.store.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, b := range buckets {
			before, err := emptyAt(ctx, tx, b.Key)
			if err != nil {
				return err
			}
			if err := setEmptyAt(ctx, tx, b.Key, b.GiveBack(now, before)); err != nil {
				return err
			}
		}
		return nil
	}))
}

// querier is the pool of readers, or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func allEmptyAt(ctx context.Context, q querier, buckets []throttle.Bucket) (all []int64, err error) {
	all = make([]int64, len(buckets))
	for i, b := range buckets {
		if all[i], err = emptyAt(ctx, q, b.Key); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func emptyAt(ctx context.Context, q querier, key throttle.Key) (millis int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT empty_at FROM cloakroom_throttle WHERE key = ?`, key[:]).Scan(&millis)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil // nothing is kept of an empty bucket
	}
	return millis, err
}

func setEmptyAt(ctx context.Context, tx *sql.Tx, key throttle.Key, millis int64) error {
	if millis == 0 {
		_, err := tx.ExecContext(ctx, `DELETE FROM cloakroom_throttle WHERE key = ?`, key[:])
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO cloakroom_throttle (key, empty_at) VALUES (?, ?)
		ON CONFLICT (key) DO UPDATE SET empty_at = excluded.empty_at`, key[:], millis)
	return err
}

// sweepStep bounds how long a sweep keeps other writes waiting.
const sweepStep = 256

// Sweep finds what is empty among the readers, for there is no index to find it
// by: every attempt would have to keep that up to date.
func (t *Throttle) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	empty, err := t.empty(ctx, now, limit)
	if err != nil {
		return 0, broken("find empty buckets", err)
	}
	total := 0
	for some := range slices.Chunk(empty, sweepStep) {
		n := 0
		err := t.store.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			n, err = deleteEmpty(ctx, tx, now, some)
			return err
		})
		if err != nil {
			return total, broken("sweep empty buckets", err)
		}
		total += n
	}
	return total, nil
}

func (t *Throttle) empty(ctx context.Context, now time.Time, limit int) ([][]byte, error) {
	rows, err := t.store.Read().QueryContext(ctx,
		`SELECT key FROM cloakroom_throttle WHERE empty_at <= ? LIMIT ?`, now.UnixMilli(), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys [][]byte
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// deleteEmpty deletes the buckets, but none that was charged since it was found.
func deleteEmpty(ctx context.Context, tx *sql.Tx, now time.Time, keys [][]byte) (total int, err error) {
	for _, key := range keys {
		result, err := tx.ExecContext(ctx,
			`DELETE FROM cloakroom_throttle WHERE key = ? AND empty_at <= ?`, key, now.UnixMilli())
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		total += int(n)
	}
	return total, nil
}
