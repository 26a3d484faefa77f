package cache

import (
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestIdentitiesStayWholeAfterEvictionAndCompaction(t *testing.T) {
	c := New(Config{MarkerAge: 2})
	held := make(map[string]string)
	for i := range 60_000 {
		s := subjectName(i)
		put(c, i, s, uint64(i), 0, never)
		if i%100 == 0 {
			if hit, state := get(c, keyOf(i), 0, false); state == Live {
				held[s] = hit.Identity
			}
		}
		if i%20_000 == 0 {
			runtime.GC()
		}
	}
	first := c.subjects.arena.current.Load().first
	c.Reset()
	runtime.GC()
	for i := range 10_000 {
		put(c, i, subjectName(i), 1, 0, never)
	}
	if first == 0 || len(held) < 100 {
		t.Fatalf("nothing was compacted (%d) or held (%d)", first, len(held))
	}
	for s, identity := range held {
		versionOf(t, s, identity)
	}
}

func TestCompactionKeepsWhatIsAlive(t *testing.T) {
	c := newCache()
	const n = 20_000
	for round := uint64(1); round <= 6; round++ {
		for i := range n {
			if i%7 != 0 || round == 1 {
				put(c, i, subjectName(i), round, 0, never)
			}
		}
	}
	for i := range n {
		if _, version := peek(t, c, i, subjectName(i), 0); version != 6 && i%7 != 0 || version == 0 {
			t.Errorf("token %d shows version %d", i, version)
		}
	}
	if st, arena := c.Stats(), &c.subjects.arena; int64(arena.total)*3/2+4*smallChunk < st.ArenaBytes {
		t.Errorf("arena of %d bytes for %d", st.ArenaBytes, arena.total)
	}
	check(t, c, 0)
}

// TestMovedIdentityIsFound stops a reader between the blob's name and its
// chunk, which is retired meanwhile: it must go on with the copy.
func TestMovedIdentityIsFound(t *testing.T) {
	c := newCache()
	s := &c.subjects
	number, generation, _ := s.hold("a", 1, "\x01a", never)
	cell := s.at(number)
	moved := blob(cell.blob.Load())
	s.hold("b", 1, "\x01b"+strings.Repeat("x", maxBlob-2), never)
	for v := uint64(1); s.arena.current.Load().get(moved.chunk()) != nil; v++ {
		s.hold("busy", v, "\x04busy"+strings.Repeat("x", 16_000), never)
	}
	copied := cell.blob.Load()
	if _, ok := s.arena.text(moved); ok || copied == uint64(moved) {
		t.Fatal("the blob was not moved")
	}
	cell.blob.Store(uint64(moved)) // what the reader has read
	time.AfterFunc(10*time.Millisecond, func() { cell.blob.Store(copied) })
	if text, ok := s.identity(number, generation); !ok || text != "\x01a" {
		t.Errorf("got %q, %v", text, ok)
	}
}

func newSubjects(limit int64) *subjects {
	s := new(subjects)
	s.init(&budget{limit: limit})
	return s
}

func longIdentity(subject, filler string) string {
	return string(byte(len(subject))) + subject + strings.Repeat(filler, 16_000)
}

// TestOldChunkIsNotKeptForEver: one blob that never dies must not make the
// list of chunks grow with everything that comes and goes after it.
func TestOldChunkIsNotKeptForEver(t *testing.T) {
	s := newSubjects(math.MaxInt64)
	hold := func(subject string, version uint64) {
		text := longIdentity(subject, "x")
		if _, _, ok := s.hold(subject, version, text, never); !ok {
			t.Fatal("not held")
		}
	}
	for i := range 15 { // fills the first chunk
		hold(subjectName(i), 1)
	}
	for v := range uint64(2000) {
		hold("busy", v)
	}
	if n := len(s.arena.current.Load().list); n > 40 {
		t.Errorf("the list has %d chunks, %d are held", n, s.arena.held)
	}
	checkArena(t, s)
}

// TestLargeChunksAreCompacted fills the arena until its chunks are large, and
// then puts new identities in place of most of the old.
func TestLargeChunksAreCompacted(t *testing.T) {
	s := newSubjects(math.MaxInt64)
	const n = 3000 // of 16 KB: three times what the small chunks take
	numbers := make([]uint32, n)
	for version := range uint64(4) {
		for i := range n {
			if version > 0 && i%5 == 0 {
				continue
			}
			subject := subjectName(i)
			text := longIdentity(subject, string(rune('a'+version)))
			number, _, ok := s.hold(subject, version, text, never)
			if !ok {
				t.Fatal("not held")
			}
			numbers[i] = number
		}
	}
	large := 0
	for _, c := range s.arena.current.Load().list {
		if len(c) == largeChunk {
			large++
		}
	}
	if large < 10 || s.arena.bytes-s.arena.total > s.arena.bytes/3+3*largeChunk {
		t.Errorf("%d large chunks, %d of %d bytes alive", large, s.arena.total, s.arena.bytes)
	}
	if used := s.budget.used.Load(); used < int64(s.arena.bytes) || used > int64(s.arena.bytes)+2<<20 {
		t.Errorf("the budget counts %d bytes, the arena has %d", used, s.arena.bytes)
	}
	for i, number := range numbers {
		want := "d"
		if i%5 == 0 {
			want = "a"
		}
		text, ok := s.identity(number, s.at(number).generation.Load())
		if !ok || text != longIdentity(subjectName(i), want) {
			t.Fatalf("subject %d shows %d bytes of another text, %v", i, len(text), ok)
		}
	}
	checkArena(t, s)
}

// TestChunkNumbersComeAgain begins a few chunks before the greatest number that
// a blob can name.
func TestChunkNumbersComeAgain(t *testing.T) {
	s := newSubjects(math.MaxInt64)
	s.arena.current.Store(&chunks{first: 1<<chunkBits - 3})
	for version := range uint64(5) {
		for i := range 200 { // 13 chunks
			subject := subjectName(i)
			text := longIdentity(subject, "x")
			number, generation, ok := s.hold(subject, version, text, never)
			if got, shown := s.identity(number, generation); !ok || !shown || got != text {
				t.Fatalf("version %d of subject %d: %d bytes, %v, %v", version, i, len(got), ok, shown)
			}
		}
	}
	if first := s.arena.current.Load().first; first < 1<<chunkBits {
		t.Fatalf("the first chunk is still number %d", first)
	}
	checkArena(t, s)
}

// TestLargeChunksKeepTheBound: what is allowed beyond the limit does not grow
// with the size of a chunk.
func TestLargeChunksKeepTheBound(t *testing.T) {
	const limit = 40 << 20
	s := newSubjects(limit)
	refused := 0
	for i := range 4000 { // half as much again
		subject := subjectName(i)
		if _, _, ok := s.hold(subject, 1, longIdentity(subject, "x"), never); !ok {
			refused++
		}
		if used := s.budget.used.Load(); used > limit+limit/8+smallChunk+1<<16 { // the index grows, too
			t.Fatalf("%d bytes after subject %d", used, i)
		}
	}
	if refused == 0 {
		t.Error("the bound was not reached")
	}
}

func TestIdentityTooLongIsNotKept(t *testing.T) {
	c := newCache()
	longest := "\x01a" + strings.Repeat("x", maxBlob-2)
	if c.Put(keyOf(1), Record{}, "a", 1, longest+"x", 0, never) {
		t.Error("put")
	}
	if !c.Put(keyOf(1), Record{}, "a", 1, longest, 0, never) {
		t.Error("not put")
	}
	if hit, _ := get(c, keyOf(1), 0, false); hit.Identity != longest {
		t.Error("not whole")
	}
	check(t, c, 0)
}

// collide makes subject b hash to the cell of subject a, under which a is not
// found any more.
func collide(c *Cache, a, b string) {
	s := &c.subjects
	from, to := hashOf(c, a), hashOf(c, b)
	number := s.find(from)
	s.index.of(from).remove(from, number)
	s.at(number).hash = to
	s.index.of(to).add(to, number)
}

func TestCollidingSubjectsNeverMix(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	collide(c, "a", "b")
	for version := range uint64(3) {
		if put(c, 2, "b", version, 0, never) {
			t.Error("put into another subject's cell")
		}
	}
	want(t, c, 1, "a", 0, Live)
	want(t, c, 2, "b", 0, Miss)
	c.Drop("b")
	want(t, c, 1, "a", 0, Miss)
	if !put(c, 2, "b", 1, 0, never) { // the cell is empty now
		t.Error("not put")
	}
	want(t, c, 2, "b", 0, Live)
	want(t, c, 1, "a", 0, Miss)
}

func TestCellIsNotReusedWhileReferred(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	put(c, 2, "a", 1, 0, never)
	cellOf := func(i int) uint32 { return recordOf(c, i).cell }
	a := cellOf(1)
	c.Drop("a")
	c.Bury(keyOf(1), 0) // token 2 still refers to it
	put(c, 3, "b", 1, 0, never)
	if cellOf(3) == a {
		t.Fatal("I10: the cell was reused early")
	}
	check(t, c, 0)
	c.Bury(keyOf(2), 0)
	put(c, 4, "c", 1, 0, never)
	if cellOf(4) != a {
		t.Error("the cell was not reused")
	}
	check(t, c, 0)
}

func TestGenerationsNeverRepeat(t *testing.T) {
	c := newCache()
	seen := map[[2]uint32]string{}
	for i := range 1000 {
		subject := subjectName(i % 7)
		put(c, i, subject, uint64(i), 0, never)
		r := recordOf(c, i)
		if was := seen[[2]uint32{r.cell, r.generation}]; was != "" {
			t.Fatalf("I10: cell %d had generation %d before, of %s", r.cell, r.generation, was)
		}
		seen[[2]uint32{r.cell, r.generation}] = subject
		switch i % 3 {
		case 0:
			c.Drop(subject)
		case 1:
			c.Reset()
		}
	}
}

func TestWornOutCellIsRetired(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	c.subjects.at(1).generation.Store(wornOut - 1)
	if !put(c, 1, "a", 2, 0, never) {
		t.Fatal("not put")
	}
	want(t, c, 1, "a", 0, Live)
	if put(c, 2, "a", 3, 0, never) {
		t.Error("filled under a generation that leaves none to empty it")
	}
	c.Drop("a")
	want(t, c, 1, "a", 0, Miss)
	if put(c, 2, "a", 3, 0, never) {
		t.Error("a generation repeats")
	}
	c.Bury(keyOf(1), 0)
	if !put(c, 2, "a", 3, 0, never) { // in another cell
		t.Error("not put")
	}
	want(t, c, 2, "a", 0, Live)
	check(t, c, 0)
}
