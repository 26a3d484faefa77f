package password

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ErrBusy means that too many passwords are being hashed: try again shortly.
var ErrBusy = errors.New("too many passwords are being verified")

// Rank says who goes first where not everybody can be served: of those who wait,
// one of the highest rank, of these one who was not wrong of late, then who asks for
// least, and then who came first.
type Rank uint8

// The ranks. In a flood the highest that the flood does not have is served as if
// there were none.
const (
	Last Rank = iota
	Middle
	First
)

// Place is where somebody stands who waits for a slot.
type Place struct {
	Rank Rank
	// Of is whom it is counted to: an account, a network; "" for somebody alone.
	Of string
}

// Whoever took this many turns within about a minute goes last, whatever their
// rank: right guesses are given back to the throttle, so that nothing else bounds
// how many of one's own passwords one can have verified.
const (
	mostTurns = 20
	turnsOf   = time.Minute
)

// pool bounds how many passwords are hashed and how many wait, and with them
// the memory that hashing takes. Nothing runs in it but its callers.
type pool struct {
	queue int // how many may wait
	wait  time.Duration
	slots int
	busy  atomic.Uint64 // were told ErrBusy

	mu      sync.Mutex // guards what follows, also parties
	free    int        // slots
	waiting []*waiter  // in the order in which they came
	parties map[string]*party
	began   time.Time // when the turns began that parties count
}

// party is what all have of the pool who are counted together. There are no more
// than wait, or took a turn in twice turnsOf, which the slots bound.
type party struct {
	of     string
	places int   // in the queue
	now    turns // since pool.began
	before turns // in the time before that
}

// turns are how many somebody had, and how many of them were wrong guesses.
type turns struct{ all, wrong int }

func (y *party) lately() turns { return turns{y.now.all + y.before.all, y.now.wrong + y.before.wrong} }

// waiter is told once: nil when a slot is its own, ErrBusy when its place went
// to somebody else. Whoever tells it has taken it out of the queue.
type waiter struct {
	told chan error
	rank Rank
	*party
}

// order is below zero if w goes before v. Of equals who came first does.
func (w *waiter) order(v *waiter) int {
	return cmp.Or(cmp.Compare(v.standing(), w.standing()),
		cmp.Compare(min(w.lately().wrong, 1), min(v.lately().wrong, 1)), cmp.Compare(w.asks(), v.asks()))
}

func (w *waiter) standing() Rank {
	if w.lately().all >= mostTurns {
		return Last
	}
	return w.rank
}

// asks is how much the party had lately and asks for now.
func (w *waiter) asks() int { return w.lately().all + w.places }

func newPool(slots, queue int, wait time.Duration) *pool {
	return &pool{queue: queue, wait: wait, slots: slots, free: slots, parties: map[string]*party{}, began: time.Now()}
}

// enter waits for a slot, which is to be left. It is ErrBusy after the longest
// wait, and as soon as more wait than may, for who would go last of them.
func (p *pool) enter(ctx context.Context, at Place) (_ *party, err error) {
	defer func() {
		if errors.Is(err, ErrBusy) {
			p.busy.Add(1)
		}
	}()
	w := p.join(at)
	select {
	case err := <-w.told:
		return w.party, err
	default:
	}
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case err := <-w.told:
		return w.party, err
	case <-timer.C:
		err = ErrBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	if !p.withdraw(w) && <-w.told == nil { // at the same moment
		p.leave(w.party, false)
	}
	return nil, err
}

// Stats is how much there is to hash.
type Stats struct {
	Slots, Hashing, Waiting int
	Busy                    uint64 // that were answered ErrBusy, since New
}

// Stats may be asked at any time.
func (h *Hasher) Stats() Stats {
	p := h.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{p.slots, p.slots - p.free, len(p.waiting), p.busy.Load()}
}

// join comes to the queue. Who is there need not have a slot yet, and may have
// lost the place already.
func (p *pool) join(at Place) *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(time.Now())
	w := &waiter{make(chan error, 1), at.Rank, p.party(at.Of)}
	w.places++
	p.waiting = append(p.waiting, w)
	if p.free > 0 {
		p.free--
		p.serve()
	} else if len(p.waiting) > p.queue {
		p.tell(p.last(), ErrBusy)
	}
	return w
}

func (p *pool) party(of string) *party {
	y, ok := p.parties[of]
	if !ok {
		y = &party{of: of}
		if of != "" {
			p.parties[of] = y
		}
	}
	return y
}

// forget forgets the turns of the time before the last, and who has no others.
func (p *pool) forget(now time.Time) {
	for n := 0; n < 2 && now.Sub(p.began) > turnsOf; n++ {
		p.began = p.began.Add(turnsOf)
		for of, y := range p.parties {
			if y.before, y.now = y.now, (turns{}); y.before.all == 0 && y.places == 0 {
				delete(p.parties, of)
			}
		}
	}
	if now.Sub(p.began) > turnsOf {
		p.began = now
	}
}

// serve gives a slot to who goes first.
func (p *pool) serve() {
	w := slices.MinFunc(p.waiting, (*waiter).order) // the first of equals
	w.now.all++
	p.tell(w, nil)
}

// last is who goes last: of equals, who came last.
func (p *pool) last() *waiter {
	last := p.waiting[0]
	for _, w := range p.waiting[1:] {
		if w.order(last) >= 0 {
			last = w
		}
	}
	return last
}

// tell takes a waiter out of the queue and ends the wait.
func (p *pool) tell(w *waiter, err error) {
	p.remove(w)
	w.told <- err
}

// remove takes a waiter out of the queue, if it is there.
func (p *pool) remove(w *waiter) bool {
	i := slices.Index(p.waiting, w)
	if i < 0 {
		return false
	}
	p.waiting = slices.Delete(p.waiting, i, i+1)
	if w.places--; w.places == 0 && w.lately().all == 0 {
		delete(p.parties, w.of)
	}
	return true
}

// withdraw takes a waiter out of the queue, unless it has been told.
func (p *pool) withdraw(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.remove(w)
}

// leave hands the slot to whoever is next. y is whose it was, and wrong says that it
// was used for a wrong guess.
func (p *pool) leave(y *party, wrong bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wrong {
		y.now.wrong++
	}
	p.forget(time.Now())
	if len(p.waiting) > 0 {
		p.serve()
		return
	}
	p.free++
}
