package cache

import "encoding/binary"

// Shards is how many shards there are, for TakeTouches.
const Shards = shardCount

// ShortKey is as much of a Key as the cache keeps.
type ShortKey [20]byte

// Short returns what the cache keeps of the key.
func Short(key *Key) ShortKey { return ShortKey(key[:]) }

// ShardOf returns the shard in which a session's touch mark lies.
func ShardOf(key *Key) int { return int(nameOf(key).c % shardCount) }

// Touched is called with each session whose touch mark was taken: the second
// at which it was last hit, never later than it really was.
type Touched func(key ShortKey, id [16]byte, seen int32)

// TakeTouches reads and clears all touch marks of a shard. since is a second
// before which none of them was set: the time of the last call for this shard.
// A mark that is left for more than 511 seconds comes out earlier than the
// truth. took is called under the shard's lock and must not call the cache.
func (c *Cache) TakeTouches(shard int, since int32, took Touched) {
	s := &c.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.slots {
		r := &s.slots[i]
		if r.empty() || r.dead() {
			continue
		}
		if seen, ok := r.takeTouch(since, s.now); ok {
			took(r.short(), r.id, seen)
		}
	}
}

// TakeTouchOf is TakeTouches for one session.
func (c *Cache) TakeTouchOf(key *Key, since int32) (id [16]byte, seen int32, ok bool) {
	k := nameOf(key)
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(k)
	if r == nil || r.dead() {
		return [16]byte{}, 0, false
	}
	seen, ok = r.takeTouch(since, s.now)
	return r.id, seen, ok
}

// short is the inverse of nameOf.
func (r *record) short() (key ShortKey) {
	binary.BigEndian.PutUint64(key[0:], r.a)
	binary.BigEndian.PutUint64(key[8:], r.b)
	binary.BigEndian.PutUint32(key[16:], r.c)
	return key
}
