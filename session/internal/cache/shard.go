package cache

import "sync"

const (
	shardCount = 256
	firstSlots = 16  // of a shard's table: an idle cache stays small
	largeSlots = 512 // 32 KiB: from here on a table is an allocation of whole pages
)

// shard is an open-addressing table with linear probing: a record stands in
// its home slot or, without an empty slot between, somewhere after it. At most
// four fifths of the slots are taken, so that every search ends. Its size is
// that of two lines of the processor's cache, so that neighbours do not disturb
// each other; a Get needs the first only.
type shard struct {
	mu sync.Mutex // guards all below

	slots   []record
	count   int   // slots that are taken
	markers int   // of these, by dead markers
	hand    int   // of the clock: the slot at which eviction goes on
	oldest  int32 // no marker's age counts from an earlier second
	now     int32 // the latest that any call has brought

	since int32   // no touch mark is from an earlier second
	left  []touch // the touches of records that are gone

	_ [128 - 96]byte
}

// advance brings the shard's clock forward. Touches and markers are stamped
// with it instead of a caller's own now, which may have waited for the lock:
// it never goes back and, having been read by somebody, is never in the future.
func (s *shard) advance(now int32) { s.now = max(s.now, now) }

// home is monotonic in the name, so it scales to any number of slots.
func (s *shard) home(a uint64) int { return int((a >> 32) * uint64(len(s.slots)) >> 32) }

func (s *shard) next(i int) int {
	if i++; i < len(s.slots) {
		return i
	}
	return 0
}

// find returns the record of that name, or nil.
func (s *shard) find(k name) *record {
	if len(s.slots) == 0 {
		return nil
	}
	for i := s.home(k.a); ; i = s.next(i) {
		r := &s.slots[i]
		if r.empty() {
			return nil
		}
		if r.a == k.a && r.b == k.b && r.c == k.c {
			return r
		}
	}
}

// vacancy returns the empty slot in which a search for the name would end.
func (s *shard) vacancy(a uint64) *record {
	i := s.home(a)
	for !s.slots[i].empty() {
		i = s.next(i)
	}
	return &s.slots[i]
}

// add takes a slot for a name that is not there; the caller fills it before it
// lets go of the lock. There must be room.
func (s *shard) add(k name) *record {
	s.count++
	return s.vacancy(k.a)
}

// mark makes r, which may be a slot just added, the dead marker of that name.
func (s *shard) mark(r *record, k name) {
	if !r.dead() {
		if s.markers == 0 {
			s.oldest = s.now
		}
		s.markers++
	}
	// Any generation but 0 will do: it says that the slot is taken.
	*r = record{a: k.a, b: k.b, c: k.c, created: s.now, generation: 1, meta: deadBit}
}

// remove empties slot i. Records that stood after it because it was taken move
// back, so that no search meets a hole before what it looks for. The caller
// releases the record's cell afterwards, not before.
func (s *shard) remove(i int) {
	s.count--
	if s.slots[i].dead() {
		s.markers--
	}
	for j := s.next(i); !s.slots[j].empty(); j = s.next(j) {
		if s.distance(s.home(s.slots[j].a), j) >= s.distance(i, j) {
			s.slots[i] = s.slots[j]
			i = j
		}
	}
	s.slots[i] = record{}
}

// distance counts the steps from one slot to another, round the end.
func (s *shard) distance(from, to int) int {
	if to >= from {
		return to - from
	}
	return to - from + len(s.slots)
}

// resize moves all records to a table of n slots; with 0 it forgets them. A
// shard that had no table has no touch marks, so since can be now.
func (s *shard) resize(n int) {
	old := s.slots
	s.hand = 0
	if n == 0 {
		s.slots, s.count, s.markers = nil, 0, 0
		return
	}
	if len(old) == 0 {
		s.since = s.now
	}
	s.slots = make([]record, n)
	for i := range old {
		if !old[i].empty() {
			*s.vacancy(old[i].a) = old[i]
		}
	}
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
		const page = 8 << 10 / recordBytes
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
		r := &s.slots[i]
		if r.empty() || !r.dead() {
			i++
			continue
		}
		if r.created <= limit {
			s.remove(i) // and look again: another may have moved here
			continue
		}
		s.oldest = min(s.oldest, r.created)
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
	for ; ; s.hand = s.next(s.hand) {
		r := &s.slots[s.hand]
		switch {
		case r.empty() || r.dead():
		case r.meta&visitedBit != 0:
			r.meta &^= visitedBit
		default:
			return s.hand
		}
	}
}
