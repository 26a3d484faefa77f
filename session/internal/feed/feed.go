// Package feed keeps a node's cache in step with the store's log. The rules
// are a pure state machine (Machine); Ring remembers what was applied lately;
// Feed is the goroutine that carries out what the machine says, and the places
// where others wait for it.
//
// Only this package takes authority out of the cache.
//
// Instants are time.Durations on the Manager's monotonic clock.
package feed

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// BatchLimit is how many entries a tick asks for at most.
const BatchLimit = 1024

// Cache is what the feed does to the node's cache.
type Cache interface {
	Bury(key *[32]byte, now int32)
	Discard(key *[32]byte, now int32)
	Drop(subject string)
	Reset()
}

// Config is what a Feed is made of.
type Config struct {
	Delta time.Duration
	Cache Cache
	Mono  func() time.Duration
	// Tick asks the store; it must return soon after its context ends.
	Tick func(ctx context.Context, after Position, limit int) (Batch, error)
	// Failed is told of each tick that failed, from the feed's goroutine.
	Failed func(error)
}

// Feed follows one log for one node. Its methods are safe for concurrent use.
type Feed struct {
	cfg   Config
	ring  Ring
	lease atomic.Int64 // an instant; a check may accept from the cache before it
	wake  chan struct{}

	mu      sync.Mutex // guards all below
	machine Machine
	cursor  Position      // applied up to here, cache included
	headed  uint64        // serial of the last tick that reached the head and was applied
	lapses  uint64        // how often the lease was withdrawn
	changed chan struct{} // closed and made anew whenever something above changes and somebody waits
	waiters int
}

// New returns a Feed that has applied nothing and holds no lease.
func New(cfg Config) *Feed {
	return &Feed{
		cfg: cfg, machine: Machine{Delta: cfg.Delta},
		wake: make(chan struct{}, 1), changed: make(chan struct{}),
	}
}

// Ring returns what was applied lately.
func (f *Feed) Ring() *Ring { return &f.ring }

// Lease returns the instant before which the cache may answer. Read it before
// the record: a check that is paused between the two must find the record gone.
func (f *Feed) Lease() time.Duration { return time.Duration(f.lease.Load()) }

// Wake asks for a tick soon.
func (f *Feed) Wake() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Lapse withdraws the lease, and voids the tick in flight.
func (f *Feed) Lapse() {
	f.mu.Lock()
	f.carryOut(f.machine.Lapse())
	f.mu.Unlock()
	f.Wake()
}

// Forget drops all that is cached, and whatever is on its way there, for a reason
// that the log does not know.
func (f *Feed) Forget() {
	f.mu.Lock()
	f.carryOut([]Action{{Do: RingReset}, {Do: CacheReset}})
	f.mu.Unlock()
}

// Run ticks until ctx ends, and withdraws the lease before it returns.
func (f *Feed) Run(ctx context.Context) {
	defer f.Lapse()
	period := f.cfg.Delta / 4
	timer := time.NewTimer(period)
	defer timer.Stop()
	for {
		again, err := f.tick(ctx)
		wake := f.wake
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			f.cfg.Failed(err)
			wake = nil // a store that is down gets the tick rate and no more
		case again:
			continue
		}
		timer.Reset(period)
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-timer.C:
		}
	}
}

var errLate = errors.New("the reply came too late to give a lease")

// tick sends one tick and applies its reply. again means that the log has more.
func (f *Feed) tick(ctx context.Context) (again bool, err error) {
	limit := f.cfg.Delta / 2
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	f.mu.Lock()
	tick := f.machine.Send(f.cfg.Mono())
	f.mu.Unlock()

	batch, err := f.cfg.Tick(ctx, tick.After, BatchLimit)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && f.cfg.Mono()-tick.At > limit {
		err = errLate
	}
	if err != nil {
		f.machine.GiveUp(tick.Serial)
		return false, err
	}
	return f.carryOut(f.machine.Reply(tick.Serial, batch)), nil
}

// carryOut does what the machine decided, in the machine's order, and reports
// whether it wants to tick again. f.mu is held, so that a Lapse falls wholly
// before or wholly after.
func (f *Feed) carryOut(actions []Action) (again bool) {
	now := int32(f.cfg.Mono() / time.Second)
	for _, a := range actions {
		switch a.Do {
		case RingReset:
			f.ring.Reset()
		case RingAdd:
			f.ring.Add(a.Entry)
		case CacheReset:
			f.cfg.Cache.Reset()
		case CacheApply:
			f.apply(a.Entry, now)
		case MoveCursor:
			f.cursor = a.Position
		case GiveLease:
			f.lease.Store(int64(a.Until))
			f.headed = a.Serial
		case EndLease:
			f.lease.Store(0)
			f.lapses++
		case TickAgain:
			again = true
		}
	}
	if f.waiters > 0 && len(actions) > 0 {
		close(f.changed)
		f.changed = make(chan struct{})
	}
	return again
}

func (f *Feed) apply(e Entry, now int32) {
	switch e.Kind {
	case Session:
		for i := range e.Hashes {
			f.cfg.Cache.Bury(&e.Hashes[i], now)
		}
	case Superseded:
		for i := range e.Hashes {
			f.cfg.Cache.Discard(&e.Hashes[i], now)
		}
	case Subject:
		f.cfg.Cache.Drop(e.Subject)
	}
}

// WaitApplied returns once no check that starts later on this node can accept
// what the entry at pos took away; committed is an instant after its commit.
//
// With a timed lease that is so when the entry has been applied, or delta after
// the commit: a lease from a tick answered before the commit has then run out.
// (That the lease has run out now is not enough: such a tick may still be on
// its way.) A held lease has no such end, so there only the application counts,
// or that the lease was withdrawn.
func (f *Feed) WaitApplied(pos Position, committed time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lapses := f.lapses
	f.await(context.Background(), committed+f.cfg.Delta, func() bool {
		held := f.lease.Load() == math.MaxInt64
		switch {
		case f.applied(pos), f.lapses != lapses:
			return true
		case held:
			return f.cursor.Incarnation == pos.Incarnation && f.cursor.Number >= pos.Number
		default:
			return f.cfg.Mono() >= committed+f.cfg.Delta
		}
	})
}

// applied reports whether the very entry at pos was applied, or the cache was
// dropped at it: same incarnation, same number, same nonce.
func (f *Feed) applied(pos Position) bool {
	return f.cursor == pos || f.cursor.Incarnation == pos.Incarnation && f.ring.Holds(pos)
}

// WaitFresh returns once a tick that was sent after the call has reached the
// head of the log and been applied. Callers share ticks. It fails when ctx
// ends, and delta after the call.
func (f *Feed) WaitFresh(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	after := f.machine.Sent()
	until := f.cfg.Mono() + f.cfg.Delta
	ok := false
	f.await(ctx, until, func() bool {
		ok = f.headed > after
		return ok || ctx.Err() != nil || f.cfg.Mono() >= until
	})
	if ok {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.New("the store did not confirm the state of its log in time")
}

// await calls done, with f.mu held, until it reports true: at every change, at
// the instant until, and when ctx ends. Each round asks for a tick.
func (f *Feed) await(ctx context.Context, until time.Duration, done func() bool) {
	if done() {
		return
	}
	timer := time.NewTimer(max(until-f.cfg.Mono(), 0))
	defer timer.Stop()
	f.waiters++
	defer func() { f.waiters-- }()
	for !done() {
		changed := f.changed
		f.mu.Unlock()
		f.Wake()
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		f.mu.Lock()
	}
}
