package cache

import (
	"encoding/binary"
	"slices"
)

// Shards is how many shards there are, for TakeTouches.
const Shards = shardCount

// ShortKey is as much of a Key as the cache keeps.
type ShortKey [16]byte

// Short returns what the cache keeps of the key.
func Short(key *Key) ShortKey { return ShortKey(key[:]) }

// short is the inverse of nameOf.
func (k name) short() (key ShortKey) {
	binary.BigEndian.PutUint64(key[0:], k.a)
	binary.BigEndian.PutUint32(key[8:], k.b)
	binary.BigEndian.PutUint32(key[12:], k.c)
	return key
}

const (
	touchBytes = 36
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
func (s *shard) keepTouch(p *slot, limit int) {
	if seen, ok := p.takeTouch(s.since.Load()); ok {
		var r record
		p.load(&r)
		s.keep(&r, seen, limit)
	}
}

func (s *shard) keep(r *record, seen int32, limit int) {
	if len(s.left) < limit {
		s.left = append(s.left, touch{r.short(), r.id, seen})
	}
}

// Touched is called with each touch that was taken: the second at which the
// session was last hit. It is never later than it really was; it is earlier
// if the shard had not been collected for more than 447 seconds.
type Touched func(key ShortKey, id [16]byte, seen int32)

// TakeTouches takes all touches of a shard, those of records that are gone
// first. A session that was evicted and loaded again may come more than once.
// took is called under the shard's lock and must not call the cache.
func (c *Cache) TakeTouches(shard int, now int32, took Touched) {
	s := &c.shards[shard]
	s.lock(now)
	defer s.unlock()
	for _, t := range s.left {
		took(t.key, t.id, t.seen)
	}
	s.left = nil
	var r record
	for i := range s.slots {
		if seen, ok := s.slots[i].takeTouch(s.since.Load()); ok {
			s.slots[i].load(&r)
			took(r.short(), r.id, seen)
		}
	}
	s.since.Store(s.now)
}

// TakeTouch is TakeTouches for one session: its latest touch. It takes since
// no further, as the other marks of the shard still count from it.
func (c *Cache) TakeTouch(key *Key) (id [16]byte, seen int32, ok bool) {
	k := nameOf(key)
	s := c.shard(k)
	s.lock(0)
	defer s.unlock()
	if place := find(s.slots, k); place != nil {
		var r record
		place.load(&r)
		id = r.id
		seen, ok = place.takeTouch(s.since.Load())
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
