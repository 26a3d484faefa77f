package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"cloakroom/session"
)

// maxLoan bounds how long a caller's function may keep all other writes waiting.
const maxLoan = 10 * time.Second

var (
	errNested = errors.New("sqlite: a function that the store runs in a transaction has called the store")
	errEnded  = errors.New("sqlite: a function ended the transaction that it was lent; nothing is committed")
	errLate   = fmt.Errorf("sqlite: a function kept its transaction for more than %s; nothing is committed", maxLoan)

	// errUnfinished never reaches anybody: its caller panicked or is gone.
	errUnfinished = errors.New("sqlite: the function did not return")
)

// work is one thing for the writer to do. It is told once, on done.
type work struct {
	own   func(*transaction) error // the store's statements; run again if a batch was spoiled
	state atomic.Int32
	done  chan error // buffered

	// Of work that is done alone, for it begins with a caller's function:
	ctx      context.Context
	loan     chan lent  // buffered; the writer's permission to run the function
	returned chan error // buffered; what the function returned
}

// States of work. Whoever moves it on from queued decides.
const (
	queued int32 = iota
	begun
	withdrawn
)

// lent is what a caller's function is given.
type lent struct {
	ctx context.Context
	tx  *sql.Tx
}

// lentKey marks the context of a lent transaction with its *Store.
type lentKey struct{}

// write has the store's own statements run, grouped with others', and returns
// once that is durable. If ctx ends before, it returns at once: what the writer
// has begun by then goes on, without anybody waiting for it. So own must not
// touch what the caller reads, unless write returned nil.
func (s *Store) write(ctx context.Context, own func(*transaction) error) error {
	w := &work{own: own, done: make(chan error, 1)}
	if err := s.enqueue(ctx, w); err != nil {
		return err
	}
	select {
	case err := <-w.done:
		return err
	case <-s.ended:
		return w.afterEnd()
	case <-ctx.Done():
		if w.state.CompareAndSwap(queued, withdrawn) {
			return ctx.Err()
		}
	}
	select {
	case err := <-w.done:
		return err
	default:
		return fmt.Errorf("%w: %w", session.ErrUnknownOutcome, ctx.Err())
	}
}

// alone has f run in a transaction of its own, in this goroutine, and own after
// it. A panic of f, or a Goexit, goes on in this goroutine, where it belongs.
func (s *Store) alone(ctx context.Context, f func(context.Context, *sql.Tx) error, own func(*transaction) error) error {
	w := &work{
		own:      own,
		done:     make(chan error, 1),
		ctx:      context.WithValue(ctx, lentKey{}, s),
		loan:     make(chan lent, 1),
		returned: make(chan error, 1),
	}
	if err := s.enqueue(ctx, w); err != nil {
		return err
	}
	withdraw := ctx.Done()
	for {
		select {
		case l := <-w.loan:
			w.visit(l, f)
			return <-w.done // soon: what follows depends on no caller
		case err := <-w.done:
			return err
		case <-s.ended:
			return w.afterEnd()
		case <-withdraw:
			if w.state.CompareAndSwap(queued, withdrawn) {
				return ctx.Err()
			}
			withdraw = nil // the writer has begun, and cuts it off
		}
	}
}

// visit runs the function and tells the writer, however it ends.
func (w *work) visit(l lent, f func(context.Context, *sql.Tx) error) {
	err := errUnfinished
	defer func() { w.returned <- err }()
	err = f(l.ctx, l.tx)
}

func (s *Store) enqueue(ctx context.Context, w *work) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Value(lentKey{}) == s {
		return errNested
	}
	if err := s.file.Load().err(); err != nil {
		return err
	}
	select {
	case s.queue <- w:
		return nil
	case <-s.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// afterEnd is for work that was queued while the writer ended.
func (w *work) afterEnd() error {
	select {
	case err := <-w.done:
		return err
	default:
		return errClosed
	}
}
