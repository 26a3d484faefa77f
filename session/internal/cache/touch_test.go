package cache

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

func TestPeekLeavesNoTouchMark(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	c.Get(keyOf(1), 5, false)
	if _, ok := c.TakeTouch(keyOf(1), 0); ok {
		t.Error("touched")
	}
	if hit, _ := c.Get(keyOf(1), 7, true); !hit.First {
		t.Error("not the first touch")
	}
	if hit, _ := c.Get(keyOf(1), 9, true); hit.First {
		t.Error("the first touch again")
	}
	c.Get(keyOf(1), 11, false)
	if seen, ok := c.TakeTouch(keyOf(1), 7); !ok || seen != 9 {
		t.Errorf("seen at %d, %v", seen, ok)
	}
	if _, ok := c.TakeTouch(keyOf(1), 7); ok {
		t.Error("the mark was not cleared")
	}
	if hit, _ := c.Get(keyOf(1), 12, true); !hit.First {
		t.Error("not first after TakeTouch")
	}
}

// TestAnotherLoadKeepsTheTouchMark: a hit while a load is under way is not
// lost with the record that the load replaces.
func TestAnotherLoadKeepsTheTouchMark(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	c.Get(keyOf(1), 5, true)
	put(c, 1, "a", 2, 6, never)
	if hit, _ := c.Get(keyOf(1), 6, false); hit.First {
		t.Error("first")
	}
	if seen, ok := c.TakeTouch(keyOf(1), 5); !ok || seen != 5 {
		t.Errorf("seen at %d, %v", seen, ok)
	}
	c.Put(keyOf(1), Record{}, "a", 2, identityOf("a", 2), 8, true, never)
	if seen, ok := c.TakeTouch(keyOf(1), 8); !ok || seen != 8 {
		t.Errorf("seen at %d, %v", seen, ok)
	}
}

// TestTouchIsNeverLaterThanTheTruth: whatever the order in which clocks that
// were read reach the cache, and however long a mark is left.
func TestTouchIsNeverLaterThanTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCache()
		put(c, 1, "a", 1, 0, never)
		clock := rapid.Int32Range(0, 5000).Draw(t, "clock")
		var first, last int32 // of the window, by the real clock for last
		touched, stale := false, false
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			clock += rapid.Int32Range(0, 90).Draw(t, "passed")
			if rapid.IntRange(0, 5).Draw(t, "take") > 0 {
				now := clock - rapid.SampledFrom([]int32{0, 0, 0, 1, 2, 300, 600}).Draw(t, "waited")
				hit, _ := c.Get(keyOf(1), now, true)
				if hit.First == touched {
					t.Fatalf("first is %v, touched %v", hit.First, touched)
				}
				stale = stale || now != clock
				if hit.First {
					first, touched, stale = now, true, now != clock
				}
				last = clock
				continue
			}
			seen, ok := c.TakeTouch(keyOf(1), first)
			switch {
			case ok != touched:
				t.Fatalf("mark %v, touched %v", ok, touched)
			case ok && (seen > last || seen < first):
				t.Fatalf("seen at %d, first %d, last %d", seen, first, last)
			case ok && !stale && last-first < 512 && seen != last:
				t.Fatalf("seen at %d, last %d", seen, last)
			}
			touched = false
		}
	})
}

// TestHitPastADeadlineIsNoTouch: the use before the deadline, of which the
// store has not been told, must not be replaced by one that comes too late.
func TestHitPastADeadlineIsNoTouch(t *testing.T) {
	for _, rec := range []Record{{Idle: 20, Absolute: 90}, {Idle: 90, Absolute: 20}} {
		c := newCache()
		c.Put(keyOf(1), rec, "a", 1, "\x01a", 0, false, never)
		c.Get(keyOf(1), 19, true)
		if hit, state := c.Get(keyOf(1), 20, true); state != Live || hit.First {
			t.Errorf("state %d, first %v", state, hit.First)
		}
		if seen, ok := c.TakeTouch(keyOf(1), 19); !ok || seen != 19 {
			t.Errorf("seen at %d, %v", seen, ok)
		}
	}
}

func TestTakeTouches(t *testing.T) {
	c := newCache()
	const n = 500
	for i := range n {
		put(c, i, "a", 1, 100, never)
		c.Get(keyOf(i), int32(100+i%50), i%2 == 0)
	}
	c.Bury(keyOf(0), 200)
	seen := map[uint64]int32{}
	for shard := range Shards {
		c.TakeTouches(shard, 100, func(key ShortKey, id [16]byte, at int32) {
			i := binary.BigEndian.Uint64(id[:])
			if k := keyOf(int(i)); key != Short(k) || ShardOf(k) != shard {
				t.Errorf("session %d comes under another key or shard", i)
			}
			seen[i] = at
		})
	}
	for i := range uint64(n) {
		at, ok := seen[i]
		if want := i%2 == 0 && i != 0; ok != want || ok && at > 149 || ok && at < 100+int32(i%50) {
			t.Errorf("session %d: seen at %d, %v", i, at, ok)
		}
		if _, _, ok := c.TakeTouchOf(keyOf(int(i)), 100); ok {
			t.Errorf("the mark of session %d was not cleared", i)
		}
	}
}

// TestTouchThatWaitedIsNotInTheFuture: a Get whose clock was read before the
// marks were taken sets one after it, of a second before since.
func TestTouchThatWaitedIsNotInTheFuture(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 90, never)
	c.TakeTouches(ShardOf(keyOf(1)), 40, nil) // at 100
	c.Get(keyOf(1), 99, true)
	id, seen, ok := c.TakeTouchOf(keyOf(1), 100)
	if !ok || seen != 99 || binary.BigEndian.Uint64(id[:]) != 1 {
		t.Errorf("seen at %d, %v", seen, ok)
	}
}
