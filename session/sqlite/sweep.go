package sqlite

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"cloakroom/session"
)

// sweepStep is how many keys one query of a sweep passes over.
const sweepStep = 10_000

// sweeper remembers how far the last sweep came that found as much as it was
// asked for; the next one goes on from there, and one that reaches the end lets
// the next begin anew. Sweeps look at every row, in small steps and among the
// readers, because an index for them would have to be kept by every creation
// and every touch.
type sweeper struct {
	mu    sync.Mutex // held while a sweep runs
	after int64      // guarded by mu
}

// swept is a row that is long over, as it was read.
type swept struct{ key, lastSeen int64 }

// Sweep deletes sessions that are long over.
func (s *Store) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	s.sweeper.mu.Lock()
	defer s.sweeper.mu.Unlock()
	before := s.clock.judge(now).Add(-session.SweepAfter).Unix()
	found, err := s.overBy(ctx, before, limit)
	if err != nil {
		return 0, fmt.Errorf("sqlite: find sessions to sweep: %w", err)
	}
	total := 0
	for some := range slices.Chunk(found, maxBatch) {
		n := 0
		err := s.write(ctx, func(t *transaction) (err error) {
			n, err = t.sweep(some)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("sqlite: sweep sessions: %w", err)
		}
		total += n
	}
	return total, nil
}

// overBy finds up to limit sessions that ended or expired before a time.
func (s *Store) overBy(ctx context.Context, before int64, limit int) ([]swept, error) {
	reads, err := s.reads()
	if err != nil {
		return nil, err
	}
	var last int64
	if err := reads.row(ctx, `SELECT coalesce(max(key), 0) FROM cloakroom_sessions`).Scan(&last); err != nil {
		return nil, err
	}
	var found []swept
	for s.sweeper.after < last && len(found) < limit {
		to := s.sweeper.after + sweepStep
		some, err := readSwept(ctx, reads, s.sweeper.after, to, before, limit-len(found))
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
		s.sweeper.after = to
		if len(found) == limit {
			s.sweeper.after = found[limit-1].key
		}
	}
	if len(found) < limit {
		s.sweeper.after = 0
	}
	return found, nil
}

func readSwept(ctx context.Context, reads *prepared, after, to, before int64, limit int) ([]swept, error) {
	rows, err := reads.rows(ctx, `SELECT s.key, s.last_seen
		FROM cloakroom_meta m, cloakroom_sessions s LEFT JOIN cloakroom_subjects u ON u.key = s.subject
		WHERE s.key > ?1 AND s.key <= ?2
		  AND (s.ended < ?3 OR s.idle_ends < ?3
		    OR (s.last_seen < ?3 AND s.ended IS NULL AND (s.epoch <> u.epoch OR s.global_epoch <> m.global_epoch)))
		ORDER BY s.key LIMIT ?4`, after, to, before, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []swept
	for rows.Next() {
		var row swept
		if err := rows.Scan(&row.key, &row.lastSeen); err != nil {
			return nil, err
		}
		found = append(found, row)
	}
	return found, rows.Err()
}

// sweep deletes the rows, but none that a touch has reached since it was read.
func (t *transaction) sweep(rows []swept) (int, error) {
	total := 0
	for _, row := range rows {
		n, err := t.exec(`DELETE FROM cloakroom_sessions WHERE key = ? AND last_seen = ?`, row.key, row.lastSeen)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			continue
		}
		total++
		if _, err := t.exec(`DELETE FROM cloakroom_data WHERE session = ?`, row.key); err != nil {
			return 0, err
		}
		if _, err := t.exec(`DELETE FROM cloakroom_pairs WHERE session = ?`, row.key); err != nil {
			return 0, err
		}
	}
	return total, nil
}
