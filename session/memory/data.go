package memory

import (
	"bytes"
	"context"
	"time"

	"cloakroom/session"
)

// GetData returns a copy of the value.
func (s *Store) GetData(ctx context.Context, now time.Time, id session.ID, key string) (value []byte, ok bool, err error) {
	err = s.data(ctx, now, id, func(r *record) error {
		value, ok = r.data[key]
		value = bytes.Clone(value)
		return nil
	})
	return value, ok, err
}

// PutData keeps a copy of the value.
func (s *Store) PutData(ctx context.Context, now time.Time, id session.ID, key string, value []byte) error {
	return s.data(ctx, now, id, func(r *record) error {
		size := len(key) + len(value)
		for k, v := range r.data {
			if k != key {
				size += len(k) + len(v)
			}
		}
		if size > session.MaxData {
			return session.ErrTooLarge
		}
		r.data[key] = append([]byte{}, value...)
		return nil
	})
}

// DeleteData removes the key if it is there.
func (s *Store) DeleteData(ctx context.Context, now time.Time, id session.ID, key string) error {
	return s.data(ctx, now, id, func(r *record) error {
		delete(r.data, key)
		return nil
	})
}

// TakeData returns the value and removes it in one step.
func (s *Store) TakeData(ctx context.Context, now time.Time, id session.ID, key string) (value []byte, ok bool, err error) {
	err = s.data(ctx, now, id, func(r *record) error {
		value, ok = r.data[key]
		delete(r.data, key)
		return nil
	})
	return value, ok, err
}

// data runs one atomic step on a session that is live at now.
func (s *Store) data(ctx context.Context, now time.Time, id session.ID, step func(*record) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.state.find(id, s.judge(now))
	if err != nil {
		return err
	}
	return step(r)
}
