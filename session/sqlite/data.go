package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"cloakroom/session"
)

const dataByID = `SELECT ` + recordColumns + `, d.value, d.key IS NOT NULL
	FROM ` + recordTables + ` LEFT JOIN cloakroom_data d ON d.session = s.key AND d.key = ?
	WHERE s.id = ?`

// GetData returns the value, from one snapshot with the session.
func (s *Store) GetData(ctx context.Context, now time.Time, id session.ID, key string) ([]byte, bool, error) {
	reads, err := s.reads()
	if err != nil {
		return nil, false, err
	}
	var value []byte
	var found bool
	r, err := scanRecord(reads.row(ctx, dataByID, key, id[:]), &value, &found)
	if err == nil && !r.live(s.clock.judge(now)) {
		err = session.ErrNoSession
	}
	if err != nil {
		return nil, false, fmt.Errorf("sqlite: get data: %w", err)
	}
	return value, found, nil
}

// PutData sets the value.
func (s *Store) PutData(ctx context.Context, now time.Time, id session.ID, key string, value []byte) error {
	value = append([]byte{}, value...) // the caller's, who may be gone by then; never NULL
	err := s.write(ctx, func(t *transaction) error {
		of, err := t.live(id, now)
		if err != nil {
			return err
		}
		var others int
		err = t.row(`SELECT coalesce(sum(octet_length(key) + octet_length(value)), 0)
			FROM cloakroom_data WHERE session = ? AND key <> ?`, of, key).Scan(&others)
		switch {
		case err != nil:
			return err
		case others+len(key)+len(value) > session.MaxData:
			return session.ErrTooLarge
		}
		n, err := t.exec(`UPDATE cloakroom_data SET value = ? WHERE session = ? AND key = ?`, value, of, key)
		if err != nil || n == 1 {
			return err
		}
		return t.execOne(`INSERT INTO cloakroom_data (session, key, value) VALUES (?, ?, ?)`, of, key, value)
	})
	if err != nil {
		return fmt.Errorf("sqlite: put data: %w", err)
	}
	return nil
}

// DeleteData removes the key if it is there.
func (s *Store) DeleteData(ctx context.Context, now time.Time, id session.ID, key string) error {
	_, _, err := s.TakeData(ctx, now, id, key)
	return err
}

// TakeData returns the value and removes it in one step.
func (s *Store) TakeData(ctx context.Context, now time.Time, id session.ID, key string) ([]byte, bool, error) {
	var value []byte
	var found bool
	err := s.write(ctx, func(t *transaction) error {
		of, err := t.live(id, now)
		if err != nil {
			return err
		}
		t.writes++
		err = t.row(`DELETE FROM cloakroom_data WHERE session = ? AND key = ? RETURNING value`, of, key).Scan(&value)
		found = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			value, err = nil, nil
		}
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("sqlite: take data: %w", err)
	}
	return value, found, nil
}

// live returns the key of the row of a session that is live at now.
func (t *transaction) live(id session.ID, now time.Time) (int64, error) {
	r, err := scanRecord(t.row(recordByID, id[:]))
	if err == nil && !r.live(t.clock.judge(now)) {
		err = session.ErrNoSession
	}
	return r.key, err
}
