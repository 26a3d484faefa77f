// Package cache keeps the live sessions of one node in memory, so that a check
// is answered without the store: a flat table of 64-byte records that the
// garbage collector never scans, and beside it one cell a subject with what
// its sessions show.
//
// The cache decides nothing about time or revocation. Its caller judges
// deadlines and leases, and tells it what has ended. What it promises:
//
//   - Get is Live only for a record whose subject still has the generation the
//     record was put under, and then shows that generation's identity.
//   - After Bury, Discard, Drop or Reset has returned, no Get that starts later is Live
//     by anything they took away, and no Put brings it back that its named
//     function rules out.
//   - A dead marker is final: no Put replaces it, and it is not evicted before
//     Config.MarkerAge.
//   - An identity that was handed out never changes, also after eviction.
//   - The last touch of a session comes out of TakeTouches or TakeTouch, also
//     after its record was replaced, evicted or reset, unless it was buried or
//     more were evicted than Config.Bytes allows; never later than it was.
//   - Memory is bounded by Config.Bytes; Get allocates nothing.
//
// Only the feed calls Discard, Drop and Reset, and Bury apart from a load that has read
// a revoked row.
//
// Two kinds of locks: one in each shard, for its records, and one in subjects,
// for the cells. Whoever needs both takes the shard's first. A Get takes
// neither, unless it meets a writer.
package cache

// Key is the SHA-256 of a token's text. The table keeps and compares its first
// 16 bytes; the store compares them all.
type Key = [32]byte

// Record is what is kept of a live session. Times are seconds since the
// caller's base.
type Record struct {
	ID                                     [16]byte
	Created, Authenticated, Idle, Absolute int32
	Ends                                   int32 // of this token; at most Absolute
	Level                                  uint8 // at most 15
	Methods                                uint16
}

// State says what the cache knows of a key.
type State uint8

// The states. Miss says nothing about the session: ask the store.
const (
	Miss State = iota
	Dead
	Live
)

// Hit is a live session as Get found it.
type Hit struct {
	Record
	// Identity is what was given to Put. It aliases memory that never changes
	// and is shared: a copy that is kept keeps up to 1 MiB alive.
	Identity string
}

func (h *Hit) fill(r *record, identity string) {
	h.ID = r.id
	h.Created, h.Authenticated, h.Idle, h.Absolute = r.created, r.authenticated, r.idle, r.absolute
	h.Ends = r.ends
	h.Level, h.Methods = uint8(r.meta>>levelShift&maxLevel), uint16(r.meta)
	h.Identity = identity
}

// Config is given to New.
type Config struct {
	// Bytes bounds tables, cells and identities together, to an eighth and
	// 1 MiB more; less than 4 MiB is taken as 4 MiB. Dead markers younger than
	// MarkerAge are kept whatever the bound. Identities that callers still hold
	// after eviction are not counted, nor are the touches of evicted records:
	// until TakeTouches they take about a sixteenth of Bytes, at most 15 MiB.
	Bytes int64
	// MarkerAge is the number of seconds during which a dead marker is not
	// evicted, from the now that was given to Bury. Times are cut to the
	// second at both ends, so for a span that matters it is that span rounded
	// up, plus 1.
	MarkerAge int32
}

// Stats is what the cache holds. Bytes are those allocated.
type Stats struct {
	Records int // live ones, also those whose subject has moved on
	Dead    int // dead markers
	Cells   int // subjects

	TableBytes int64
	CellBytes  int64 // with the index by subject
	ArenaBytes int64 // identities, dead ones among them until they are compacted
}

// Cache is made by New and safe for concurrent use. In all its methods now is
// the second, since the caller's base, of a clock that was read before the
// call; it may be older than another call's, never in the future.
type Cache struct {
	shards    [shardCount]shard
	subjects  subjects
	budget    budget
	markerAge int32
}

// New returns an empty cache. It starts small and no goroutine.
func New(config Config) *Cache {
	c := &Cache{markerAge: config.MarkerAge}
	c.budget.limit = max(config.Bytes, minBytes)
	c.subjects.init(&c.budget)
	return c
}

// Get looks a session up and, if it is Live, fills in hit. It counts as activity
// if touch is set and neither deadline has passed. Whether it is Live does not
// depend on deadlines: the caller judges them.
func (c *Cache) Get(key *Key, now int32, touch bool, hit *Hit) State {
	k := nameOf(key)
	s := c.shard(k)
	var v view
	s.read(k, &v)
	switch {
	case v.place == nil:
		return Miss
	case v.meta&deadBit != 0:
		return Dead
	}
	identity, ok := c.subjects.identity(v.cell, v.generation)
	if !ok {
		return Miss
	}
	if meta := v.visited(now, s.since.Load(), touch); meta != v.meta && !s.mark(&v, meta) {
		s.markLocked(&v, now, touch, c.budget.shardTouches())
	}
	hit.fill(&v.record, identity)
	return Live
}

// Put is the end of a load: it keeps what the store answered, unless it is old
// news by now. version is that of the subject's row; identity is what a hit
// shows and begins with the length of subject in one byte and then subject.
// A touch mark that the key has is kept. Put reports whether there is now a
// record.
//
// named reports whether the feed has named the key or the subject since the
// load was sent. Put works in two steps, the subject's cell and then the
// record, and named is asked once in each, under the lock under which the step
// acts; it must not call the cache. The feed makes named true before it calls
// Bury, Discard, Drop or Reset, which take the same locks: either named is seen true
// here, or what was put is there for them to take away.
func (c *Cache) Put(key *Key, rec Record, subject string, version uint64, identity string, now int32, named func() bool) bool {
	k := nameOf(key)
	if c.budget.over() {
		c.relieve(c.shard(k), now)
	}
	// The reference that the cell step takes keeps the cell this subject's
	// until the record step has put a record there, or has not.
	cell, generation, ok := c.subjects.hold(subject, version, identity, named)
	if !ok {
		return false
	}
	r := pack(k, rec, cell, generation)
	unused, ok := c.putRecord(&r, now, named)
	if unused != 0 {
		c.subjects.release(unused)
	}
	return ok
}

// putRecord is the record step of Put. It returns the cell to which a
// reference is to be given back, 0 for none: r's own if it was not put, or
// that of the record in whose place it stands. Both are out of the table by
// then, which is what release asks for.
func (c *Cache) putRecord(r *record, now int32, named func() bool) (unused uint32, ok bool) {
	s := c.shard(r.name)
	s.lock(now)
	defer s.unlock()
	if named() {
		return r.cell, false
	}
	place := find(s.slots, r.name)
	switch {
	case place == nil:
		c.makeRoom(s)
		place = s.add(r.name)
	case place.dead():
		return r.cell, false
	default:
		_, meta := split(place.use.Load())
		unused, _ = split(place.whose.Load())
		r.meta |= meta & (visitedBit | touchedBit | secondMask)
	}
	place.store(r)
	return unused, true
}

// Bury puts a dead marker for the key, whatever was there. It counts from now
// how long the marker must stay, so now is read after the news of the end.
func (c *Cache) Bury(key *Key, now int32) {
	if cell := c.bury(nameOf(key), now); cell != 0 {
		c.subjects.release(cell)
	}
}

// bury returns the cell that the record in whose place the marker stands
// referred to, or 0.
func (c *Cache) bury(k name, now int32) (unused uint32) {
	s := c.shard(k)
	s.lock(now)
	defer s.unlock()
	place := find(s.slots, k)
	if place == nil {
		c.makeRoom(s)
		place = s.add(k)
	}
	unused, _ = split(place.whose.Load())
	s.bury(place, k)
	return unused
}

// Discard forgets what is kept of the key, but for its touch: its session goes on,
// and the token under other terms, which the store knows. A dead marker stays. A Put
// that is under way is stopped by its named function.
func (c *Cache) Discard(key *Key, now int32) {
	if cell := c.discard(nameOf(key), now); cell != 0 {
		c.subjects.release(cell)
	}
}

// discard returns the cell that the record referred to, or 0.
func (c *Cache) discard(k name, now int32) (unused uint32) {
	s := c.shard(k)
	s.lock(now)
	defer s.unlock()
	i := seek(s.slots, k)
	if i < 0 || s.slots[i].dead() {
		return 0
	}
	unused, _ = split(s.slots[i].whose.Load())
	s.keepTouch(&s.slots[i], c.budget.shardTouches())
	s.remove(i)
	return unused
}

// Drop ends all records of the subject at once: its cell becomes empty under
// the next generation. The records go when they are replaced or evicted.
func (c *Cache) Drop(subject string) { c.subjects.drop(subject) }

// Reset forgets everything but touches, dead markers too: the sessions may live
// on in the store. A Put that is under way is stopped by its named function.
//
// The cells go first, in one step, so that no load sent after the Reset finds
// a cell from before it with the same version and keeps it: versions of
// another incarnation of the store mean something else.
func (c *Cache) Reset() {
	c.subjects.dropAll()
	for i := range c.shards {
		old := c.clear(&c.shards[i])
		for j := range old {
			if cell, _ := split(old[j].whose.Load()); cell != 0 {
				c.subjects.release(cell)
			}
		}
	}
}

// clear empties the shard and returns what was its table.
func (c *Cache) clear(s *shard) []slot {
	s.lock(0)
	defer s.unlock()
	old := s.slots
	for i := range old {
		s.keepTouch(&old[i], c.budget.shardTouches())
	}
	c.resize(s, 0)
	return old
}

// Stats counts what the cache holds, shard by shard: a figure, not a snapshot.
func (c *Cache) Stats() Stats {
	var st Stats
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		st.Records += s.count - s.markers
		st.Dead += s.markers
		st.TableBytes += int64(len(s.slots)) * slotBytes
		s.mu.Unlock()
	}
	c.subjects.stats(&st)
	return st
}

func (c *Cache) shard(k name) *shard { return &c.shards[k.c%shardCount] }

// pack lays rec out as it is kept: unvisited and without a touch mark.
func pack(k name, rec Record, cell, generation uint32) record {
	return record{
		name:    k,
		created: rec.Created, authenticated: rec.Authenticated, idle: rec.Idle, absolute: rec.Absolute,
		ends: rec.Ends,
		cell: cell, generation: generation,
		id:   rec.ID,
		meta: uint32(rec.Methods) | uint32(min(rec.Level, maxLevel))<<levelShift,
	}
}
