package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// How refused attempts become entries. A flood, whatever it is made of, adds at
// most 2,000 entries in an hour (maxAtOnce, then one every entryEvery) and, for
// each of the few events, one every quietFor; and it holds a few megabytes of
// memory.
const (
	flushEvery = 10 * time.Second
	quietFor   = 10 * time.Minute // between two entries of a kind
	maxAtOnce  = 1000             // entries, but for those of Other
	entryEvery = time.Hour / 1000 // after these
	maxLast    = 100              // beside these, when Run ends
	maxFresh   = 1000             // kinds that are new between two flushes
	maxAppend  = 200              // entries in one transaction
	lastFlush  = 5 * time.Second
)

// RefusalsConfig is what Refusals are made of. Store is required.
type RefusalsConfig struct {
	Store  Store
	Now    func() time.Time // time.Now unless set
	Logger *slog.Logger     // slog.Default unless set
}

// Refusals counts refused attempts in memory and writes what they come to.
//
// Attempts are of one kind if they agree in event, reason, subject and the
// network they come from. A kind is written at the next flush when it is new,
// and then as often as every ten minutes, with the number of attempts since.
// What is beyond the bounds is counted too: of IPv6 by the wider network that one
// customer may hold, and what is beyond this by event only, under the reason
// Other. So all attempts are in the record once, but not what each was like.
// Only a kill loses any, those of the last ten minutes at most, or a store that
// is still broken when Run ends.
type Refusals struct {
	store  Store
	now    func() time.Time
	logger *slog.Logger

	running atomic.Bool
	owed    []Entry // taken out of counts and not yet written; Run's own

	mu     sync.Mutex
	counts counts // guarded by mu
}

// NewRefusals starts nothing: what is added is written while Run is running.
func NewRefusals(c RefusalsConfig) *Refusals {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &Refusals{store: c.Store, now: c.Now, logger: c.Logger, counts: newCounts(c.Now())}
}

// Add counts one attempt, or Entry.Count of them. It neither waits nor fails: an
// entry that is not of a refused attempt is a mistake of the caller's, which is
// logged.
func (r *Refusals) Add(e Entry) {
	ready, err := e.Prepare(r.now())
	if err != nil || !e.Event.Refusal() {
		r.logger.Error("audit: this is no refused attempt, and is not counted", "event", e.Event, "reason", e.Reason)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.add(ready)
}

// Run writes what was added until ctx ends, and then the rest. It should outlive
// the last request, and the store should outlive it. An error says how many
// attempts the record will never show.
func (r *Refusals) Run(ctx context.Context) error {
	if !r.running.CompareAndSwap(false, true) {
		return errors.New("audit: Run is running already")
	}
	defer r.running.Store(false)
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := r.flush(ctx, r.due); err != nil && ctx.Err() == nil {
				r.logger.Warn("audit: refused attempts could not be written; they are kept", "error", err)
			}
		case <-ctx.Done():
			return r.finish(ctx)
		}
	}
}

func (r *Refusals) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFlush)
	defer cancel()
	if err := r.flush(ctx, r.rest); err != nil {
		return fmt.Errorf("audit: %d refused attempts are lost: %w", r.unwritten(), err)
	}
	return nil
}

// flush writes what is owed from before, and then what take takes out of the
// counts. Until a write has succeeded nothing more is taken out, so that a store
// that is broken makes nothing grow.
func (r *Refusals) flush(ctx context.Context, take func() []Entry) error {
	if err := r.pay(ctx); err != nil {
		return err
	}
	r.owed = take()
	return r.pay(ctx)
}

// pay writes what is owed. If the store does not know whether it has written
// something, that is written again: the record may then show it twice.
func (r *Refusals) pay(ctx context.Context) error {
	for len(r.owed) > 0 {
		some := r.owed[:min(len(r.owed), maxAppend)]
		if err := r.store.Append(ctx, some); err != nil {
			return err
		}
		r.owed = r.owed[len(some):]
	}
	return nil
}

func (r *Refusals) due() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts.take(r.now(), false)
}

func (r *Refusals) rest() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts.take(r.now(), true)
}

func (r *Refusals) unwritten() (attempts int) {
	for _, e := range r.owed {
		attempts += e.Count
	}
	for _, e := range r.rest() {
		attempts += e.Count
	}
	return attempts
}
