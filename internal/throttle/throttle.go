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
//   - Everybody else shares those of the account and of their network, with
//     IPv6 also that of the wider network around it, and all must admit the
//     attempt. If one does not, none is charged: a network that is refused does
//     not fill up the account, nor the other way round. A known device whose own
//     is full is one of these.
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
	"slices"
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
	// Wide is for each IPv6 /48, of which one customer may hold all 65,536
	// networks: 600 at once, then one each 400 ms.
	Wide Limit
	// Device is for each known device of an account: 10 at once, then one a
	// minute.
	Device Limit
	// Act is for what people change of their own accounts without a password: 30
	// at once, then one a minute.
	Act Limit
	// Now is the clock: time.Now.
	Now func() time.Time
}

// Throttle counts attempts. It is safe for concurrent use and starts nothing.
type Throttle struct{ cfg Config }

// New returns a Throttle.
func New(cfg Config) *Throttle {
	cfg.Account = cfg.Account.or(Limit{10, time.Minute})
	cfg.Network = cfg.Network.or(Limit{60, 4 * time.Second})
	cfg.Wide = cfg.Wide.or(Limit{600, 400 * time.Millisecond})
	cfg.Device = cfg.Device.or(Limit{10, time.Minute})
	cfg.Act = cfg.Act.or(Limit{30, time.Minute})
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

// Standing says who goes first where not all can be looked at. It does not
// depend on whether there is an account.
type Standing uint8

const (
	Charged  Standing = iota // a stranger whose network has guessed of late
	Stranger                 // one whose network has not
	Known                    // a known device
)

// Claim is an attempt that would be admitted, and is not counted yet.
type Claim struct {
	throttle *Throttle
	buckets  []Bucket
	networks int // how many of them, the first ones, are a stranger's network's
	standing Standing
	of       string
}

// Standing is that of who makes the attempt.
func (c Claim) Standing() Standing { return c.standing }

// Of names who makes the attempt, as far as nobody can have many names: the
// account that the device is known to, since whoever knows the password can make
// any number of devices known, or the widest network that one customer may hold.
func (c Claim) Of() string { return c.of }

// Look refuses an attempt that cannot be admitted now with an *Error. It counts
// nothing and waits for no writer: so a flood of attempts that are refused costs
// reads. The claim is to be counted before anything is hashed. A known device
// that was guessed on too often, by whoever copied it, counts as a stranger.
func (t *Throttle) Look(ctx context.Context, a Attempt) (Claim, error) {
	c, err := t.claim(ctx, a)
	if err != nil {
		return Claim{}, fmt.Errorf("look a device up: %w", err)
	}
	err = t.look(ctx, &c)
	if c.standing == Known && errors.Is(err, ErrThrottled) {
		c = t.stranger(a)
		err = t.look(ctx, &c)
	}
	if err != nil {
		return Claim{}, err
	}
	return c, nil
}

// look refuses a claim, or notes whether its network has guessed of late.
func (t *Throttle) look(ctx context.Context, c *Claim) error {
	before, err := t.cfg.Store.EmptyAt(ctx, c.buckets)
	if err != nil {
		return fmt.Errorf("look an attempt up: %w", err)
	}
	now := t.cfg.Now()
	after, wait := Admit(now, c.buckets, before)
	if wait > 0 && slices.Equal(before, after) { // what has to be kept is for Count to see
		return &Error{RetryAfter: wait}
	}
	if c.standing == Stranger && slices.ContainsFunc(before[:c.networks], func(emptyAt int64) bool { return emptyAt > now.UnixMilli() }) {
		c.standing = Charged
	}
	return nil
}

// Count counts the attempt, or refuses it with an *Error, which counts nothing:
// others may have been counted since it was looked at.
func (c Claim) Count(ctx context.Context) (*Charge, error) {
	switch wait, err := c.throttle.cfg.Store.Take(ctx, c.throttle.cfg.Now(), c.buckets); {
	case err != nil:
		return nil, fmt.Errorf("count an attempt: %w", err)
	case wait > 0:
		return nil, &Error{RetryAfter: wait}
	}
	return &Charge{throttle: c.throttle, buckets: c.buckets}, nil
}

// Take looks at an attempt and counts it.
// What it asks of the store does not depend on whether there is an account.
func (t *Throttle) Take(ctx context.Context, a Attempt) (*Charge, error) {
	c, err := t.Look(ctx, a)
	if err != nil {
		return nil, err
	}
	return c.Count(ctx)
}

// claim finds what an attempt is counted in: first, for a stranger, the bucket
// of the network.
func (t *Throttle) claim(ctx context.Context, a Attempt) (Claim, error) {
	if a.Device != (Device{}) {
		hash := a.Device.Hash()
		known, err := t.cfg.Devices.Known(ctx, a.Account, hash)
		if err != nil {
			return Claim{}, err
		}
		if known {
			own := Bucket{keyOf("device", string(hash[:])+a.Account), t.cfg.Device}
			return Claim{throttle: t, buckets: []Bucket{own}, standing: Known, of: a.Account}, nil
		}
	}
	return t.stranger(a), nil
}

// stranger is the claim of somebody whom nothing is known of.
func (t *Throttle) stranger(a Attempt) Claim {
	buckets := []Bucket{{keyOf("network", network(a.Address)), t.cfg.Network}}
	if wide, ok := wideNetwork(a.Address); ok {
		buckets = append(buckets, Bucket{keyOf("wide network", wide), t.cfg.Wide})
	}
	networks, of := len(buckets), string(buckets[len(buckets)-1].Key[:])
	if a.Email != "" {
		buckets = append(buckets, Bucket{keyOf("account", a.Email), t.cfg.Account})
	}
	return Claim{throttle: t, buckets: buckets, networks: networks, standing: Stranger, of: of}
}

// Act counts a change of one's own account, or refuses it with an *Error: each is
// an entry of the record.
func (t *Throttle) Act(ctx context.Context, account string) error {
	buckets := []Bucket{{keyOf("act", account), t.cfg.Act}}
	switch wait, err := t.cfg.Store.Take(ctx, t.cfg.Now(), buckets); {
	case err != nil:
		return fmt.Errorf("count an act: %w", err)
	case wait > 0:
		return &Error{RetryAfter: wait}
	}
	return nil
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
// since: whoever made it may have gone. Only the first call does anything, also if it
// failed. A failure is for the log and no reason to refuse anybody: what was not
// given back runs out like a wrong guess.
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
