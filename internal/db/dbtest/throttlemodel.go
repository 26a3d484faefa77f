package dbtest

import (
	"context"
	"math/big"
	"time"

	"pgregory.net/rapid"

	"cloakroom/internal/throttle"
)

// tokens is a bucket as people think of it: Burst tokens, of which an attempt
// takes one, and a new one each Every, in exact fractions.
type tokens struct {
	throttle.Bucket
	left *big.Rat
	at   int64 // when that was left, in milliseconds

	history []event
}

// event is an attempt that was admitted (+1), or given back (-1).
type event struct {
	at    int64
	count int
}

func (k *tokens) everyMillis() int64 { return k.Limit.Every.Milliseconds() }

// now is what is left at a time, unless the clock was set back so far that it
// would be less than nothing.
func (k *tokens) now(at int64) *big.Rat {
	left := new(big.Rat).Add(k.left, big.NewRat(at-k.at, k.everyMillis()))
	if full := big.NewRat(int64(k.Limit.Burst), 1); left.Cmp(full) > 0 {
		return full
	}
	return left
}

func (k *tokens) set(at int64, left *big.Rat) { k.left, k.at = left, at }

// settle forgets when the bucket became full again: it is, also if the clock is
// set back to a time when it was not.
func (k *tokens) settle(at int64) {
	if full := big.NewRat(int64(k.Limit.Burst), 1); k.now(at).Cmp(full) == 0 {
		k.set(0, full)
	}
}

// wait is how long until there is one.
func (k *tokens) wait(at int64) time.Duration {
	missing := new(big.Rat).Sub(big.NewRat(1, 1), k.now(at))
	if missing.Sign() <= 0 {
		return 0
	}
	millis := missing.Mul(missing, big.NewRat(k.everyMillis(), 1))
	return time.Duration(millis.Num().Int64()/millis.Denom().Int64()) * time.Millisecond
}

// note adds to the history and checks the promise itself, for every stretch of
// time that ends now: no more than Burst and one each Every, those given back
// not counted.
func (k *tokens) note(t *rapid.T, at int64, count int) {
	k.history = append(k.history, event{at, count})
	sum := 0
	for i := len(k.history) - 1; i >= 0; i-- {
		sum += k.history[i].count
		if int64(sum-k.Limit.Burst)*k.everyMillis() > at-k.history[i].at {
			t.Fatalf("%d attempts in %d ms: %+v", sum, at-k.history[i].at, k.Limit)
		}
	}
}

// throttleRun is one sequence of operations.
type throttleRun struct {
	*counting
	buckets []*tokens
	charges [][]*tokens // admitted and not given back
}

// throttleModel compares the store with the model, each sequence on buckets of
// its own.
func throttleModel(c *counting) {
	rapid.Check(c.T, func(t *rapid.T) {
		r := &throttleRun{counting: c}
		for range 3 {
			b := newBucket(rapid.IntRange(1, 4).Draw(t, "burst"),
				time.Duration(rapid.IntRange(1, 5000).Draw(t, "every"))*time.Millisecond)
			r.buckets = append(r.buckets, &tokens{Bucket: b, left: big.NewRat(int64(b.Limit.Burst), 1)})
		}
		t.Repeat(map[string]func(*rapid.T){
			"advance":   r.advance,
			"set back":  r.setBack,
			"take":      r.take,
			"take 2":    r.take, // more often than the rest
			"take 3":    r.take,
			"give back": r.giveBack,
			"sweep":     r.sweepAll,
		})
	})
}

func (r *throttleRun) advance(t *rapid.T) {
	r.now = r.now.Add(time.Duration(rapid.IntRange(0, 10_000).Draw(t, "ms")) * time.Millisecond)
}

// setBack begins the histories anew, for no time has passed that could count.
func (r *throttleRun) setBack(t *rapid.T) {
	r.now = r.now.Add(-time.Duration(rapid.IntRange(1, 10_000).Draw(t, "ms")) * time.Millisecond)
	for _, k := range r.buckets {
		k.history = nil
	}
}

// take makes an attempt on one bucket or on several, and, if it is refused, once
// more after it has waited.
func (r *throttleRun) take(t *rapid.T) {
	some := rapid.Permutation(r.buckets).Draw(t, "buckets")[:rapid.IntRange(1, 3).Draw(t, "count")]
	wait := r.attempt(t, some)
	if wait == 0 {
		return
	}
	for _, early := range []time.Duration{time.Millisecond, 0} {
		r.now = r.now.Add(wait - early)
		if wait = r.attempt(t, some); wait != early {
			t.Fatalf("wait %v once more, want %v", wait, early)
		}
	}
}

func (r *throttleRun) attempt(t *rapid.T, some []*tokens) time.Duration {
	at := r.now.UnixMilli()
	var want time.Duration
	for _, k := range some {
		if k.now(at).Sign() < 0 {
			k.set(at, new(big.Rat))
		}
		want = max(want, k.wait(at))
	}
	wait, err := r.store.Take(context.Background(), r.now, bucketsOf(some))
	if err != nil || wait != want {
		t.Fatalf("wait %v, %v, want %v", wait, err, want)
	}
	if wait > 0 {
		return wait
	}
	for _, k := range some {
		left := k.now(at)
		k.set(at, left.Sub(left, big.NewRat(1, 1)))
		k.note(t, at, +1)
	}
	r.charges = append(r.charges, some)
	return 0
}

func (r *throttleRun) giveBack(t *rapid.T) {
	if len(r.charges) == 0 {
		t.Skip("nothing was charged")
	}
	i := rapid.IntRange(0, len(r.charges)-1).Draw(t, "charge")
	some := r.charges[i]
	r.charges = append(r.charges[:i:i], r.charges[i+1:]...)
	if err := r.store.Return(context.Background(), r.now, bucketsOf(some)); err != nil {
		t.Fatal(err)
	}
	at := r.now.UnixMilli()
	for _, k := range some {
		left := k.now(at)
		if left.Sign() < 0 {
			left = new(big.Rat)
		}
		k.set(at, left.Add(left, big.NewRat(1, 1)))
		k.settle(at)
		k.note(t, at, -1)
	}
}

func (r *throttleRun) sweepAll(t *rapid.T) {
	if _, err := r.store.Sweep(context.Background(), r.now, 10_000); err != nil {
		t.Fatal(err)
	}
	for _, k := range r.buckets {
		k.settle(r.now.UnixMilli())
	}
}

func bucketsOf(some []*tokens) (buckets []throttle.Bucket) {
	for _, k := range some {
		buckets = append(buckets, k.Bucket)
	}
	return buckets
}
