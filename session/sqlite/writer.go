package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"cloakroom/session"
)

// maxBatch bounds how much is lost or repeated together.
const maxBatch = 256

// Waits before the file is opened again after a failure.
const (
	firstRetry = 20 * time.Millisecond
	lastRetry  = 2 * time.Second
)

// writer makes every change to the file, one transaction after the other.
// Only its own goroutine uses it.
type writer struct {
	store  *Store
	file   *file
	global uint64 // the global epoch

	batch []*work
	held  *work        // taken from the queue, but to be done alone
	look  *time.Ticker // when to look whether the file is still there
}

// run serves the queue until the store is closed.
func (w *writer) run() {
	defer close(w.store.ended)
	w.look = time.NewTicker(lookEvery)
	defer w.look.Stop()
	for w.next() {
		cause := w.serve()
		if cause == nil {
			continue
		}
		w.fail(cause)
		if !w.reopen(cause) {
			return
		}
	}
	w.refuse(errClosed)
	w.store.lapse(errClosed)
	w.store.closeErr = w.file.close()
}

// next takes what is queued: a batch of the store's own work, or one piece that
// is done alone, or nothing when it is time to look at the file. It reports false
// when the store is closing.
func (w *writer) next() bool {
	clear(w.batch)
	w.batch = w.batch[:0]
	first := w.held
	w.held = nil
	if first == nil {
		select {
		case first = <-w.store.queue:
		case <-w.look.C:
			return true
		case <-w.store.closing:
			return false
		}
	}
	w.take(first)
	if first.loan != nil {
		return true
	}
	runtime.Gosched() // those who were just answered come back first, and join the batch
	for len(w.batch) < maxBatch {
		select {
		case more := <-w.store.queue:
			if more.loan != nil {
				w.held = more
				return true
			}
			w.take(more)
		default:
			return true
		}
	}
	return true
}

// take begins a piece of work, unless its caller has withdrawn it.
func (w *writer) take(piece *work) {
	if piece.state.CompareAndSwap(queued, begun) {
		w.batch = append(w.batch, piece)
	}
}

// serve does the batch. An error means that the file is not to be trusted any
// more; who was not told by then has an unknown outcome.
func (w *writer) serve() error {
	switch {
	case len(w.batch) == 0:
		return w.file.place.kept()
	case w.batch[0].loan != nil:
		return w.alone(w.batch[0])
	}
	return w.group(w.batch)
}

// group commits the pieces together and then tells their callers. A piece that
// is refused before it wrote anything is in nobody's way. If one fails later,
// or the transaction is gone with it, all of it is rolled back and each piece
// is done by itself.
func (w *writer) group(pieces []*work) error {
	t, err := w.begin()
	if err != nil {
		return w.notBegun(pieces, err)
	}
	results := make([]error, len(pieces))
	for i, p := range pieces {
		before := t.writes
		results[i] = p.own(t)
		if results[i] == nil || (t.writes == before && !w.file.conn.lost && !damaged(results[i])) {
			continue
		}
		if err := w.file.rollback(); err != nil || damaged(results[i]) {
			return errors.Join(results[i], err)
		}
		if len(pieces) == 1 {
			p.tell(results[i])
			return nil
		}
		for _, p := range pieces {
			if err := w.group([]*work{p}); err != nil {
				return err
			}
		}
		return nil
	}
	if err := w.commit(t); err != nil {
		return err
	}
	for i, p := range pieces {
		p.tell(results[i])
	}
	return nil
}

// alone lends a transaction to a caller's function, adds the store's own
// statements, and commits.
func (w *writer) alone(p *work) error {
	t, err := w.begin()
	if err != nil {
		return w.notBegun([]*work{p}, err)
	}
	err = w.lend(p)
	if err == nil && p.own != nil {
		err = p.own(t)
		if damaged(err) {
			return errors.Join(err, w.file.rollback())
		}
	}
	if err != nil {
		// The function's own trouble with the database is its caller's. If it
		// was the file's, the next commit will show it.
		if failed := w.file.rollback(); failed != nil {
			return failed
		}
		p.tell(err)
		return nil
	}
	if err := w.commit(t); err != nil {
		return err
	}
	p.tell(nil)
	return nil
}

// lend lets the caller's function run and takes the connection back, at the
// latest when its time is over.
func (w *writer) lend(p *work) error {
	ctx, cancel := context.WithTimeout(p.ctx, maxLoan)
	defer cancel()
	tx, l, err := w.file.lend(ctx)
	if err != nil {
		return err
	}
	p.loan <- lent{ctx: ctx, tx: tx}
	select {
	case err = <-p.returned:
	case <-ctx.Done():
	}
	ended := l.ended()
	late := ctx.Err() != nil
	w.file.reclaim(tx, l)
	switch {
	case err != nil:
		return err
	case p.ctx.Err() != nil:
		return p.ctx.Err()
	case late:
		return errLate
	case ended || w.file.conn.lost:
		return errEnded
	}
	return nil
}

func (w *writer) begin() (*transaction, error) {
	if err := w.file.begin(); err != nil {
		return nil, err
	}
	return &transaction{
		file:   w.file,
		clock:  &w.store.clock,
		global: w.global,
		head:   w.store.journal.position(),
	}, nil
}

// notBegun tells that there was no transaction: somebody else's program holds
// the file, or it is not to be trusted.
func (w *writer) notBegun(pieces []*work, err error) error {
	err = fmt.Errorf("sqlite: begin: %w", err)
	if damaged(err) {
		return err
	}
	for _, p := range pieces {
		p.tell(err)
	}
	return nil
}

// commit makes t durable and public. Any error leaves its outcome unknown.
func (w *writer) commit(t *transaction) error {
	if err := t.finish(); err != nil {
		return err
	}
	if err := w.file.commit(); err != nil {
		return fmt.Errorf("sqlite: commit: %w", err)
	}
	if err := w.file.place.kept(); err != nil {
		return fmt.Errorf("sqlite: commit: %w", err)
	}
	w.global = t.global
	w.store.journal.append(t.entries)
	return nil
}

// fail ends the leases, and only then tells anybody.
func (w *writer) fail(cause error) {
	w.store.lapse(fmt.Errorf("%w: sqlite: out of use until %s can be written again: %w",
		session.ErrUnavailable, w.store.path, cause))
	for _, p := range w.batch {
		p.tell(fmt.Errorf("%w: %w", session.ErrUnknownOutcome, cause))
	}
}

// reopen opens the file again, as often as it takes, under a new incarnation.
// It reports false when the store is closing. One that was moved or deleted stays
// open until it is back, so that as long as the process lives it is not gone.
func (w *writer) reopen(cause error) bool {
	closed := false
	letGo := func() {
		if !closed {
			_ = w.file.close() // it failed already
		}
		closed = true
	}
	if !errors.Is(cause, errMoved) {
		letGo()
	}
	w.refuse(w.file.err())
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		if !w.pause(wait) {
			letGo()
			return false
		}
		if !w.file.place.leadsBack() {
			continue
		}
		letGo()
		f, m, err := openFile(context.Background(), w.store.path, w.store.connect)
		if err != nil {
			continue
		}
		w.file, w.global = f, m.global
		w.store.clock.judge(time.Unix(m.latest, 0))
		w.store.journal.begin(m.number)
		w.store.file.Store(f)
		return true
	}
}

// pause waits, and refuses what was queued before the failure was known. It
// reports false when the store is closing.
func (w *writer) pause(wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-w.store.closing:
			w.refuse(errClosed)
			return false
		case p := <-w.store.queue:
			p.tell(w.file.err())
		case <-timer.C:
			return true
		}
	}
}

// refuse tells all who wait that nothing was done.
func (w *writer) refuse(err error) {
	if w.held != nil {
		w.held.tell(err)
		w.held = nil
	}
	for {
		select {
		case p := <-w.store.queue:
			p.tell(err)
		default:
			return
		}
	}
}

// tell answers the caller. Only the first answer counts.
func (w *work) tell(err error) {
	select {
	case w.done <- err:
	default:
	}
}
