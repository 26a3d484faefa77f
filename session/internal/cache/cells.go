package cache

import (
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
)

const (
	blockCells = 16384
	cellBytes  = 32
	blockBytes = blockCells * cellBytes

	// wornOut is the generation at which a cell is not filled again, so that
	// none ever repeats: what is left is for emptying it once more.
	wornOut = math.MaxUint32 - 1
)

// cell is what the records of one subject have in common. Any number of
// records refer to it, each by its number and the generation that it had when
// the record was put; a record under another generation is not live.
//
// generation and blob are written under subjects.mu, generation always first,
// and read without it. The rest is read and written under subjects.mu.
type cell struct {
	generation atomic.Uint32
	refs       uint32        // records that refer to it, and loads about to put one
	version    uint64        // of the subject's row, if filled
	blob       atomic.Uint64 // a blob, the identity; 0 while empty
	hash       uint64        // of the subject; of a free cell, the number of the next free one
}

func (c *cell) filled() bool { return c.blob.Load() != 0 }

type block [blockCells]cell

// subjects are the cells, one a subject, and the arena with their identities.
type subjects struct {
	mu     sync.Mutex // guards all below but what is atomic, which is written under it
	seed   maphash.Seed
	index  index
	used   int    // cells that the index has
	free   uint32 // the first of the free cells, 0 for none
	made   uint32 // cells ever made, numbered from 1
	arena  arena
	budget *budget
	blocks atomic.Pointer[[]*block] // a block never moves; the list is replaced to add one
}

func (s *subjects) init(b *budget) {
	s.seed = maphash.MakeSeed()
	s.budget = b
	s.arena.init(b)
	s.blocks.Store(&[]*block{})
}

// at returns a cell that was made. It needs no lock.
func (s *subjects) at(number uint32) *cell {
	return &(*s.blocks.Load())[number/blockCells][number%blockCells]
}

// identity returns what the cell shows, if it still has that generation. It
// takes no lock: by now the cell may be another subject's, which has another
// generation.
//
// A writer changes the generation before the blob. So whoever has read a blob
// and then still finds the old generation has read the old one's blob; reading
// the generation only before the blob would show one subject's change, or the
// next generation's sessions, to a record that ended with it.
func (s *subjects) identity(number, generation uint32) (string, bool) {
	c := s.at(number)
	for c.generation.Load() == generation {
		b := blob(c.blob.Load())
		text, ok := s.arena.text(b)
		if c.generation.Load() != generation || b == 0 {
			return "", false
		}
		if ok {
			return text, true
		}
		// Compaction moved the blob after it was read and has let go of the
		// chunk since; by now the cell names the copy.
	}
	return "", false
}

// hold is the cell step of a load. Unless the subject was named, or its cell
// knows better than the load, it returns the subject's cell, filled, with its
// generation and a reference taken: until that is released the cell is no
// other subject's.
func (s *subjects) hold(subject string, version uint64, identity string, named func() bool) (number, generation uint32, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if named() {
		return 0, 0, false
	}
	hash := maphash.String(s.seed, subject)
	if number = s.find(hash); number == 0 {
		number = s.take(hash)
	}
	c := s.at(number)
	c.refs++
	if !s.bring(c, number, subject, version, identity) {
		s.letGo(c, number)
		return 0, 0, false
	}
	return number, c.generation.Load(), true
}

// find returns the cell in use for that hash, or 0.
func (s *subjects) find(hash uint64) uint32 {
	for number := range s.index.of(hash).cells(hash) {
		if s.at(number).hash == hash {
			return number
		}
	}
	return 0
}

// bring sees to it that the cell shows that version of the subject, and
// reports whether it does. A row older than the cell is refused, so that reads
// do not go back; so is a subject whose hash is another's, because a cell
// shows one identity.
func (s *subjects) bring(c *cell, number uint32, subject string, version uint64, identity string) bool {
	if c.filled() {
		text, _ := s.arena.text(blob(c.blob.Load()))
		if subjectOf(text) != subject || version < c.version {
			return false
		}
		if version == c.version {
			return true
		}
	}
	generation := c.generation.Load()
	if generation >= wornOut || len(identity) > maxBlob || s.budget.spent() {
		return false
	}
	old := blob(c.blob.Load())
	c.generation.Store(generation + 1)
	c.blob.Store(uint64(s.arena.put(number, identity)))
	c.version = version
	s.discard(old)
	return true
}

// subjectOf returns the subject with which an identity begins.
func subjectOf(identity string) string { return identity[1 : 1+int(identity[0])] }

// empty takes the cell's identity away, and with it the life of all records
// that refer to it.
func (s *subjects) empty(c *cell) {
	old := blob(c.blob.Load())
	if old == 0 {
		return // no record has the generation of an empty cell
	}
	c.generation.Add(1)
	c.blob.Store(0)
	c.version = 0
	s.discard(old)
}

func (s *subjects) drop(subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Should the cell be another subject's with the same hash, that one's
	// sessions are loaded again: a cost, no harm.
	if number := s.find(maphash.String(s.seed, subject)); number != 0 {
		s.empty(s.at(number))
	}
}

func (s *subjects) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for number := uint32(1); number <= s.made; number++ {
		if c := s.at(number); c.filled() {
			c.generation.Add(1)
			c.blob.Store(0)
			c.version = 0
		}
	}
	s.arena.clear()
}

// release gives a reference back. The record that had it must be gone from the
// table: the cell may be another subject's at once.
func (s *subjects) release(number uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letGo(s.at(number), number)
}

// letGo gives a reference back and frees the cell with the last.
func (s *subjects) letGo(c *cell, number uint32) {
	if c.refs--; c.refs > 0 {
		return
	}
	s.index.of(c.hash).remove(c.hash, number)
	s.used--
	s.empty(c)
	if c.generation.Load() < wornOut {
		c.hash = uint64(s.free)
		s.free = number
	}
}

// take returns an empty cell for the hash: a free one, which keeps counting
// its generations from where it was, or else a new one.
func (s *subjects) take(hash uint64) uint32 {
	number := s.free
	if number != 0 {
		s.free = uint32(s.at(number).hash)
	} else {
		s.made++
		number = s.made
		if blocks := *s.blocks.Load(); int(number/blockCells) == len(blocks) {
			s.addBlock(blocks)
		}
	}
	s.at(number).hash = hash
	s.budget.add(s.index.of(hash).add(hash, number))
	s.used++
	return number
}

func (s *subjects) addBlock(blocks []*block) {
	longer := make([]*block, len(blocks)+1)
	copy(longer, blocks)
	longer[len(blocks)] = new(block)
	s.blocks.Store(&longer)
	s.budget.add(blockBytes)
}

// discard gives up a blob that no cell names any more, if it is one, and
// compacts the arena when too much of it is dead: the cells whose blobs stand
// in the worst chunk are turned to copies in the newest. Whoever still shows
// the old chunk's text keeps that chunk alive.
func (s *subjects) discard(old blob) {
	if old != 0 {
		s.arena.discard(old)
	}
	chunk, ok := s.arena.worst()
	if !ok {
		return
	}
	for b, owner := range s.arena.blobs(chunk) {
		if c := s.at(owner); c.blob.Load() == uint64(b) {
			text, _ := s.arena.text(b)
			c.blob.Store(uint64(s.arena.put(owner, text)))
		}
	}
	s.arena.retire(chunk)
}

func (s *subjects) stats(st *Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Cells = s.used
	st.CellBytes = int64(len(*s.blocks.Load())) * blockBytes
	for i := range s.index {
		st.CellBytes += int64(len(s.index[i].entries)) * entryBytes
	}
	st.ArenaBytes = int64(s.arena.bytes)
}
