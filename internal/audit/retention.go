package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"cloakroom/session"
)

// How long entries are kept.
const (
	DefaultKeep = 400 * 24 * time.Hour
	MinKeep     = 24 * time.Hour
)

const (
	sweepEvery = time.Hour
	sweepBatch = 500 // entries in one transaction, which other writes wait for
)

// RetentionConfig is what a Retention is made of. Store is required.
type RetentionConfig struct {
	Store  Store
	Keep   time.Duration    // how long entries are kept: DefaultKeep unless set, MinKeep at least
	Now    func() time.Time // time.Now unless set
	Logger *slog.Logger     // slog.Default unless set
}

// Retention deletes entries that were kept for long enough.
type Retention struct {
	cfg     RetentionConfig
	running atomic.Bool
}

// NewRetention starts nothing. A time shorter than MinKeep is session.ErrInvalid.
func NewRetention(c RetentionConfig) (*Retention, error) {
	if c.Keep == 0 {
		c.Keep = DefaultKeep
	}
	if c.Keep < MinKeep {
		return nil, fmt.Errorf("%w: entries of the audit are kept for a day at least", session.ErrInvalid)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &Retention{cfg: c}, nil
}

// Run deletes what is over when it begins and every hour after, in batches that
// leave room for other writes, until ctx ends. What could not be deleted is
// tried again.
func (r *Retention) Run(ctx context.Context) error {
	if !r.running.CompareAndSwap(false, true) {
		return errors.New("audit: Run is running already")
	}
	defer r.running.Store(false)
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := r.sweep(ctx); err != nil && ctx.Err() == nil {
			r.cfg.Logger.Warn("audit: old entries could not be deleted", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *Retention) sweep(ctx context.Context) error {
	before := r.cfg.Now().Add(-r.cfg.Keep)
	for {
		n, err := r.cfg.Store.Sweep(ctx, before, sweepBatch)
		if err != nil || n < sweepBatch {
			return err
		}
	}
}
