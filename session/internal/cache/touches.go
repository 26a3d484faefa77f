package cache

import (
	"encoding/binary"
	"slices"
)

// Shards is how many shards there are, for TakeTouches.
const Shards = shardCount

// ShortKey is as much of a Key as the cache keeps.
type ShortKey [20]byte

// Short returns what the cache keeps of the key.
func Short(key *Key) ShortKey { return ShortKey(key[:]) }

// short is the inverse of nameOf.
func (r *record) short() (key ShortKey) {
	binary.BigEndian.PutUint64(key[0:], r.a)
	binary.BigEndian.PutUint64(key[8:], r.b)
	binary.BigEndian.PutUint32(key[16:], r.c)
	return key
}

const (
	touchBytes = 40
	// maxTouches bounds shard.left. A touch beyond it is forgotten, which only
	// shortens a session's life.
	maxTouches = 1024
)

// touch is what is kept of a record that is gone and was touched: the session
// lives on in the store, which has not been told of its use.
type touch struct {
	key  ShortKey
	id   [16]byte
	seen int32
}

// keepTouch keeps the touch of a record that is about to go, if it has a mark
// and there are fewer than limit.
func (s *shard) keepTouch(r *record, limit int) {
	if seen, ok := r.takeTouch(s.since); ok && len(s.left) < limit {
		s.left = append(s.left, touch{r.short(), r.id, seen})
	}
}

// Touched is called with each touch that was taken: the second at which the
// session was last hit. It is never later than it really was; it is earlier
// if the shard had not been collected for more than 511 seconds.
type Touched func(key ShortKey, id [16]byte, seen int32)

// TakeTouches takes all touches of a shard, those of records that are gone
// first. A session that was evicted and loaded again may come more than once.
// took is called under the shard's lock and must not call the cache.
func (c *Cache) TakeTouches(shard int, now int32, took Touched) {
	s := &c.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
	for _, t := range s.left {
		took(t.key, t.id, t.seen)
	}
	s.left = nil
	for i := range s.slots {
		r := &s.slots[i]
		if seen, ok := r.takeTouch(s.since); ok {
			took(r.short(), r.id, seen)
		}
	}
	s.since = s.now
}

// TakeTouch is TakeTouches for one session: its latest touch. It takes since
// no further, as the other marks of the shard still count from it.
func (c *Cache) TakeTouch(key *Key) (id [16]byte, seen int32, ok bool) {
	k := nameOf(key)
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.find(k); r != nil {
		id = r.id
		seen, ok = r.takeTouch(s.since)
	}
	short := Short(key)
	s.left = slices.DeleteFunc(s.left, func(t touch) bool {
		if t.key == short && (!ok || t.seen > seen) {
			id, seen, ok = t.id, t.seen, true
		}
		return t.key == short
	})
	return id, seen, ok
}
