package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"cloakroom/session"
)

const engine = "sqlite"

type join struct {
	run func(context.Context, *sql.Tx) error
}

func (*join) Engine() string { return engine }

// Join makes f part of the transaction of a Create or Apply, before the store's
// own statements. What holds for the function of Store.Write holds for f: it
// runs in the caller's goroutine, so that a panic goes on there, and nothing is
// committed unless it returns nil in time. Its own error comes back as it is.
func Join(f func(context.Context, *sql.Tx) error) session.Join { return &join{run: f} }

// ownJoins refuses the joins of other engines before any is run.
func ownJoins(joins []session.Join) ([]*join, error) {
	own := make([]*join, len(joins))
	for i, j := range joins {
		var ok bool
		if own[i], ok = j.(*join); !ok {
			return nil, fmt.Errorf("%w: a Join made for %s cannot run in a SQLite store", session.ErrWrongStore, j.Engine())
		}
	}
	return own, nil
}

// joined has the joins run, and then own, in one transaction. Without joins it
// is a write like any other.
func (s *Store) joined(ctx context.Context, joins []session.Join, own func(*transaction) error) error {
	runs, err := ownJoins(joins)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return s.write(ctx, own)
	}
	return s.alone(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, j := range runs {
			if err := j.run(ctx, tx); err != nil {
				return &session.JoinError{Err: err}
			}
		}
		return nil
	}, own)
}

// Create begins or continues a session.
func (s *Store) Create(ctx context.Context, now time.Time, c session.Creation, joins []session.Join) (session.Created, error) {
	var created session.Created
	err := s.joined(ctx, joins, func(t *transaction) (err error) {
		created, err = t.create(t.clock.judge(now), c)
		return err
	})
	if err != nil {
		return session.Created{}, fmt.Errorf("sqlite: create session: %w", err)
	}
	return created, nil
}

// Apply carries out one change.
func (s *Store) Apply(ctx context.Context, now time.Time, c session.Change, joins []session.Join) (session.Position, error) {
	var position session.Position
	err := s.joined(ctx, joins, func(t *transaction) error {
		if err := t.apply(t.clock.judge(now), c); err != nil {
			return err
		}
		position = t.head
		return nil
	})
	if err != nil {
		return session.Position{}, fmt.Errorf("sqlite: apply change: %w", err)
	}
	return position, nil
}
