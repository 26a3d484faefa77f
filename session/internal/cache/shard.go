package cache

import (
	"sync"
	"sync/atomic"
)

const (
	shardCount = 256
	firstSlots = 16  // of a shard's table: an idle cache stays small
	largeSlots = 512 // 32 KiB: from here on a table is an allocation of whole pages
)

// shard is an open-addressing table with linear probing: a record stands in
// its home slot or, without an empty slot between, somewhere after it. At most
// four fifths of the slots are taken, so that every search ends.
//
// Writers hold the lock. A Get reads without it (see read) and needs the first
// half of the struct only, a line of the processor's cache that it never writes:
// two processors that check sessions do not take it from each other.
type shard struct {
	changes atomic.Uint64 // odd while a writer is at work
	table   atomic.Pointer[[]slot]
	since   atomic.Int32 // no touch mark is from an earlier second, but for that of a Get under way

	_ [64 - 20]byte

	mu sync.Mutex // guards all below, and writing what is above and in the slots

	slots   []slot  // what table points to
	count   int     // slots that are taken
	markers int     // of these, by dead markers
	hand    int     // of the clock: the slot at which eviction goes on
	oldest  int32   // no marker's age counts from an earlier second
	now     int32   // the latest that any writer has brought
	left    []touch // the touches of records that are gone

	_ [128 - 88]byte
}

// lock makes the caller the shard's writer, and brings the shard's clock
// forward. Touches and markers are stamped with it instead of a caller's own
// now, which may have waited for the lock: it never goes back and, having been
// read by somebody, is never in the future.
func (s *shard) lock(now int32) {
	s.mu.Lock()
	s.changes.Add(1)
	s.now = max(s.now, now)
}

func (s *shard) unlock() {
	s.changes.Add(1)
	s.mu.Unlock()
}

// view is a record as a Get read it.
type view struct {
	record
	place   *slot  // where it lies; nil if there is none of that name
	changes uint64 // of the shard, when it was read
	sure    bool   // that no writer was at work while it was read
}

// read finds a record, without the lock unless it meets a writer.
func (s *shard) read(k name, v *view) {
	if s.glance(k, v); !v.sure {
		s.mu.Lock()
		defer s.mu.Unlock()
		v.look(s.slots, k)
	}
}

// glance finds a record without the lock. If afterwards the shard's changes are
// what they were, and were even, no writer was at work in between: the record
// is as one of them left it, or there is none.
func (s *shard) glance(k name, v *view) {
	v.changes = s.changes.Load()
	if table := s.table.Load(); table != nil {
		v.look(*table, k)
	}
	v.sure = v.changes%2 == 0 && s.changes.Load() == v.changes
}

func (v *view) look(slots []slot, k name) {
	if v.place = find(slots, k); v.place != nil {
		v.place.load(&v.record)
	}
}

// mark writes the meta of a hit without the lock, and reports whether it stays:
// not if a writer has been at work since v was read, who may have moved the
// record or taken its marks.
func (s *shard) mark(v *view, meta uint32) bool {
	return v.sure && v.place.mark(&v.record, meta) && s.changes.Load() == v.changes
}

// markLocked marks a hit that mark could not. If the record has gone since, its
// touch is kept.
func (s *shard) markLocked(v *view, now int32, touch bool, limit int) {
	s.lock(now)
	defer s.unlock()
	place := find(s.slots, v.name)
	switch {
	case place == nil && touch:
		s.keep(&v.record, s.now, limit)
	case place != nil && !place.dead():
		var r record
		place.load(&r)
		place.setMeta(r.visited(s.now, s.since.Load(), touch))
	}
}

// home is the place of a name in a table of n, by its high half: monotonic in
// it, so it scales to any n.
func home(n int, a uint64) int { return int((a >> 32) * uint64(n) >> 32) }

// next is the place after i in a table of n.
func next(n, i int) int {
	if i++; i < n {
		return i
	}
	return 0
}

// distance counts the steps from one place to another in a table of n, round
// its end.
func distance(n, from, to int) int {
	if to >= from {
		return to - from
	}
	return to - from + n
}

// find returns the slot with the record of that name, or nil. It ends also if
// the slots are changed meanwhile.
func find(slots []slot, k name) *slot {
	if i := seek(slots, k); i >= 0 {
		return &slots[i]
	}
	return nil
}

// seek is find for the slot's number, or -1.
func seek(slots []slot, k name) int {
	i := home(len(slots), k.a)
	for range slots {
		p := &slots[i]
		if p.empty() {
			return -1
		}
		if p.holds(k) {
			return i
		}
		i = next(len(slots), i)
	}
	return -1
}

// vacancy returns the empty slot in which a search for the name would end.
func vacancy(slots []slot, a uint64) *slot {
	i := home(len(slots), a)
	for !slots[i].empty() {
		i = next(len(slots), i)
	}
	return &slots[i]
}

// add takes a slot for a name that is not there; the caller fills it before it
// lets go of the lock. There must be room.
func (s *shard) add(k name) *slot {
	s.count++
	return vacancy(s.slots, k.a)
}

// bury makes p, which may be a slot just added, the dead marker of that name.
func (s *shard) bury(p *slot, k name) {
	if !p.dead() {
		if s.markers == 0 {
			s.oldest = s.now
		}
		s.markers++
	}
	// Any generation but 0 will do: it says that the slot is taken.
	p.store(&record{name: k, created: s.now, generation: 1, meta: deadBit})
}

// remove empties slot i. Records that stood after it because it was taken move
// back, so that no search meets a hole before what it looks for. The caller
// releases the record's cell afterwards, not before.
func (s *shard) remove(i int) {
	s.count--
	if s.slots[i].dead() {
		s.markers--
	}
	n := len(s.slots)
	for j := next(n, i); !s.slots[j].empty(); j = next(n, j) {
		if distance(n, home(n, s.slots[j].a.Load()), j) >= distance(n, i, j) {
			s.slots[i].move(&s.slots[j])
			i = j
		}
	}
	s.slots[i].store(&record{})
}

// resize moves all records to a table of n slots; with 0 it forgets them. A
// shard that had no table has no touch marks, so since can be now.
func (s *shard) resize(n int) {
	old := s.slots
	s.hand = 0
	if n == 0 {
		s.slots, s.count, s.markers = nil, 0, 0
		s.table.Store(nil)
		return
	}
	if len(old) == 0 {
		s.since.Store(s.now)
	}
	slots := make([]slot, n)
	for i := range old {
		if p := &old[i]; !p.empty() {
			vacancy(slots, p.a.Load()).move(p)
		}
	}
	s.slots = slots
	s.table.Store(&slots)
}

// full reports whether one more record would fill more than four fifths.
func (s *shard) full() bool { return (s.count+1)*5 > len(s.slots)*4 }

// larger is the next number of slots: twice as many while that is little,
// then a quarter more.
func (s *shard) larger() int {
	n := len(s.slots)
	if n >= largeSlots {
		return slotsFor(n + n/4)
	}
	return slotsFor(n + 1)
}

// smaller is the number of slots that the records want, if the table is less
// than three tenths full; else 0.
func (s *shard) smaller() int {
	if len(s.slots) <= firstSlots || s.count*10 >= len(s.slots)*3 {
		return 0
	}
	return slotsFor(s.count*25/16 + 1)
}

// slotsFor is the size of a table for at least n slots: a power of two while
// it is small, then whole pages of 8 KiB, in which the runtime allocates.
func slotsFor(n int) int {
	if n > largeSlots {
		const page = 8 << 10 / slotBytes
		return (n + page - 1) / page * page
	}
	slots := firstSlots
	for slots < n {
		slots *= 2
	}
	return slots
}

// sweep removes the markers whose age counts from a second not after limit,
// and reports whether there were any.
func (s *shard) sweep(limit int32) bool {
	before := s.markers
	s.oldest = s.now
	for i := 0; i < len(s.slots); {
		p := &s.slots[i]
		if p.empty() || !p.dead() {
			i++
			continue
		}
		created, _ := split(p.begin.Load())
		if int32(created) <= limit {
			s.remove(i) // and look again: another may have moved here
			continue
		}
		s.oldest = min(s.oldest, int32(created))
		i++
	}
	return s.markers < before
}

// victim advances the clock hand to a live record that was not hit since the
// hand last passed, and returns its slot; -1 if there are only markers.
func (s *shard) victim() int {
	if s.count == s.markers {
		return -1
	}
	for ; ; s.hand = next(len(s.slots), s.hand) {
		p := &s.slots[s.hand]
		_, meta := split(p.use.Load())
		switch {
		case p.empty() || meta&deadBit != 0:
		case meta&visitedBit != 0:
			p.setMeta(meta &^ visitedBit)
		default:
			return s.hand
		}
	}
}
