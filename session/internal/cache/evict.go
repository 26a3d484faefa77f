package cache

import "sync/atomic"

// minBytes is the least that Config.Bytes can mean: below it the fixed parts,
// a table in each shard, a block of cells and a few chunks, would be all.
const minBytes = 4 << 20

// budget counts the bytes of tables, cells and arena together.
type budget struct {
	used  atomic.Int64
	limit int64 // never changes
}

func (b *budget) add(bytes int64) { b.used.Add(bytes) }

// admits reports whether that many bytes more are within the limit.
func (b *budget) admits(bytes int64) bool { return b.used.Load()+bytes <= b.limit }

// over reports whether loads should evict more than they put.
func (b *budget) over() bool { return b.used.Load() > b.limit }

// spent reports whether identities may take no more: evicting lags behind, as
// when a few large subjects come after many small ones.
func (b *budget) spent() bool { return !b.tolerates(0) }

// tolerates reports whether that many bytes more are at most an eighth above
// the limit.
func (b *budget) tolerates(bytes int64) bool { return b.used.Load()+bytes-b.limit <= b.limit/8 }

// shardLimit bounds the bytes of one shard's table. Hashing is uneven, so each
// may have a quarter more than its share while the sum is within the limit.
func (b *budget) shardLimit() int64 { return b.limit / shardCount * 5 / 4 }

// shardTouches bounds the touches that a shard keeps of records that are gone:
// a sixteenth of its share, which is little beside the records themselves.
func (b *budget) shardTouches() int {
	return int(min(maxTouches, b.limit/shardCount/16/touchBytes))
}

// makeRoom sees to it that one more record fits into s, whose lock is held.
// Beyond the limits another goes for it, unless all are young dead markers:
// then the table grows all the same.
func (c *Cache) makeRoom(s *shard) {
	if n := s.smaller(); n != 0 && c.budget.over() {
		c.resize(s, n)
	}
	if !s.full() {
		return
	}
	n := s.larger()
	within := int64(n)*slotBytes <= c.budget.shardLimit() &&
		c.budget.admits(int64(n-len(s.slots))*slotBytes)
	if within || !c.evict(s) {
		c.resize(s, n)
	}
}

// relieve evicts a few records of s because the cache is over its budget. Every
// load does so in its own shard until identities and tables have shrunk.
func (c *Cache) relieve(s *shard, now int32) {
	const few = 4
	s.lock(now)
	defer s.unlock()
	for n := 0; n < few && c.budget.over() && c.evict(s); n++ {
	}
}

// evict removes at least one record of s, whose lock is held, and reports
// whether it could; the record's touch is kept. Dead markers that are old
// enough go first, all of them: the search is long, but after it none of the
// rest is due for a second.
func (c *Cache) evict(s *shard) bool {
	if limit := s.now - c.markerAge; s.markers > 0 && s.oldest <= limit && s.sweep(limit) {
		return true
	}
	i := s.victim()
	if i < 0 {
		return false
	}
	cell, _ := split(s.slots[i].whose.Load())
	s.keepTouch(&s.slots[i], c.budget.shardTouches())
	s.remove(i)
	c.subjects.release(cell)
	return true
}

// resize gives s, whose lock is held, a table of n slots, and counts it.
func (c *Cache) resize(s *shard, n int) {
	c.budget.add(int64(n-len(s.slots)) * slotBytes)
	s.resize(n)
}
