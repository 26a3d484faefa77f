package cache

// index finds the cell of a subject by the hash of its name. Its parts, chosen
// by the highest bits of a hash, grow one at a time: no load waits until a
// million entries have moved. All is guarded by subjects.mu.
type index [64]part

// part is an open-addressing table with linear probing, at most three quarters
// full. An entry is the low half of a hash, by which it is placed, and the
// cell's number, which is never 0. There are no pointers, so that the garbage
// collector passes over it.
type part struct {
	entries []uint64
	count   int
}

const (
	entryBytes   = 8
	firstEntries = 8 // of a part: an idle cache stays small
)

func (x *index) of(hash uint64) *part { return &x[hash>>58] }

func entryOf(hash uint64, number uint32) uint64 { return join(uint32(hash), number) }

// cells yields the numbers of the cells whose hash may be that one: the caller
// compares the whole of it.
func (p *part) cells(hash uint64) func(yield func(number uint32) bool) {
	return func(yield func(number uint32) bool) {
		if len(p.entries) == 0 {
			return
		}
		for i := home(len(p.entries), entryOf(hash, 0)); p.entries[i] != 0; i = next(len(p.entries), i) {
			if low, number := split(p.entries[i]); low == uint32(hash) && !yield(number) {
				return
			}
		}
	}
}

// add makes the cell known, which is not, and returns by how many bytes the
// part has grown.
func (p *part) add(hash uint64, number uint32) (grown int64) {
	if p.count++; p.count*4 > len(p.entries)*3 {
		old := p.entries
		p.entries = make([]uint64, max(2*len(old), firstEntries))
		for _, entry := range old {
			if entry != 0 {
				p.place(entry)
			}
		}
		grown = int64(len(p.entries)-len(old)) * entryBytes
	}
	p.place(entryOf(hash, number))
	return grown
}

// place puts an entry where a search for it would end.
func (p *part) place(entry uint64) {
	i := home(len(p.entries), entry)
	for p.entries[i] != 0 {
		i = next(len(p.entries), i)
	}
	p.entries[i] = entry
}

// remove forgets the cell, which is known. Entries that stood after it because
// its place was taken move back, so that no search meets a hole before what it
// looks for.
func (p *part) remove(hash uint64, number uint32) {
	n := len(p.entries)
	i := home(n, entryOf(hash, number))
	for p.entries[i] != entryOf(hash, number) {
		i = next(n, i)
	}
	p.count--
	for j := next(n, i); p.entries[j] != 0; j = next(n, j) {
		if distance(n, home(n, p.entries[j]), j) >= distance(n, i, j) {
			p.entries[i] = p.entries[j]
			i = j
		}
	}
	p.entries[i] = 0
}
