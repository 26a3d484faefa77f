// Package throttle bounds how often a secret is guessed that people chose or can
// pass on: a password, wherever it is asked for, and a one-time link.
//
// An attempt is counted before anything is hashed, so that a thousand at the
// same time cannot all pass before the first was found wrong, and is given back
// if it was right. It is counted in buckets:
//
//   - A known device, a browser that signed in to this account before, has only
//     its own. So nobody who floods the account, or the network that its owner
//     is in, keeps the owner out.
//   - Everybody else shares two, the account's and their network's, and both
//     must admit the attempt. If one does not, neither is charged: a network
//     that is refused does not fill up the account, nor the other way round.
//
// The account's bucket is that of the address that was typed, whether or not
// there is such an account: nothing here tells the two apart.
//
// There is no lasting lock-out. A refusal adds nothing, and waiting for as long
// as it says ends it.
package throttle

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"
)

// ErrThrottled means that there were too many attempts. It is always an *Error.
// Any other error of this package is an outage: nothing is known about the
// attempt, so it must not pass.
var ErrThrottled = errors.New("too many attempts")

// Error is a refusal that says when it ends.
type Error struct {
	// RetryAfter is after how long the attempt would be admitted, if nobody
	// else makes one: more than zero, in whole milliseconds.
	RetryAfter time.Duration
}

func (e *Error) Error() string { return fmt.Sprintf("%v: try again in %v", ErrThrottled, e.RetryAfter) }
func (e *Error) Unwrap() error { return ErrThrottled }

// Config says how much is admitted. A zero field means the default beside it,
// also within a Limit.
type Config struct {
	Store   Store   // required
	Devices Devices // required

	// Account is for each address that is typed: 10 at once, then one a minute.
	Account Limit
	// Network is for each IPv4 address or IPv6 /64: 60 at once, then one each
	// 4 s. It is wide because people share networks, and still ends the
	// spraying of one password over many accounts.
	Network Limit
	// Device is for each known device of an account: 10 at once, then one a
	// minute.
	Device Limit
	// Now is the clock: time.Now.
	Now func() time.Time
}

// Throttle counts attempts. It is safe for concurrent use and starts nothing.
type Throttle struct{ cfg Config }

// New returns a Throttle.
func New(cfg Config) *Throttle {
	cfg.Account = cfg.Account.or(Limit{10, time.Minute})
	cfg.Network = cfg.Network.or(Limit{60, 4 * time.Second})
	cfg.Device = cfg.Device.or(Limit{10, time.Minute})
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Throttle{cfg}
}

// or is l with the default in each field that says nothing. What is below zero
// says nothing either: no mistake in a configuration turns the throttle off.
func (l Limit) or(fallback Limit) Limit {
	if l.Burst <= 0 {
		l.Burst = fallback.Burst
	}
	if l.Every <= 0 {
		l.Every = fallback.Every
	}
	return l
}

// Attempt is one guess, before anybody knows whether it is right.
type Attempt struct {
	// Email is the address that was typed, in its canonical form, whether or
	// not an account has it. It is "" where none was typed, as with a one-time
	// link, or what was typed is no address: then the network alone decides.
	Email string
	// Account is the id of the account with this address, or "".
	Account string
	// Address is the client's. Those whose address is not known, with the zero
	// Addr, count as one network.
	Address netip.Addr
	// Device is what the browser presented, or the zero Device.
	Device Device
}

// Take counts an attempt, or refuses it with an *Error, which counts nothing.
// What it asks of the store does not depend on whether there is an account.
func (t *Throttle) Take(ctx context.Context, a Attempt) (*Charge, error) {
	buckets, err := t.buckets(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("look a device up: %w", err)
	}
	switch wait, err := t.cfg.Store.Take(ctx, t.cfg.Now(), buckets); {
	case err != nil:
		return nil, fmt.Errorf("count an attempt: %w", err)
	case wait > 0:
		return nil, &Error{RetryAfter: wait}
	}
	return &Charge{throttle: t, buckets: buckets}, nil
}

// buckets are what an attempt is counted in.
func (t *Throttle) buckets(ctx context.Context, a Attempt) ([]Bucket, error) {
	if a.Device != (Device{}) {
		hash := a.Device.Hash()
		known, err := t.cfg.Devices.Known(ctx, a.Account, hash)
		if err != nil {
			return nil, err
		}
		if known {
			return []Bucket{{keyOf("device", string(hash[:])+a.Account), t.cfg.Device}}, nil
		}
	}
	buckets := []Bucket{{keyOf("network", network(a.Address)), t.cfg.Network}}
	if a.Email != "" {
		buckets = append(buckets, Bucket{keyOf("account", a.Email), t.cfg.Account})
	}
	return buckets, nil
}

// Sweep forgets up to limit buckets that are empty, and says how many. Nothing
// depends on it but the size of the table.
func (t *Throttle) Sweep(ctx context.Context, limit int) (int, error) {
	n, err := t.cfg.Store.Sweep(ctx, t.cfg.Now(), limit)
	if err != nil {
		return n, fmt.Errorf("sweep the throttle: %w", err)
	}
	return n, nil
}

// Charge is an attempt that was admitted and counted.
type Charge struct {
	throttle *Throttle
	buckets  []Bucket
	returned atomic.Bool
}

// returnTime bounds how long giving back may take of a caller.
const returnTime = 2 * time.Second

// Return gives the attempt back, because it was right, also if ctx has ended
// since: whoever made it may have gone. Only the first call does anything, also if it failed. A failure is for the log and no reason to refuse
// anybody: what was not given back runs out like a wrong guess.
//
// It is to follow soon after. Of the guesses of any time, as many as were right
// and still under way when it began can come on top of the limit: a bucket that
// would have been empty without them does not know, and gives all of them back.
func (c *Charge) Return(ctx context.Context) error {
	if c.returned.Swap(true) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnTime)
	defer cancel()
	if err := c.throttle.cfg.Store.Return(ctx, c.throttle.cfg.Now(), c.buckets); err != nil {
		return fmt.Errorf("give an attempt back: %w", err)
	}
	return nil
}
