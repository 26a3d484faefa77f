package cache

import (
	"encoding/binary"
	"sync/atomic"
)

// slotBytes is the size of a slot: one line of the processor's cache.
const slotBytes = 64

// slot is where a record lies in a table. It holds no pointer, so that the
// garbage collector passes over the tables.
//
// Slots are written under the shard's lock, but for the marks of a hit. A Get
// reads them without it, word by word, and so may read half of one record and
// half of another: what it read counts only if the shard has not changed.
type slot struct {
	a     atomic.Uint64
	b     atomic.Uint64 // that part of the name, and when the token ends
	use   atomic.Uint64 // c and meta. That part of the name keeps a hit from marking another record that came to lie here
	begin atomic.Uint64 // created and authenticated
	end   atomic.Uint64 // idle and absolute
	whose atomic.Uint64 // cell and generation
	id    [2]atomic.Uint64
}

func join(high, low uint32) uint64 { return uint64(high)<<32 | uint64(low) }

func split(word uint64) (high, low uint32) { return uint32(word >> 32), uint32(word) }

func (p *slot) empty() bool { return uint32(p.whose.Load()) == 0 }

func (p *slot) dead() bool { return p.use.Load()&deadBit != 0 }

// holds reports whether the record that lies here has that name.
func (p *slot) holds(k name) bool {
	return p.a.Load() == k.a && uint32(p.b.Load()>>32) == k.b && uint32(p.use.Load()>>32) == k.c
}

func (p *slot) load(r *record) {
	r.a = p.a.Load()
	b, ends := split(p.b.Load())
	r.b, r.ends = b, int32(ends)
	r.c, r.meta = split(p.use.Load())
	created, authenticated := split(p.begin.Load())
	idle, absolute := split(p.end.Load())
	r.created, r.authenticated, r.idle, r.absolute = int32(created), int32(authenticated), int32(idle), int32(absolute)
	r.cell, r.generation = split(p.whose.Load())
	binary.NativeEndian.PutUint64(r.id[:8], p.id[0].Load())
	binary.NativeEndian.PutUint64(r.id[8:], p.id[1].Load())
}

func (p *slot) store(r *record) {
	p.a.Store(r.a)
	p.b.Store(join(r.b, uint32(r.ends)))
	p.use.Store(join(r.c, r.meta))
	p.begin.Store(join(uint32(r.created), uint32(r.authenticated)))
	p.end.Store(join(uint32(r.idle), uint32(r.absolute)))
	p.whose.Store(join(r.cell, r.generation))
	p.id[0].Store(binary.NativeEndian.Uint64(r.id[:8]))
	p.id[1].Store(binary.NativeEndian.Uint64(r.id[8:]))
}

// move writes into p what lies in from.
func (p *slot) move(from *slot) {
	var r record
	from.load(&r)
	p.store(&r)
}

// setMeta replaces the meta of the record that lies here.
func (p *slot) setMeta(meta uint32) { p.use.Store(p.use.Load()>>32<<32 | uint64(meta)) }

// mark replaces r's meta, if r still lies here and has not been marked since it
// was read. It needs no lock; a writer at work may overwrite it.
func (p *slot) mark(r *record, meta uint32) bool {
	return p.use.CompareAndSwap(join(r.c, r.meta), join(r.c, meta))
}

// takeTouch clears the touch mark, if there is one, and returns its second.
func (p *slot) takeTouch(since int32) (seen int32, ok bool) {
	_, meta := split(p.use.Load())
	if meta&touchedBit == 0 {
		return 0, false
	}
	p.setMeta(meta &^ touchedBit)
	return markedSecond(meta, since), true
}
