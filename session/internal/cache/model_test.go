package cache

import (
	"testing"

	"pgregory.net/rapid"
)

// model is the cache as plain maps, without eviction.
type model struct {
	records map[int]*modelRecord
	cells   map[string]*modelCell
	lives   int // counts fillings of cells
	clocks  map[*shard]int32
	left    map[int]int32 // touches of records that a reset took
}

type modelRecord struct {
	dead    bool
	subject string
	life    int // the filling of the cell it was put under
	version uint64
	touched bool
	last    int32 // by the shard's clock
}

type modelCell struct {
	life    int // 0 while empty
	version uint64
}

func newModel() *model {
	return &model{records: map[int]*modelRecord{}, cells: map[string]*modelCell{}, clocks: map[*shard]int32{}, left: map[int]int32{}}
}

// settle forgets the cells to which nothing refers.
func (m *model) settle() {
	referred := map[string]bool{}
	for _, r := range m.records {
		referred[r.subject] = referred[r.subject] || !r.dead
	}
	for subject := range m.cells {
		if !referred[subject] {
			delete(m.cells, subject)
		}
	}
}

// put says whether a Put that is named at a step (1, 2, or 0 for never) puts.
func (m *model) put(i int, subject string, version uint64, namedAt int) bool {
	defer m.settle()
	if namedAt == 1 {
		return false
	}
	c := m.cells[subject]
	if c == nil {
		c = &modelCell{}
		m.cells[subject] = c
	}
	if c.life != 0 && c.version > version {
		return false
	}
	if c.life == 0 || c.version < version {
		m.lives++
		*c = modelCell{life: m.lives, version: version}
	}
	r := m.records[i]
	if namedAt == 2 || r != nil && r.dead {
		return false
	}
	next := &modelRecord{subject: subject, life: c.life, version: version}
	if r != nil {
		next.touched, next.last = r.touched, r.last
	}
	m.records[i] = next
	return true
}

func (m *model) bury(i int) {
	m.records[i] = &modelRecord{dead: true}
	m.settle()
}

func (m *model) discard(i int) {
	r := m.records[i]
	if r == nil || r.dead {
		return
	}
	if r.touched {
		m.left[i] = r.last
	}
	delete(m.records, i)
	m.settle()
}

func (m *model) drop(subject string) {
	if c := m.cells[subject]; c != nil {
		*c = modelCell{}
	}
}

func (m *model) reset() {
	for i, r := range m.records {
		if r.touched {
			m.left[i] = r.last
		}
	}
	clear(m.records)
	clear(m.cells)
}

// take returns the second of the last touch.
func (m *model) take(i int) (last int32, ok bool) {
	last, ok = m.left[i]
	delete(m.left, i)
	if r := m.records[i]; r != nil && r.touched {
		r.touched = false
		return r.last, true
	}
	return last, ok
}

func (m *model) state(i int) (State, uint64) {
	r := m.records[i]
	switch {
	case r == nil:
		return Miss, 0
	case r.dead:
		return Dead, 0
	case m.cells[r.subject].life == r.life:
		return Live, r.version
	}
	return Miss, 0
}

// TestCacheAgainstModel draws operations on few sessions of fewer subjects.
func TestCacheAgainstModel(t *testing.T) {
	const sessions, people = 12, 4
	rapid.Check(t, func(rt *rapid.T) {
		c, m := newCache(), newModel()
		clock := int32(0)
		draw := func(rt *rapid.T) (i int, subject string, now int32) {
			i = rapid.IntRange(0, sessions-1).Draw(rt, "session")
			clock += rapid.Int32Range(0, 40).Draw(rt, "passed")
			now = clock - rapid.Int32Range(0, 2).Draw(rt, "waited")
			s := c.shard(nameOf(keyOf(i)))
			m.clocks[s] = max(m.clocks[s], now)
			return i, subjectName(i % people), now
		}
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				i, subject, now := draw(rt)
				version := rapid.Uint64Range(0, 9).Draw(rt, "version")
				at := rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(rt, "named at")
				calls := 0
				named := func() bool { calls++; return calls == at }
				if got, want := put(c, i, subject, version, now, named), m.put(i, subject, version, at); got != want {
					rt.Fatalf("put %v, want %v", got, want)
				}
			},
			"get": func(rt *rapid.T) {
				i, _, now := draw(rt)
				hit, state := get(c, keyOf(i), now, true)
				wantState, version := m.state(i)
				if state != wantState || state == Live && uint64(hit.Created) != version {
					rt.Fatalf("state %d of version %d, want %d of %d", state, hit.Created, wantState, version)
				}
				if state != Live {
					return
				}
				r := m.records[i]
				if versionOf(t, r.subject, hit.Identity) != version {
					rt.Fatalf("hit %+v", hit)
				}
				r.touched, r.last = true, m.clocks[c.shard(nameOf(keyOf(i)))]
			},
			"take": func(rt *rapid.T) {
				i := rapid.IntRange(0, sessions-1).Draw(rt, "session")
				last, touched := m.take(i)
				id, seen, ok := c.TakeTouch(keyOf(i))
				if ok != touched || ok && (sessionOf(id) != i || seen > last || last < 512 && seen != last) {
					rt.Fatalf("seen %d, %v, want %d, %v", seen, ok, last, touched)
				}
			},
			"bury":    func(rt *rapid.T) { i, _, now := draw(rt); c.Bury(keyOf(i), now); m.bury(i) },
			"discard": func(rt *rapid.T) { i, _, now := draw(rt); c.Discard(keyOf(i), now); m.discard(i) },
			"drop":    func(rt *rapid.T) { _, subject, _ := draw(rt); c.Drop(subject); m.drop(subject) },
			"reset":   func(rt *rapid.T) { c.Reset(); m.reset() },
			"": func(rt *rapid.T) {
				check(t, c, 0)
				if st := c.Stats(); st.Cells != len(m.cells) || st.Records+st.Dead != len(m.records) {
					rt.Fatalf("%+v, want %d cells and %d records", st, len(m.cells), len(m.records))
				}
			},
		})
	})
}
