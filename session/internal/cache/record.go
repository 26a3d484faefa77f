package cache

import "encoding/binary"

// name is as much of a Key as the table keeps: 128 bits of a SHA-256, for which
// nobody finds another text.
type name struct {
	a uint64 // its high bits choose the home slot
	b uint32
	c uint32 // its low bits choose the shard
}

func nameOf(key *Key) name {
	return name{
		a: binary.BigEndian.Uint64(key[0:]),
		b: binary.BigEndian.Uint32(key[8:]),
		c: binary.BigEndian.Uint32(key[12:]),
	}
}

// record is what a slot of a table holds: a live session, a dead marker, or
// nothing.
type record struct {
	name
	created       int32 // of a dead marker: the second from which its age counts
	authenticated int32
	idle          int32
	absolute      int32
	ends          int32 // of the token

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

	// slackSeconds is how far a mark may lie before its shard's since.
	slackSeconds = 64
)

// visited returns the record's meta after a hit, in a shard with that since.
// A mark never goes back, whatever the order in which hits come that have read
// the clock.
//
// Once a deadline has passed a hit is no touch: the store decides then, and
// must be told of the last use before it, which a mark of now would replace.
func (r *record) visited(now, since int32, touch bool) (meta uint32) {
	meta = r.meta | visitedBit
	now = max(now, since)
	if !touch || now >= r.idle || now >= r.absolute || now >= r.ends || meta&touchedBit != 0 && markedSecond(meta, since) >= now {
		return meta
	}
	return meta&^secondMask | touchedBit | uint32(now)<<secondShift
}

// markedSecond rebuilds the second of a mark from its 9 bits. All marks are
// from since or later but that of a Get that was under way when since was set.
// So the second is exact, or earlier by a multiple of 512 seconds if the mark
// has been left for long, unless such a Get stood still for a minute.
func markedSecond(meta uint32, since int32) int32 {
	first := since - slackSeconds
	return first + int32((meta>>secondShift-uint32(first))&secondBits)
}
