package cache

import "encoding/binary"

// name is as much of a Key as the table keeps: 160 bits of a SHA-256, which
// nobody can make collide.
type name struct {
	a, b uint64 // a's high bits choose the home slot
	c    uint32 // its low bits choose the shard
}

func nameOf(key *Key) name {
	return name{
		a: binary.BigEndian.Uint64(key[0:]),
		b: binary.BigEndian.Uint64(key[8:]),
		c: binary.BigEndian.Uint32(key[16:]),
	}
}

// recordBytes is the size of a record: one line of the processor's cache.
const recordBytes = 64

// record is one slot of a shard's table, guarded by the shard's lock: a live
// session, a dead marker, or nothing. It holds no pointer, so that the garbage
// collector passes over the tables.
type record struct {
	a, b uint64 // the name; embedding it would pad the record past 64 bytes
	c    uint32

	created       int32 // of a dead marker: the second from which its age counts
	authenticated int32
	idle          int32
	absolute      int32

	cell       uint32 // 0 for a dead marker, which refers to no subject
	generation uint32 // of the cell when the record was put; 0 for an empty slot only

	id   [16]byte
	meta uint32
}

// The layout of record.meta, from the lowest bit: methods 16, level 4, three
// flags, and the low 9 bits of the second of the last touch.
const (
	levelShift  = 16
	maxLevel    = 15
	visitedBit  = 1 << 20 // hit since the clock hand passed
	deadBit     = 1 << 21
	touchedBit  = 1 << 22 // touched, and not taken since
	secondShift = 23
	secondBits  = 1<<9 - 1
	secondMask  = secondBits << secondShift
)

func (r *record) empty() bool { return r.generation == 0 }

func (r *record) dead() bool { return r.meta&deadBit != 0 }

func (r *record) unpack() Record {
	return Record{
		ID:      r.id,
		Created: r.created, Authenticated: r.authenticated, Idle: r.idle, Absolute: r.absolute,
		Level:   uint8(r.meta >> levelShift & maxLevel),
		Methods: uint16(r.meta),
	}
}

// visit marks a hit. The record's line is written only if that changes
// something.
//
// Once a deadline has passed a hit is no touch: the store decides then, and
// must be told of the last use before it, which a mark of now would replace.
func (r *record) visit(now int32, touch bool) {
	if r.meta&visitedBit == 0 {
		r.meta |= visitedBit
	}
	if touch && now < r.idle && now < r.absolute {
		r.touch(now)
	}
}

// touch marks the session as seen at now, which must be the shard's now: no
// mark is from before the shard's since then, whatever the caller's clock.
func (r *record) touch(now int32) {
	marked := r.meta&^secondMask | touchedBit | uint32(now)<<secondShift
	if marked != r.meta {
		r.meta = marked
	}
}

// takeTouch clears the touch mark and rebuilds its second: the first not before
// since that ends in its 9 bits. The mark is from since or later, so that
// second is not later than the mark's, and is the mark's within 511 seconds.
func (r *record) takeTouch(since int32) (seen int32, ok bool) {
	if r.meta&touchedBit == 0 {
		return 0, false
	}
	r.meta &^= touchedBit
	return since + int32((r.meta>>secondShift-uint32(since))&secondBits), true
}
