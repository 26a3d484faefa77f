package memory

import (
	"context"
	"errors"

	"cloakroom/session"
)

var errNested = errors.New("memory: a Join called the store that runs it")

// join is a caller's function in a transaction of this engine.
type join struct {
	run func(context.Context) error
}

func (*join) Engine() string { return engine }

// Join makes f part of the transaction of a Create or Apply: if f fails, panics
// or ends its goroutine, nothing is changed.
//
// Joins run one at a time and before the store's own checks, so the change may
// still be refused after f returned nil. What f itself changes is not undone
// then; it belongs in a function handed to OnCommit. A Join that does not return
// when its context ends keeps other Joins waiting, each until its own context
// ends, and nothing else.
func Join(f func(context.Context) error) session.Join { return &join{run: f} }

// transaction is what a Join's context carries.
type transaction struct {
	store    *Store
	onCommit []func()
}

type transactionKey struct{}

// OnCommit has f called once the transaction that ctx belongs to has been
// committed, before its caller is told. ctx must be the one given to a Join.
func OnCommit(ctx context.Context, f func()) {
	tx, ok := ctx.Value(transactionKey{}).(*transaction)
	if !ok {
		panic("memory: OnCommit outside a Join")
	}
	tx.onCommit = append(tx.onCommit, f)
}

// transact runs the joins and then commit, which under mu checks everything
// before it changes anything. Nothing is locked while the joins run but the
// queue of those who also have joins.
func (s *Store) transact(ctx context.Context, joins []session.Join, commit func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if outer, ok := ctx.Value(transactionKey{}).(*transaction); ok && outer.store == s {
		return errNested
	}
	own, err := ownJoins(joins)
	if err != nil {
		return err
	}
	tx := &transaction{store: s}
	if len(own) > 0 {
		select {
		case s.joining <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		defer func() { <-s.joining }() // also after a panic or Goexit
		if err := tx.run(ctx, own); err != nil {
			return err
		}
	}
	if err := s.commit(commit); err != nil {
		return err
	}
	for _, f := range tx.onCommit {
		f()
	}
	return nil
}

// ownJoins refuses the joins of other engines before any is run.
func ownJoins(joins []session.Join) ([]*join, error) {
	own := make([]*join, len(joins))
	for i, j := range joins {
		var ok bool
		if own[i], ok = j.(*join); !ok {
			return nil, session.ErrWrongStore
		}
	}
	return own, nil
}

func (tx *transaction) run(ctx context.Context, joins []*join) error {
	inner := context.WithValue(ctx, transactionKey{}, tx)
	for _, j := range joins {
		if err := j.run(inner); err != nil {
			return &session.JoinError{Err: err}
		}
	}
	return ctx.Err() // a transaction does not outlive its context
}

// commit takes one step and wakes the nodes if it logged anything.
func (s *Store) commit(step func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.state.head()
	if err := step(); err != nil {
		return err
	}
	if s.state.head() != before {
		s.state.trim(s.tail())
		s.wake()
	}
	return nil
}

func (s *Store) tail() int {
	if s.Tail > 0 {
		return s.Tail
	}
	return defaultTail
}
