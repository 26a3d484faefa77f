package cache

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// sessionOf is the number under which put has put the session.
func sessionOf(id [16]byte) int { return int(binary.BigEndian.Uint64(id[:])) }

// sameShard returns n sessions of shard 0.
func sameShard(n int) (sessions []int) {
	for i := 0; len(sessions) < n; i++ {
		if nameOf(keyOf(i)).c%shardCount == 0 {
			sessions = append(sessions, i)
		}
	}
	return sessions
}

// evictOne evicts a record of shard 0, whichever it is.
func evictOne(c *Cache) bool {
	s := &c.shards[0]
	s.lock(0)
	defer s.unlock()
	return c.evict(s)
}

// taken collects a shard: the latest touch of each session.
func taken(tb rapid.TB, c *Cache, shard int, now int32) map[int]int32 {
	tb.Helper()
	seen := map[int]int32{}
	c.TakeTouches(shard, now, func(key ShortKey, id [16]byte, at int32) {
		i := sessionOf(id)
		if k := keyOf(i); key != Short(k) || c.shard(nameOf(k)) != &c.shards[shard] {
			tb.Errorf("session %d comes under another key or shard", i)
		}
		seen[i] = max(seen[i], at)
	})
	return seen
}

// takes demands that TakeTouch finds a touch at second want, none if 0.
func takes(tb testing.TB, c *Cache, i int, want int32) {
	tb.Helper()
	id, seen, ok := c.TakeTouch(keyOf(i))
	if ok != (want != 0) || ok && (seen != want || sessionOf(id) != i) {
		tb.Errorf("session %d seen at %d, %v, want %d", i, seen, ok, want)
	}
}

func TestPeekLeavesNoTouchMark(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	get(c, keyOf(1), 5, false)
	takes(t, c, 1, 0)
	get(c, keyOf(1), 7, true)
	get(c, keyOf(1), 9, true)
	get(c, keyOf(1), 11, false)
	takes(t, c, 1, 9)
	takes(t, c, 1, 0) // the mark was cleared
}

// TestAnotherLoadKeepsTheTouchMark: a hit while a load is under way is not
// lost with the record that the load replaces.
func TestAnotherLoadKeepsTheTouchMark(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	get(c, keyOf(1), 5, true)
	put(c, 1, "a", 2, 6, never)
	get(c, keyOf(1), 7, false)
	takes(t, c, 1, 5)
}

// TestHitPastADeadlineIsNoTouch: the use before the deadline, of which the
// store has not been told, must not be replaced by one that comes too late.
func TestHitPastADeadlineIsNoTouch(t *testing.T) {
	for _, rec := range []Record{{Idle: 20, Absolute: 90, Ends: 90}, {Idle: 90, Absolute: 20, Ends: 90}, {Idle: 90, Absolute: 90, Ends: 20}} {
		c := newCache()
		c.Put(keyOf(0), rec, "a", 1, "\x01a", 0, never)
		get(c, keyOf(0), 19, true)
		if _, state := get(c, keyOf(0), 20, true); state != Live {
			t.Errorf("state %d", state)
		}
		takes(t, c, 0, 19)
	}
}

func TestTakeTouches(t *testing.T) {
	c := newCache()
	const n = 500
	for i := range n {
		put(c, i, "a", 1, 100, never)
		get(c, keyOf(i), int32(100+i%50), i%2 == 0)
	}
	c.Bury(keyOf(0), 200)
	seen := map[int]int32{}
	for shard := range Shards {
		for i, at := range taken(t, c, shard, 200) {
			seen[i] = at
		}
	}
	for i := range n {
		at, ok := seen[i]
		if want := i%2 == 0 && i != 0; ok != want || ok && at > 149 || ok && at < 100+int32(i%50) {
			t.Errorf("session %d: seen at %d, %v", i, at, ok)
		}
		takes(t, c, i, 0)
	}
}

// TestTouchThatWaited: a Get whose clock was read before a TakeTouches sets its
// mark after it. That comes out as the second at which the mark was set.
func TestTouchThatWaited(t *testing.T) {
	c := newCache()
	i := sameShard(1)[0]
	put(c, i, "a", 1, 40, never)
	c.TakeTouches(0, 100, nil)
	get(c, keyOf(i), 99, true)
	takes(t, c, i, 100)
}

// TestTakingOneTouchLeavesTheOthersTheirSecond: the marks of a shard count from
// one second, which one session's touch must not move past the others'.
func TestTakingOneTouchLeavesTheOthersTheirSecond(t *testing.T) {
	c := newCache()
	two := sameShard(2)
	for _, i := range two {
		put(c, i, "a", 1, 50, never)
		get(c, keyOf(i), 60, true)
	}
	get(c, keyOf(two[0]), 300, true)
	takes(t, c, two[0], 300)
	takes(t, c, two[1], 60)
}

func TestGrowthLeavesTouchMarksTheirSecond(t *testing.T) {
	c := newCache()
	many := sameShard(firstSlots + 1)
	put(c, many[0], "a", 1, 50, never)
	get(c, keyOf(many[0]), 60, true)
	for _, i := range many[1:] {
		put(c, i, "a", 1, 300, never)
	}
	takes(t, c, many[0], 60)
}

// TestTouchMarksCountFromTheFirstUse: also of a shard that was never collected.
func TestTouchMarksCountFromTheFirstUse(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 5000, never)
	get(c, keyOf(1), 5001, true)
	takes(t, c, 1, 5001)
}

func TestTakeTouchesHandsOutTheUseOfAnEvictedRecord(t *testing.T) {
	c := newCache()
	two := sameShard(2)
	put(c, two[0], "a", 1, 10, never)
	put(c, two[1], "a", 1, 10, never)
	get(c, keyOf(two[0]), 20, true)
	for evictOne(c) {
	}
	want(t, c, two[0], "a", 20, Miss)
	if seen := taken(t, c, 0, 30); len(seen) != 1 || seen[two[0]] != 20 {
		t.Errorf("seen %v, want session %d at 20", seen, two[0])
	}
	if seen := taken(t, c, 0, 30); len(seen) != 0 {
		t.Errorf("seen again: %v", seen)
	}
	if c.shards[0].left != nil {
		t.Error("the memory was not released")
	}
	check(t, c, 0)
}

func TestTakeTouchFindsTheUseOfAnEvictedRecord(t *testing.T) {
	c := newCache()
	three := sameShard(3)
	for _, i := range three {
		put(c, i, "a", 1, 10, never)
		get(c, keyOf(i), 20, true)
	}
	for evictOne(c) {
	}
	takes(t, c, three[1], 20)
	takes(t, c, three[1], 0)
	if seen := taken(t, c, 0, 30); len(seen) != 2 || seen[three[0]] != 20 || seen[three[2]] != 20 {
		t.Errorf("the others are %v", seen)
	}
}

// TestTakeTouchTakesTheLatest: a session may be evicted and loaded again more
// than once between two collections.
func TestTakeTouchTakesTheLatest(t *testing.T) {
	c := newCache()
	i := sameShard(1)[0]
	for _, at := range []int32{20, 30} {
		put(c, i, "a", 1, at, never)
		get(c, keyOf(i), at, true)
		evictOne(c)
	}
	put(c, i, "a", 1, 40, never)
	get(c, keyOf(i), 40, true)
	takes(t, c, i, 40)
	takes(t, c, i, 0)

	// The mark of a record that was left too long is the earlier one.
	get(c, keyOf(i), 400, true)
	evictOne(c)
	put(c, i, "a", 1, 600, never)
	get(c, keyOf(i), 600, true)
	takes(t, c, i, 400)
	takes(t, c, i, 0)
}

func TestResetKeepsTouches(t *testing.T) {
	c := newCache()
	i := sameShard(1)[0]
	put(c, i, "a", 1, 10, never)
	get(c, keyOf(i), 20, true)
	c.Reset()
	if seen := taken(t, c, 0, 30); len(seen) != 1 || seen[i] != 20 {
		t.Errorf("seen %v, want session %d at 20", seen, i)
	}
}

func TestTouchesOfEvictedRecordsAreBounded(t *testing.T) {
	for bytes, bound := range map[int64]int{minBytes: 28, 1 << 30: maxTouches} {
		c := New(Config{Bytes: bytes, MarkerAge: 2})
		for _, i := range sameShard(bound + 10) {
			put(c, i, "a", 1, 10, never)
			get(c, keyOf(i), 20, true)
			evictOne(c)
		}
		check(t, c, 0)
		if seen := taken(t, c, 0, 30); len(seen) != bound {
			t.Errorf("%d bytes: %d touches are kept, want %d", bytes, len(seen), bound)
		}
	}
}

// TestMarkIsForTheRecordThatWasRead: by the time a hit is marked, another
// record with the same meta may have come to lie in the slot.
func TestMarkIsForTheRecordThatWasRead(t *testing.T) {
	read, other := record{name: nameOf(keyOf(1)), generation: 1}, record{name: nameOf(keyOf(2)), generation: 1}
	var p slot
	p.store(&other)
	if p.mark(&read, touchedBit) {
		t.Error("another session was marked")
	}
	p.store(&read)
	if !p.mark(&read, touchedBit) || p.mark(&read, touchedBit) {
		t.Error("a record is to be marked once")
	}
}

// TestHitIsMarkedInTheTableThatGrewMeanwhile: a hit that marks what it has read
// does so where nobody looks any more, and must notice.
func TestHitIsMarkedInTheTableThatGrewMeanwhile(t *testing.T) {
	c := newCache()
	i := sameShard(1)[0]
	put(c, i, "a", 1, 0, never)
	s := &c.shards[0]
	var v view
	s.read(nameOf(keyOf(i)), &v)
	s.lock(0)
	s.resize(s.larger())
	s.unlock()
	if s.mark(&v, v.visited(5, 0, true)) {
		t.Error("I8: the mark is said to stay")
	}
	s.markLocked(&v, 5, true, 1)
	takes(t, c, i, 5)
}

// TestGlanceBesideAWriterIsNotSure: what is read while a writer is at work may
// be half of one record and half of another.
func TestGlanceBesideAWriterIsNotSure(t *testing.T) {
	c := newCache()
	i := sameShard(1)[0]
	put(c, i, "a", 1, 0, never)
	s := &c.shards[0]
	var v view
	if s.glance(nameOf(keyOf(i)), &v); !v.sure || v.place == nil {
		t.Error("nobody was at work")
	}
	s.lock(0)
	defer s.unlock()
	if s.mark(&v, v.visited(5, 0, true)) {
		t.Error("I8: a mark beside a writer is said to stay")
	}
	if s.glance(nameOf(keyOf(i)), &v); v.sure {
		t.Error("I10: a writer was at work")
	}
}

// TestMarkOfAHitThatWaited: a hit may be marked with a second from before the
// collection that went by while it stood between two steps.
func TestMarkOfAHitThatWaited(t *testing.T) {
	for _, since := range []int32{0, 40, 511, 512, 5000} {
		for _, before := range []int32{-440, 0, 1, 64} {
			second := since - before
			if got := markedSecond(uint32(second)<<secondShift, since); got != second {
				t.Errorf("a mark of second %d in a shard collected at %d is taken for %d", second, since, got)
			}
		}
	}
}

// touches is what TestTouchIsNeverLaterThanTheTruth knows of the sessions of
// one shard.
type touches struct {
	c     *Cache
	clock int32         // the real one
	last  map[int]int32 // by the clocks that were read; none without a touch
	truth map[int]int32 // by the real one
	late  map[int]bool  // touched when the shard had long not been collected
}

// read returns a clock that was read some time ago.
func (m *touches) read(t *rapid.T) int32 {
	return m.clock - rapid.SampledFrom([]int32{0, 0, 0, 1, 2, 300, 600}).Draw(t, "waited")
}

func (m *touches) touch(t *rapid.T, i int) {
	now := m.read(t)
	if _, state := get(m.c, keyOf(i), now, true); state != Live {
		put(m.c, i, "a", 1, now, never)
		get(m.c, keyOf(i), now, true)
	}
	since := m.c.shards[0].since.Load()
	m.last[i], m.truth[i] = max(m.last[i], now, since), m.clock
	m.late[i] = m.late[i] || m.last[i]-since >= 512-slackSeconds
}

// judge compares what was taken with what is known.
func (m *touches) judge(t *rapid.T, i int, seen int32, ok bool) {
	last, touched := m.last[i]
	switch {
	case ok != touched:
		t.Fatalf("session %d: mark %v, touched %v", i, ok, touched)
	case ok && seen > m.truth[i]:
		t.Fatalf("session %d: seen at %d, truly at %d", i, seen, m.truth[i])
	case ok && !m.late[i] && seen != last:
		t.Fatalf("session %d: seen at %d, last %d", i, seen, last)
	}
	delete(m.last, i)
	delete(m.late, i)
}

// TestTouchIsNeverLaterThanTheTruth: whatever the order in which clocks that
// were read reach the cache, however long marks are left, and whichever
// records are evicted meanwhile. None is lost.
func TestTouchIsNeverLaterThanTheTruth(t *testing.T) {
	sessions := sameShard(4)
	rapid.Check(t, func(t *rapid.T) {
		m := &touches{c: newCache(), last: map[int]int32{}, truth: map[int]int32{}, late: map[int]bool{}}
		m.clock = rapid.Int32Range(0, 5000).Draw(t, "clock")
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			m.clock += rapid.SampledFrom([]int32{0, 1, 20, 90, 250, 511, 512, 700, 1300}).Draw(t, "passed")
			i := rapid.SampledFrom(sessions).Draw(t, "session")
			switch rapid.SampledFrom([]string{"touch", "touch", "touch", "evict", "one", "all", "reset"}).Draw(t, "step") {
			case "touch":
				m.touch(t, i)
			case "evict":
				evictOne(m.c)
			case "reset":
				m.c.Reset()
			case "one":
				_, seen, ok := m.c.TakeTouch(keyOf(i))
				m.judge(t, i, seen, ok)
			case "all":
				seen := taken(t, m.c, 0, m.read(t))
				for _, i := range sessions {
					at, ok := seen[i]
					m.judge(t, i, at, ok)
				}
			}
		}
	})
}
