package cache

import (
	"encoding/binary"
	"iter"
	"sync/atomic"
	"unsafe"
)

const (
	chunkBytes  = 256 << 10
	headerBytes = 6 // before each blob: its owner's number (4), its length (2)

	lengthBits = 14
	offsetBits = 18
	maxBlob    = 1<<lengthBits - 1
)

// blob names a text in the arena, in one word, so that it is read and written
// in one piece: from the highest bit the chunk's number (32), the offset (18)
// and the length (14). The length is never 0, so 0 is no blob.
type blob uint64

func newBlob(chunk uint32, offset, length int) blob {
	return blob(chunk)<<32 | blob(offset)<<lengthBits | blob(length)
}

func (b blob) chunk() uint32 { return uint32(b >> 32) }
func (b blob) offset() int   { return int(b >> lengthBits & (1<<offsetBits - 1)) }
func (b blob) length() int   { return int(b & maxBlob) }

type chunk [chunkBytes]byte

// chunks lists the arena's chunks from number first on, nil where one was
// retired. The last is the newest, to which blobs are added. Numbers go up and
// do not come again (not within 2^32 chunks, a pebibyte of identities).
type chunks struct {
	first uint32
	list  []*chunk
}

// get returns a chunk, or nil if it was retired.
func (c *chunks) get(number uint32) *chunk {
	// One before first wraps to an index far out of range.
	if i := number - c.first; uint64(i) < uint64(len(c.list)) {
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
	if a.held == 0 || a.filled+size > chunkBytes {
		a.addChunk()
	}
	list := a.current.Load()
	last := len(list.list) - 1
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
		for at := 0; at+headerBytes < chunkBytes; {
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
	i := int(b.chunk() - list.first)
	a.count(i, -headerBytes-b.length())
	if a.live[i] == 0 && i < len(list.list)-1 {
		a.retire(b.chunk())
	}
}

func (a *arena) count(i, bytes int) {
	a.live[i] += bytes
	a.total += bytes
}

// worst returns the chunk that should be compacted, if any: the emptiest when
// more than a third is dead, or the oldest when the list is mostly holes. Two
// chunks are always allowed, for the part of the newest that is not filled.
func (a *arena) worst() (number uint32, ok bool) {
	list := a.current.Load()
	newest := len(list.list) - 1
	if len(list.list) > 4*a.held+16 {
		return list.first, true
	}
	if dead := a.held*chunkBytes - a.total; dead <= a.held*chunkBytes/3+2*chunkBytes {
		return 0, false
	}
	emptiest := -1
	for i, live := range a.live[:newest] {
		if list.list[i] != nil && (emptiest < 0 || live < a.live[emptiest]) {
			emptiest = i
		}
	}
	return list.first + uint32(emptiest), emptiest >= 0
}

func (a *arena) addChunk() {
	old := a.current.Load()
	longer := &chunks{first: old.first, list: make([]*chunk, len(old.list)+1)}
	copy(longer.list, old.list)
	longer.list[len(old.list)] = new(chunk)
	a.current.Store(longer)
	a.live = append(a.live, 0)
	a.filled = 0
	a.held++
	a.budget.add(chunkBytes)
}

// retire lets go of a chunk, which is not the newest and of which no cell
// names a blob. Holes at the list's beginning are cut off.
func (a *arena) retire(number uint32) {
	old := a.current.Load()
	a.count(int(number-old.first), -a.live[number-old.first])
	shorter := &chunks{first: old.first, list: make([]*chunk, len(old.list))}
	copy(shorter.list, old.list)
	shorter.list[number-old.first] = nil
	holes := 0
	for shorter.list[holes] == nil {
		holes++
	}
	shorter.first += uint32(holes)
	shorter.list = shorter.list[holes:]
	a.live = a.live[holes:]
	a.current.Store(shorter)
	a.held--
	a.budget.add(-chunkBytes)
}

// clear retires all chunks at once. No cell names a blob any more.
func (a *arena) clear() {
	old := a.current.Load()
	a.current.Store(&chunks{first: old.first + uint32(len(old.list))})
	a.budget.add(int64(-a.held) * chunkBytes)
	a.live, a.total, a.filled, a.held = nil, 0, 0, 0
}
