package dbtest

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloakroom/internal/throttle"
)

// Throttle tests the store that open returns against every promise of
// throttle.Store. open is called once for each of them, and cleans up by
// t.Cleanup.
func Throttle(t *testing.T, open func(*testing.T) throttle.Store) {
	fresh := func(t *testing.T) *counting {
		return &counting{T: t, store: open(t), now: time.Date(2031, 5, 6, 7, 8, 9, 250_700_000, time.UTC)}
	}
	for _, s := range scripts {
		t.Run(s.name, func(t *testing.T) { fresh(t).play(s) })
	}
	for _, p := range []struct {
		name string
		test func(*counting)
	}{
		{"an attempt is charged to all of its buckets or to none", allOrNone},
		{"what is kept can be looked at", lookedAt},
		{"of fifty at once the last place admits one", lastPlace},
		{"of fifty at once those refused are charged nowhere", refusedAtOnce},
		{"a limit that was lowered holds at once", loweredLimit},
		{"what was given back leaves nothing", leavesNothing},
		{"a sweep forgets what is empty, up to its limit", sweeping},
		{"a context that has ended charges nothing", endedContext},
		{"it does what a bucket of tokens does", throttleModel},
	} {
		t.Run(p.name, func(t *testing.T) { p.test(fresh(t)) })
	}
}

// counting is one test of a store.
type counting struct {
	*testing.T
	store throttle.Store
	now   time.Time
}

func newBucket(burst int, every time.Duration) throttle.Bucket {
	b := throttle.Bucket{Limit: throttle.Limit{Burst: burst, Every: every}}
	_, _ = rand.Read(b.Key[:])
	return b
}

func (c *counting) take(want time.Duration, buckets ...throttle.Bucket) {
	c.Helper()
	switch wait, err := c.store.Take(c.Context(), c.now, buckets); {
	case err != nil:
		c.Fatal(err)
	case wait != want:
		c.Errorf("wait %v, want %v", wait, want)
	}
}

func (c *counting) giveBack(buckets ...throttle.Bucket) {
	c.Helper()
	if err := c.store.Return(c.Context(), c.now, buckets); err != nil {
		c.Fatal(err)
	}
}

func (c *counting) sweep(limit, want int) {
	c.Helper()
	switch n, err := c.store.Sweep(c.Context(), c.now, limit); {
	case err != nil:
		c.Fatal(err)
	case n != want:
		c.Errorf("%d buckets were swept, want %d", n, want)
	}
}

// script is what happens to one bucket.
type script struct {
	name  string
	limit throttle.Limit
	steps []step
}

// step is an attempt, some time after the step before.
type step struct {
	after time.Duration
	wait  time.Duration // the verdict
}

// returned, in place of a wait, gives an attempt back instead.
const returned time.Duration = -1

const second, ms = time.Second, time.Millisecond

var scripts = []script{
	{"a burst, then one each Every", throttle.Limit{Burst: 3, Every: second},
		[]step{{0, 0}, {0, 0}, {0, 0}, {0, second}, {999 * ms, ms}, {ms, 0}, {0, second}, {second, 0}, {0, second}}},
	{"all of the burst is there again after Burst times Every", throttle.Limit{Burst: 3, Every: second},
		[]step{{0, 0}, {0, 0}, {0, 0}, {3*second - ms, 0}, {0, 0}, {0, ms}, {ms, 0}, {3 * second, 0}, {0, 0}, {0, 0}, {0, second}}},
	{"what nobody used does not add up", throttle.Limit{Burst: 2, Every: second},
		[]step{{0, 0}, {time.Hour, 0}, {0, 0}, {0, second}}},
	{"a refusal adds nothing", throttle.Limit{Burst: 1, Every: second},
		[]step{{0, 0}, {0, second}, {0, second}, {0, second}, {600 * ms, 400 * ms}, {0, 400 * ms}, {400 * ms, 0}}},
	{"Every is whole milliseconds, rounded up", throttle.Limit{Burst: 1, Every: ms + 1},
		[]step{{0, 0}, {0, 2 * ms}, {ms, ms}, {ms, 0}}},
	{"a limit without Every has the shortest", throttle.Limit{Burst: 1},
		[]step{{0, 0}, {0, ms}, {ms, 0}, {0, ms}}},
	{"a limit without Burst admits nobody", throttle.Limit{Every: second},
		[]step{{0, second}, {second, second}}},
	{"an attempt given back is as if it had not been", throttle.Limit{Burst: 3, Every: second},
		[]step{{0, 0}, {0, 0}, {0, 0}, {500 * ms, returned}, {0, 0}, {0, 500 * ms}}},
	{"nothing is given back below empty", throttle.Limit{Burst: 2, Every: second},
		[]step{{0, returned}, {0, 0}, {0, returned}, {0, returned}, {0, 0}, {600 * ms, returned}, {0, 0}, {0, 0}, {0, second}}},
	{"a clock set back keeps nobody out for longer than it takes to run empty", throttle.Limit{Burst: 3, Every: second},
		[]step{{0, 0}, {0, 0}, {0, 0}, {-time.Hour, second}, {3 * second, 0}, {0, 0}, {0, 0}, {0, second}}},
	{"a clock set back by less than that forgives nothing", throttle.Limit{Burst: 3, Every: second},
		[]step{{0, 0}, {-ms, 0}, {0, ms}, {ms, 0}, {0, second}}},
	{"a clock set back between an attempt and its return", throttle.Limit{Burst: 3, Every: second},
		[]step{{0, 0}, {0, 0}, {0, 0}, {-time.Hour, returned}, {0, 0}, {0, second}}},
}

func (c *counting) play(s script) {
	b := newBucket(s.limit.Burst, s.limit.Every)
	for i, step := range s.steps {
		c.now = c.now.Add(step.after)
		if step.wait == returned {
			c.giveBack(b)
			continue
		}
		if wait, err := c.store.Take(c.Context(), c.now, []throttle.Bucket{b}); err != nil || wait != step.wait {
			c.Fatalf("step %d: wait %v, %v, want %v", i, wait, err, step.wait)
		}
	}
}

func allOrNone(c *counting) {
	a, b, other := newBucket(1, second), newBucket(3, 2*second), newBucket(1, second)
	c.take(0, a, b)
	for range 3 {
		c.take(second, a, b)
		c.take(second, b, a)
	}
	c.take(0, b)
	c.take(0, b)
	c.take(2*second, a, b) // the longer of the two
	c.take(2*second, b, a)
	c.take(0, other) // nobody else's
	c.giveBack(a, b)
	c.take(0, b, a)
	c.take(2*second, b, a)
}

func lookedAt(c *counting) {
	a, b := newBucket(2, second), newBucket(2, 3*second)
	c.keeps([]throttle.Bucket{a, b}, 0, 0)
	c.take(0, a)
	c.keeps([]throttle.Bucket{b, a}, 0, c.now.Add(second).UnixMilli())
	c.take(0, a, b)
	c.keeps([]throttle.Bucket{a, b}, c.now.Add(2*second).UnixMilli(), c.now.Add(3*second).UnixMilli())
	c.giveBack(a, b)
	c.keeps([]throttle.Bucket{a, b}, c.now.Add(second).UnixMilli(), 0)
}

// keeps compares what EmptyAt says.
func (c *counting) keeps(buckets []throttle.Bucket, want ...int64) {
	c.Helper()
	if got, err := c.store.EmptyAt(c.Context(), buckets); err != nil || !slices.Equal(got, want) {
		c.Errorf("kept: %v, %v, want %v", got, err, want)
	}
}

// atOnce has fifty attempts made at the same time, and returns the verdicts.
func (c *counting) atOnce(of func(i int) []throttle.Bucket) (waits [50]time.Duration) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range waits {
		all.Go(func() {
			<-start
			var err error
			if waits[i], err = c.store.Take(c.Context(), c.now, of(i)); err != nil {
				c.Error(err)
			}
		})
	}
	close(start)
	all.Wait()
	return waits
}

func lastPlace(c *counting) {
	for range 5 {
		b := newBucket(4, second)
		for range 3 {
			c.take(0, b)
		}
		var admitted atomic.Int32
		for _, wait := range c.atOnce(func(int) []throttle.Bucket { return []throttle.Bucket{b} }) {
			if wait == 0 {
				admitted.Add(1)
			} else if wait != second {
				c.Errorf("wait %v", wait)
			}
		}
		if n := admitted.Load(); n != 1 {
			c.Errorf("%d attempts got the last place", n)
		}
	}
}

func refusedAtOnce(c *counting) {
	shared := newBucket(7, second)
	var own [50]throttle.Bucket
	for i := range own {
		own[i] = newBucket(1, time.Hour)
	}
	waits := c.atOnce(func(i int) []throttle.Bucket { return []throttle.Bucket{own[i], shared} })
	admitted := 0
	for i, wait := range waits {
		if wait == 0 {
			admitted++
			c.take(time.Hour, own[i])
		} else {
			c.take(0, own[i])
		}
	}
	if admitted != shared.Limit.Burst {
		c.Errorf("%d were admitted, want %d", admitted, shared.Limit.Burst)
	}
}

func loweredLimit(c *counting) {
	b := newBucket(100, time.Minute)
	for range 100 {
		c.take(0, b)
	}
	b.Limit = throttle.Limit{Burst: 2, Every: second}
	c.take(second, b)
	c.now = c.now.Add(2 * second)
	c.take(0, b)
	c.take(0, b)
	c.take(second, b)
}

func leavesNothing(c *counting) {
	b := newBucket(3, second)
	c.take(0, b)
	c.giveBack(b)
	c.take(0, b)
	c.take(0, b)
	c.giveBack(b)
	c.now = c.now.Add(second)
	c.giveBack(b)
	c.now = c.now.Add(time.Hour)
	c.sweep(10, 0)
}

func sweeping(c *counting) {
	short, long := make([]throttle.Bucket, 600), make([]throttle.Bucket, 5)
	for i := range short {
		short[i] = newBucket(1, second)
	}
	for i := range long {
		long[i] = newBucket(1, second+ms)
	}
	c.take(0, slices.Concat(short, long)...)
	c.now = c.now.Add(second - ms)
	c.sweep(1000, 0)
	c.take(ms, short...)
	c.now = c.now.Add(ms)
	c.sweep(350, 350)
	c.sweep(350, 250)
	c.sweep(350, 0)
	c.take(0, short...)
	for _, b := range long {
		c.take(ms, b)
	}
}

func endedContext(c *counting) {
	b := newBucket(1, second)
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	if _, err := c.store.Take(ctx, c.now, []throttle.Bucket{b}); !errors.Is(err, context.Canceled) {
		c.Errorf("Take: %v", err)
	}
	c.take(0, b)
	if err := c.store.Return(ctx, c.now, []throttle.Bucket{b}); !errors.Is(err, context.Canceled) {
		c.Errorf("Return: %v", err)
	}
	c.take(second, b)
	if _, err := c.store.Sweep(ctx, c.now.Add(time.Hour), 1); !errors.Is(err, context.Canceled) {
		c.Errorf("Sweep: %v", err)
	}
}
