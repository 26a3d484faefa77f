package cache

import (
	"encoding/binary"
	"iter"
	"sync/atomic"
	"unsafe"
)

const (
	smallChunk  = 256 << 10
	largeChunk  = 1 << 20
	smallChunks = 64 // from so many on, new ones are large if there is room: the collector's work goes by their number
	headerBytes = 6  // before each blob: its owner's number (4), its length (2)

	lengthBits = 14
	offsetBits = 20
	chunkBits  = 30
	maxBlob    = 1<<lengthBits - 1
)

// blob names a text in the arena, in one word, so that it is read and written
// in one piece: from the highest bit the chunk's number (30), the offset (20)
// and the length (14). The length is never 0, so 0 is no blob.
type blob uint64

func newBlob(chunk uint32, offset, length int) blob {
	return blob(chunk)<<(offsetBits+lengthBits) | blob(offset)<<lengthBits | blob(length)
}

func (b blob) chunk() uint32 { return uint32(b >> (offsetBits + lengthBits)) }
func (b blob) offset() int   { return int(b >> lengthBits & (1<<offsetBits - 1)) }
func (b blob) length() int   { return int(b & maxBlob) }

// chunks lists the arena's chunks from number first on, nil where one was
// retired. The last is the newest, to which blobs are added. Numbers go up; one
// comes again after 2^30 chunks, when nobody has kept it for so long.
type chunks struct {
	first uint32
	list  [][]byte
}

// place is where in the list a chunk stands or stood: one from before first is
// far out of range.
func (c *chunks) place(number uint32) int { return int((number - c.first) & (1<<chunkBits - 1)) }

// get returns a chunk, or nil if it was retired.
func (c *chunks) get(number uint32) []byte {
	if i := c.place(number); i < len(c.list) {
		return c.list[i]
	}
	return nil
}

// arena holds texts that never change and have no pointers, in chunks that the
// garbage collector frees once they are retired and nobody shows a text in
// them. All is guarded by subjects.mu, but text needs no lock.
type arena struct {
	current atomic.Pointer[chunks] // replaced, never changed

	live   []int // bytes of each chunk in current.list that a cell names, headers too
	total  int   // the sum of live
	filled int   // bytes of the newest chunk that are taken
	held   int   // chunks that are not retired
	bytes  int   // what those take
	budget *budget
}

func (a *arena) init(b *budget) {
	a.budget = b
	a.current.Store(&chunks{})
}

// text returns the blob's text; false if its chunk was retired. A blob that a
// cell names was written before the cell named it, and its chunk was listed
// before.
func (a *arena) text(b blob) (string, bool) {
	c := a.current.Load().get(b.chunk())
	if c == nil {
		return "", false
	}
	return unsafe.String(&c[b.offset()], b.length()), true
}

// put copies a text, which has at least one and at most maxBlob bytes, for the
// cell that will name it.
func (a *arena) put(owner uint32, text string) blob {
	size := headerBytes + len(text)
	list := a.current.Load()
	last := len(list.list) - 1
	if last < 0 || a.filled+size > len(list.list[last]) {
		list = a.addChunk()
		last = len(list.list) - 1
	}
	to := list.list[last][a.filled : a.filled+size]
	binary.LittleEndian.PutUint32(to, owner)
	binary.LittleEndian.PutUint16(to[4:], uint16(len(text)))
	copy(to[headerBytes:], text)
	b := newBlob(list.first+uint32(last), a.filled+headerBytes, len(text))
	a.filled += size
	a.count(last, size)
	return b
}

// blobs yields everything that was ever put into a chunk, and for whom.
func (a *arena) blobs(number uint32) iter.Seq2[blob, uint32] {
	c := a.current.Load().get(number)
	return func(yield func(blob, uint32) bool) {
		for at := 0; at+headerBytes < len(c); {
			owner := binary.LittleEndian.Uint32(c[at:])
			length := int(binary.LittleEndian.Uint16(c[at+4:]))
			if length == 0 {
				return // the rest was never filled
			}
			if !yield(newBlob(number, at+headerBytes, length), owner) {
				return
			}
			at += headerBytes + length
		}
	}
}

// discard counts a blob as dead.
func (a *arena) discard(b blob) {
	list := a.current.Load()
	i := list.place(b.chunk())
	a.count(i, -headerBytes-b.length())
	if a.live[i] == 0 && i < len(list.list)-1 {
		a.retire(b.chunk())
	}
}

func (a *arena) count(i, bytes int) {
	a.live[i] += bytes
	a.total += bytes
}

// worst returns the chunk that should be compacted, if any: the one with the
// least part alive when more than a third of all is dead, or the oldest when
// the list is mostly holes. Two chunks are always allowed, for the part of the
// newest that is not filled.
func (a *arena) worst() (number uint32, ok bool) {
	list := a.current.Load()
	newest := len(list.list) - 1
	if len(list.list) > 4*a.held+16 {
		return list.first, true
	}
	if newest < 0 || a.bytes-a.total <= a.bytes/3+2*len(list.list[newest]) {
		return 0, false
	}
	emptiest, least := -1, 1.0
	for i, c := range list.list[:newest] {
		if c == nil {
			continue
		}
		if part := float64(a.live[i]) / float64(len(c)); part < least {
			emptiest, least = i, part
		}
	}
	return list.first + uint32(emptiest), emptiest >= 0
}

func (a *arena) addChunk() *chunks {
	size := smallChunk
	if a.held >= smallChunks && a.budget.tolerates(largeChunk) {
		size = largeChunk
	}
	old := a.current.Load()
	longer := &chunks{first: old.first, list: make([][]byte, len(old.list)+1)}
	copy(longer.list, old.list)
	longer.list[len(old.list)] = make([]byte, size)
	a.current.Store(longer)
	a.live = append(a.live, 0)
	a.filled = 0
	a.hold(1, size)
	return longer
}

// hold counts chunks that were added, or let go of if n is negative.
func (a *arena) hold(n, bytes int) {
	a.held += n
	a.bytes += bytes
	a.budget.add(int64(bytes))
}

// retire lets go of a chunk, which is not the newest and of which no cell
// names a blob. Holes at the list's beginning are cut off.
func (a *arena) retire(number uint32) {
	old := a.current.Load()
	i := old.place(number)
	a.count(i, -a.live[i])
	a.hold(-1, -len(old.list[i]))
	shorter := &chunks{first: old.first, list: make([][]byte, len(old.list))}
	copy(shorter.list, old.list)
	shorter.list[i] = nil
	holes := 0
	for shorter.list[holes] == nil {
		holes++
	}
	shorter.first += uint32(holes)
	shorter.list = shorter.list[holes:]
	a.live = a.live[holes:]
	a.current.Store(shorter)
}

// clear retires all chunks at once. No cell names a blob any more.
func (a *arena) clear() {
	old := a.current.Load()
	a.current.Store(&chunks{first: old.first + uint32(len(old.list))})
	a.hold(-a.held, -a.bytes)
	a.live, a.total, a.filled = nil, 0, 0
}
