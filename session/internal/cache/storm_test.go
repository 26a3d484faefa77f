package cache

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// workers is how many goroutines share the cache in the tests of this file.
const workers = 8

// together runs f in all workers until f returns false or the time is over,
// and look, unless nil, beside them.
func together(d time.Duration, look func(), f func(worker int, rng *rand.Rand) bool) {
	var done sync.WaitGroup
	var stop atomic.Bool
	for w := range workers {
		done.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 1))
			for !stop.Load() && f(w, rng) {
			}
		})
	}
	if look != nil {
		for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			look()
		}
	} else {
		time.AfterFunc(d, func() { stop.Store(true) })
		done.Wait()
	}
	stop.Store(true)
	done.Wait()
}

// world is a store, a feed and a clock for the storm. What a worker may see of
// a session follows from what had returned before it looked.
type world struct {
	t        *testing.T
	c        *Cache
	clock    atomic.Int32 // turned by a worker
	resets   atomic.Uint64
	subjects []stormSubject
	sessions []stormSession
	evicted  atomic.Int64 // records that were found gone, at least
}

type stormSubject struct {
	version atomic.Uint64 // in the store
	named   atomic.Uint64 // how often the ring names it
	applied atomic.Uint64 // every Drop of an older version has returned
}

// stormSession goes from token to token: the store accepts the current one.
type stormSession struct {
	token   atomic.Int64
	named   atomic.Uint64
	applied atomic.Int64  // every Bury of an earlier token has returned
	kept    atomic.Int64  // the token put last, plus one
	keptIn  atomic.Uint64 // after so many resets
}

const stormMarkerAge = 3

func newWorld(t *testing.T, subjects, sessions int) *world {
	return &world{
		t: t, c: New(Config{MarkerAge: stormMarkerAge}),
		subjects: make([]stormSubject, subjects), sessions: make([]stormSession, sessions),
	}
}

func (w *world) subjectOf(i int) (*stormSubject, string) {
	n := i % len(w.subjects)
	return &w.subjects[n], subjectName(n)
}

// tokenOf numbers a token of session i for put and peek.
func tokenOf(i int, token int64) int { return i<<32 | int(token) }

// load does as a Manager does: it notes the ring, then reads the store, then
// puts, however long that takes it.
func (w *world) load(i int, rng *rand.Rand) {
	session := &w.sessions[i]
	subject, who := w.subjectOf(i)
	token := session.token.Load()
	sent := w.clock.Load()
	resets, subjectNamed, sessionNamed := w.resets.Load(), subject.named.Load(), session.named.Load()
	version, revoked := subject.version.Load(), session.token.Load() != token
	if rng.IntN(4) == 0 {
		runtime.Gosched()
	}
	if revoked {
		w.c.Bury(keyOf(tokenOf(i, token)), w.clock.Load())
		return
	}
	if session.kept.Load() == token+1 && session.keptIn.Load() == resets && w.gone(tokenOf(i, token)) {
		w.evicted.Add(1)
	}
	ok := put(w.c, tokenOf(i, token), who, version, w.clock.Load(), func() bool {
		// A load that took longer than a marker lasts is ruled out by the ring.
		return w.resets.Load() != resets || subject.named.Load() != subjectNamed ||
			session.named.Load() != sessionNamed || w.clock.Load()-sent >= stormMarkerAge
	})
	if ok {
		session.keptIn.Store(resets)
		session.kept.Store(token + 1)
	}
}

// gone reports whether the table has no record of the token.
func (w *world) gone(token int) bool {
	k := nameOf(keyOf(token))
	s := w.c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	return find(s.slots, k) == nil
}

// revoke ends the current token. Without the feed, it is a load that has read
// the revoked row before the feed brings the news: the marker stands alone.
func (w *world) revoke(i int, feed bool) {
	session := &w.sessions[i]
	token := session.token.Load()
	if !session.token.CompareAndSwap(token, token+1) {
		return
	}
	if feed {
		session.named.Add(1)
	}
	w.c.Bury(keyOf(tokenOf(i, token)), w.clock.Load())
	raise(&session.applied, token+1)
}

// change gives the subject a new version and, by the feed, drops its cell.
func (w *world) change(i int, feed bool) {
	subject, who := w.subjectOf(i)
	version := subject.version.Add(1)
	if feed {
		subject.named.Add(1)
		w.c.Drop(who)
		raise(&subject.applied, version)
	}
}

func (w *world) look(i int, rng *rand.Rand) {
	session := &w.sessions[i]
	subject, who := w.subjectOf(i)
	applied, least := session.applied.Load(), subject.applied.Load()
	token := max(0, session.token.Load()-rng.Int64N(2))
	state, version := peek(w.t, w.c, tokenOf(i, token), who, w.clock.Load())
	if state == Live && token < applied {
		w.t.Errorf("I10: token %d of session %d is live after %d was applied", token, i, applied)
	}
	if state == Live && version < least {
		w.t.Errorf("I18: %s shows version %d, %d was applied", who, version, least)
	}
}

// take collects a whole shard or the touch of one session.
func (w *world) take(i int, one bool) {
	took := func(_ ShortKey, _ [16]byte, seen int32) {
		if now := w.clock.Load(); seen > now {
			w.t.Errorf("a touch of second %d at %d", seen, now)
		}
	}
	if !one {
		w.c.TakeTouches(i%Shards, w.clock.Load(), took)
	} else if id, seen, ok := w.c.TakeTouch(keyOf(tokenOf(i, w.sessions[i].token.Load()))); ok {
		took(ShortKey{}, id, seen)
	}
}

// raise sets a to v unless it is higher already.
func raise[T int64 | uint64](a interface {
	Load() T
	CompareAndSwap(T, T) bool
}, v T) {
	for old := a.Load(); old < v && !a.CompareAndSwap(old, v); old = a.Load() {
	}
}

// TestEverythingAtOnce is insert, delete, growth and eviction from all
// workers, with the whole cache inspected in between.
func TestEverythingAtOnce(t *testing.T) {
	w := newWorld(t, 6_000, 40_000)
	w.c.budget.limit = minBytes * 13 / 32 // so that it is reached also under the race detector on a busy machine
	var largest int64                     // of the tables together
	look := func() {
		w.clock.Add(1)
		check(t, w.c, workers)
		largest = max(largest, w.c.Stats().TableBytes)
	}
	var most atomic.Int64
	all := func(_ int, rng *rand.Rand) bool {
		i := rng.IntN(len(w.sessions))
		if rng.IntN(2) == 0 {
			i %= 500 // some are busy
		}
		switch op := rng.IntN(1000); {
		case op < 450:
			w.load(i, rng)
		case op < 500:
			w.revoke(i, op%2 == 0)
		case op < 530:
			w.change(i, op%2 == 0)
		case op < 550:
			w.take(i, op%2 == 0)
		case op < 600:
			get(w.c, keyOf(tokenOf(i, w.sessions[i].token.Load())), w.clock.Load(), true)
		case op == 999 && rng.IntN(100) == 0:
			w.resets.Add(1)
			w.c.Reset()
		default:
			w.look(i, rng)
		}
		raise(&most, w.c.budget.used.Load())
		return !t.Failed()
	}
	const grown = 2 * shardCount * firstSlots * slotBytes
	for range 20 { // once, unless the machine is slow
		together(1200*time.Millisecond, look, all)
		if largest >= grown && w.evicted.Load() > 0 {
			break
		}
	}
	check(t, w.c, 0)
	t.Logf("%+v, at most %d bytes, tables %d, %d evicted, %d resets, clock %d",
		w.c.Stats(), most.Load(), largest, w.evicted.Load(), w.resets.Load(), w.clock.Load())
	if largest < grown {
		t.Errorf("the tables grew to %d bytes, less than %d", largest, grown)
	}
	if w.evicted.Load() == 0 {
		t.Error("nothing was evicted")
	}
}

// TestGrowthLosesNothing: everything that was put is there, once, while the
// tables grow under all workers.
func TestGrowthLosesNothing(t *testing.T) {
	const each = 10_000
	c := New(Config{Bytes: 1 << 30, MarkerAge: 2})
	var grown sync.WaitGroup
	for w := range workers {
		grown.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 2))
			for i := range each {
				mine := i*workers + w
				if !put(c, mine, subjectName(mine%1000), 1, 0, never) {
					t.Errorf("token %d was not put", mine)
				}
				earlier := rng.IntN(i+1)*workers + w
				want(t, c, earlier, subjectName(earlier%1000), 0, Live)
				if t.Failed() {
					return
				}
			}
		})
	}
	grown.Wait()
	for i := range each * workers {
		if want(t, c, i, subjectName(i%1000), 0, Live); t.Failed() {
			break
		}
	}
	if st := c.Stats(); st.Records != each*workers {
		t.Errorf("%d records of %d", st.Records, each*workers)
	}
	check(t, c, 0)
}

// TestCellIsNotReusedWhileReferredByManyAtOnce lets the subjects' last records
// come and go as fast as they can, so that cells are freed and taken all the
// time while other loads stand between their two steps.
func TestCellIsNotReusedWhileReferredByManyAtOnce(t *testing.T) {
	const subjects = 6
	c := New(Config{Bytes: 64 << 20, MarkerAge: 1}) // room for all markers: nothing is evicted
	tokens := [workers]int{}
	together(800*time.Millisecond, func() { check(t, c, workers) }, func(w int, rng *rand.Rand) bool {
		subject := subjectName(rng.IntN(subjects))
		token := w<<32 | tokens[w]
		tokens[w]++
		now := int32(tokens[w] / 1000)
		named := never
		switch rng.IntN(4) {
		case 0:
			named = func() bool { runtime.Gosched(); return false }
		case 1:
			named = second()
		}
		if put(c, token, subject, 1, now, named) && rng.IntN(8) > 0 {
			want(t, c, token, subject, now, Live) // nobody else ends it
		}
		c.Bury(keyOf(token), now)
		return !t.Failed()
	})
	check(t, c, 0)
	if st := c.Stats(); st.Cells != 0 {
		t.Errorf("%+v", st)
	}
}

// TestIdentityIsNeverTorn: half of the workers change one subject again and
// again, half look at it. A hit must show the version it was put with, whole,
// and the version never falls, since nothing empties the cell.
func TestIdentityIsNeverTorn(t *testing.T) {
	c := newCache()
	var version atomic.Uint64
	put(c, 1, "a", 0, 0, never)
	put(c, 2, "a", 0, 0, never) // keeps the cell
	var shown [workers]uint64
	together(800*time.Millisecond, nil, func(w int, _ *rand.Rand) bool {
		if w%2 == 0 {
			for range 16 {
				put(c, 1, "a", version.Add(1), 0, never)
			}
			return !t.Failed()
		}
		for range 64 {
			state, v := peek(t, c, 1, "a", 0)
			if state != Live {
				continue
			}
			if v < shown[w] {
				t.Errorf("version %d after %d", v, shown[w])
			}
			shown[w] = v
		}
		return !t.Failed()
	})
	check(t, c, 0)
}

// TestIdentityIsNeverTornUpClose reads one cell as fast as can be while it is
// filled as fast as can be: the window between a generation and a blob is a
// few instructions long.
func TestIdentityIsNeverTornUpClose(t *testing.T) {
	c := newCache()
	s := &c.subjects
	var fill sync.Mutex // guards version
	var version uint64  // always the cell's generation too
	var published atomic.Uint32
	next := func() {
		fill.Lock()
		defer fill.Unlock()
		version++
		text := binary.BigEndian.AppendUint64([]byte("\x01a"), version)
		_, generation, ok := s.hold("a", version, string(text), never)
		if !ok || uint64(generation) != version {
			t.Errorf("version %d under generation %d", version, generation)
		}
		published.Store(generation)
	}
	next()
	together(2*time.Second, nil, func(w int, _ *rand.Rand) bool {
		if w%2 == 0 {
			for range 100 {
				next()
				s.release(1)
			}
			return !t.Failed()
		}
		for range 10_000 {
			generation := published.Load()
			text, ok := s.identity(1, generation)
			if ok && binary.BigEndian.Uint64([]byte(text[2:])) != uint64(generation) {
				t.Errorf("generation %d shows %x", generation, text)
			}
		}
		return !t.Failed()
	})
}

// TestReusedCellEndsWhatReferredToIt: sessions of a dropped subject stay dead
// while others' loads fill the same cell and other cells again.
func TestReusedCellEndsWhatReferredToIt(t *testing.T) {
	c := newCache()
	together(600*time.Millisecond, nil, func(w int, rng *rand.Rand) bool {
		subject := subjectName(w)
		first, second := w<<32|1, w<<32|2
		for range 8 {
			v := rng.Uint64N(1 << 20)
			c.Drop(subject)
			put(c, first, subject, v, 0, never)
			c.Drop(subject)
			put(c, second, subject, v+1, 0, never)
			want(t, c, first, subject, 0, Miss)
			want(t, c, second, subject, 0, Live)
		}
		return !t.Failed()
	})
	check(t, c, 0)
}

// TestHitIsNotForgottenBesideAWriter: a Get that was Live has left its touch,
// while the table it read is changed, moved, or emptied under it.
func TestHitIsNotForgottenBesideAWriter(t *testing.T) {
	c := newCache()
	mine := sameShard(workers * 20)
	var beside atomic.Int64
	together(1500*time.Millisecond, nil, func(w int, rng *rand.Rand) bool {
		if w%2 == 0 { // records come, move and go
			i := mine[workers+rng.IntN(len(mine)-workers)]
			put(c, i, subjectName(w), 1, 0, never)
			c.Bury(keyOf(mine[workers+rng.IntN(len(mine)-workers)]), 100)
			if rng.IntN(4) == 0 {
				evictOne(c)
			}
			if rng.IntN(64) == 0 {
				c.Reset()
			}
			return !t.Failed()
		}
		i, who := mine[w], subjectName(w)
		now := int32(beside.Add(1) % 400)
		if _, state := get(c, keyOf(i), now, true); state != Live {
			put(c, i, who, 1, now, never)
			return true
		}
		id, _, ok := c.TakeTouch(keyOf(i))
		if !ok || sessionOf(id) != i {
			t.Errorf("session %d was hit at %d and has no touch", i, now)
		}
		return !t.Failed()
	})
	check(t, c, 0)
}
