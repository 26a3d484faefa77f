package cache

import (
	"bytes"
	"encoding/binary"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

func newCache() *Cache { return New(Config{Bytes: 64 << 20, MarkerAge: 2}) }

func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(record{}); n != recordBytes {
		t.Errorf("a record has %d bytes", n)
	}
	if n := unsafe.Sizeof(cell{}); n != cellBytes {
		t.Errorf("a cell has %d bytes", n)
	}
	if n := unsafe.Sizeof(shard{}); n != 64 {
		t.Errorf("a shard has %d bytes", n)
	}
}

func TestIdleCacheIsSmall(t *testing.T) {
	c := New(Config{Bytes: 1 << 30, MarkerAge: 2})
	if st := c.Stats(); st != (Stats{}) {
		t.Errorf("new: %+v", st)
	}
	for i := range 256 {
		put(c, i, subjectName(i), 1, 0, never)
	}
	if st := c.Stats(); st.TableBytes+st.CellBytes+st.ArenaBytes > 1<<20 {
		t.Errorf("256 sessions take %+v", st)
	}
}

func TestHitShowsWhatWasPut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCache()
		rec := Record{
			Created: rapid.Int32().Draw(t, "created"), Authenticated: rapid.Int32().Draw(t, "authenticated"),
			Idle: rapid.Int32().Draw(t, "idle"), Absolute: rapid.Int32().Draw(t, "absolute"),
			Level:   rapid.Uint8Range(0, 15).Draw(t, "level"),
			Methods: rapid.Uint16().Draw(t, "methods"),
		}
		copy(rec.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		subject := rapid.StringN(1, -1, 128).Draw(t, "subject")
		identity := string(byte(len(subject))) + subject + rapid.String().Draw(t, "profile")
		touched := rapid.Bool().Draw(t, "touched")
		if !c.Put(keyOf(0), rec, subject, 0, identity, 5, touched, never) {
			t.Fatal("not put")
		}
		for first := !touched; ; first = false {
			hit, state := c.Get(keyOf(0), 6, true)
			if state != Live || hit.Record != rec || hit.Identity != identity || hit.First != first {
				t.Fatalf("got %+v, %d", hit, state)
			}
			if !first {
				break
			}
		}
	})
}

func TestDropEndsAllSessionsOfTheSubject(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	put(c, 2, "a", 1, 0, never)
	put(c, 3, "b", 1, 0, never)
	c.Drop("a")
	want(t, c, 1, "a", 0, Miss)
	want(t, c, 3, "b", 0, Live)
	put(c, 2, "a", 1, 0, never) // the cell is filled anew
	want(t, c, 1, "a", 0, Miss)
	want(t, c, 2, "a", 0, Live)
	check(t, c, 0)
}

func TestNewerRowEndsTheRecordsOfTheOlder(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	put(c, 2, "a", 2, 0, never)
	want(t, c, 1, "a", 0, Miss)
	want(t, c, 2, "a", 0, Live)
	check(t, c, 0)
}

func TestOlderRowPutsNothing(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 2, 0, never)
	if put(c, 2, "a", 1, 0, never) {
		t.Error("a row older than the cell was put")
	}
	want(t, c, 1, "a", 0, Live)
	want(t, c, 2, "a", 0, Miss)
	check(t, c, 0)
}

func TestSameVersionKeepsTheCell(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	put(c, 2, "a", 1, 0, never)
	want(t, c, 1, "a", 0, Live)
	if st := c.Stats(); st.Cells != 1 || st.Records != 2 {
		t.Errorf("%+v", st)
	}
}

// second is a named function that turns true with its second call.
func second() func() bool {
	calls := 0
	return func() bool { calls++; return calls > 1 }
}

func TestNamedAtTheCellStepPutsNothing(t *testing.T) {
	c := newCache()
	if put(c, 1, "a", 1, 0, always) {
		t.Error("put although named")
	}
	want(t, c, 1, "a", 0, Miss)
	if st := c.Stats(); st.Records != 0 || st.Cells != 0 {
		t.Errorf("%+v", st)
	}
	put(c, 1, "a", 1, 0, never)
	put(c, 2, "a", 2, 0, always)
	want(t, c, 1, "a", 0, Live) // the cell was left alone
	check(t, c, 0)
}

func TestNamedAtTheRecordStepPutsNothingAndGivesTheReferenceBack(t *testing.T) {
	c := newCache()
	if put(c, 1, "a", 1, 0, second()) {
		t.Error("put although named")
	}
	want(t, c, 1, "a", 0, Miss)
	if st := c.Stats(); st.Records != 0 || st.Cells != 0 {
		t.Errorf("%+v", st)
	}
	put(c, 1, "a", 1, 0, never)
	if put(c, 1, "a", 1, 0, second()) {
		t.Error("put although named")
	}
	want(t, c, 1, "a", 0, Live)
	check(t, c, 0)
}

// TestNewsBetweenTheTwoSteps lets the feed act while a Put is between its
// steps: it has seen nothing at the cell, and must see it at the record.
func TestNewsBetweenTheTwoSteps(t *testing.T) {
	for what, news := range map[string]func(*Cache){
		"bury":  func(c *Cache) { c.Bury(keyOf(1), 0) },
		"drop":  func(c *Cache) { c.Drop("a") },
		"reset": func(c *Cache) { c.Reset() },
	} {
		c := newCache()
		put(c, 2, "a", 1, 0, never)
		// The table's lock is held from before the cell step on, so that the
		// Put waits for it between its steps.
		s := c.shard(nameOf(keyOf(1)))
		s.mu.Lock()
		named := make(chan struct{})
		done := make(chan bool)
		atCell := make(chan struct{})
		go func() {
			calls := 0
			done <- put(c, 1, "a", 1, 0, func() bool {
				if calls++; calls == 1 {
					close(atCell)
					return false
				}
				select {
				case <-named:
					return true
				default:
					return false
				}
			})
		}()
		<-atCell
		close(named)
		s.mu.Unlock()
		news(c)
		if <-done {
			t.Errorf("%s: put although named", what)
		}
		if got, _ := peek(t, c, 1, "a", 0); got == Live {
			t.Errorf("%s: live after the news", what)
		}
		check(t, c, 0)
	}
}

func TestDeadMarkerIsFinal(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	c.Bury(keyOf(1), 0)
	c.Bury(keyOf(2), 0)
	for i := 1; i <= 2; i++ {
		if put(c, i, "a", 9, 100, never) {
			t.Error("a load replaced a dead marker")
		}
		want(t, c, i, "a", 100, Dead)
		if _, ok := c.TakeTouch(keyOf(i), 0); ok {
			t.Error("a dead marker has a touch mark")
		}
	}
	if st := c.Stats(); st.Dead != 2 || st.Records != 0 || st.Cells != 0 {
		t.Errorf("%+v", st)
	}
	check(t, c, 0)
}

func TestResetForgetsEverything(t *testing.T) {
	c := newCache()
	for i := range 1000 {
		put(c, i, subjectName(i%100), 7, 0, never)
	}
	c.Bury(keyOf(5000), 0)
	c.Reset()
	if st := c.Stats(); st.Records+st.Dead+st.Cells != 0 || st.TableBytes != 0 || st.ArenaBytes != 0 {
		t.Errorf("%+v", st)
	}
	want(t, c, 1, subjectName(1), 0, Miss)
	want(t, c, 5000, "", 0, Miss)
	put(c, 1, subjectName(1), 1, 0, never) // a smaller version, of another incarnation
	want(t, c, 1, subjectName(1), 0, Live)
	check(t, c, 0)
}

// TestResetKeepsNoCellForALoadUnderWay: a load that holds a cell across a
// Reset must not hand it on to one sent after it with the same version.
func TestResetKeepsNoCellForALoadUnderWay(t *testing.T) {
	c := newCache()
	number, _, ok := c.subjects.hold("a", 1, "\x01a of yesterday", never)
	if !ok {
		t.Fatal("not held")
	}
	c.Reset()
	c.Put(keyOf(1), Record{}, "a", 1, "\x01a of today", 0, false, never)
	if hit, _ := c.Get(keyOf(1), 0, false); hit.Identity != "\x01a of today" {
		t.Errorf("shows %q", hit.Identity)
	}
	c.subjects.release(number)
	check(t, c, 0)
}

func TestYoungMarkersAreNeverEvicted(t *testing.T) {
	c := New(Config{MarkerAge: 2})
	const n = 100_000 // far beyond what the limit admits
	for i := range n {
		c.Bury(keyOf(i), 10)
	}
	for i := range n {
		put(c, n+i, "a", 1, 11, never)
	}
	for i := range n {
		want(t, c, i, "", 11, Dead)
	}
	check(t, c, 0)
}

func TestOldMarkersAreTheFirstToGo(t *testing.T) {
	c := New(Config{MarkerAge: 2})
	i := 0
	for ; c.Stats().Dead < 20_000; i++ {
		c.Bury(keyOf(i), 10)
	}
	live := i
	for ; c.Stats().TableBytes < minBytes*3/4; i++ {
		put(c, i, "a", 1, 11, never)
	}
	end := i
	for ; i < end+10_000; i++ {
		put(c, i, "a", 1, 12, never)
	}
	for j := live; j < end; j++ {
		want(t, c, j, "a", 12, Live)
	}
	if st := c.Stats(); st.Dead == 20_000 {
		t.Error("nothing was evicted")
	}
	check(t, c, 0)
}

func TestBuryAgainMakesAMarkerYoung(t *testing.T) {
	c := New(Config{MarkerAge: 2})
	c.Bury(keyOf(0), 10)
	c.Bury(keyOf(0), 15)
	for i := 1; i < 100_000; i++ {
		put(c, i, "a", 1, 16, never)
	}
	want(t, c, 0, "", 16, Dead)
}

func TestVisitedRecordsStayLongest(t *testing.T) {
	c := New(Config{MarkerAge: 2})
	for i := range 100 {
		put(c, i, "a", 1, 0, never)
	}
	for i := 100; i < 100_000; i++ {
		put(c, i, "a", 1, 0, never)
		if i%1000 == 0 {
			for j := range 100 {
				want(t, c, j, "a", 0, Live)
			}
		}
	}
	check(t, c, 0)
}

func TestMemoryIsBounded(t *testing.T) {
	const limit = 6 << 20
	const slack = limit/8 + 1<<20
	profiles := map[string]func(i int) (subject, identity string){
		"one subject": func(int) (string, string) { return "s", "\x01s" },
		"a subject each": func(i int) (string, string) {
			s := subjectName(i)
			return s, string(byte(len(s))) + s + strings.Repeat("p", 200)
		},
		"large profiles": func(i int) (string, string) {
			s := subjectName(i)
			return s, string(byte(len(s))) + s + strings.Repeat("p", 9000)
		},
	}
	least := map[string]int{"one subject": limit / 250, "a subject each": limit / 800, "large profiles": limit / 20_000}
	c := New(Config{Bytes: limit, MarkerAge: 2})
	next := 0
	// In turn on one cache: what one kind has taken must come back.
	for _, order := range []string{"one subject", "large profiles", "a subject each", "one subject", "a subject each"} {
		most, kept := int64(0), 0
		for i := range 40_000 {
			subject, identity := profiles[order](next)
			ok := c.Put(keyOf(next), Record{}, subject, 1, identity, int32(next/1000), false, never)
			if ok && i >= 30_000 {
				kept++
			}
			next++
			if next%100 == 0 {
				most = max(most, c.budget.used.Load())
			}
		}
		st := c.Stats()
		if most > limit+slack {
			t.Errorf("%s: %d bytes at most, limit %d: %+v", order, most, limit, st)
		}
		if kept < 8_000 {
			t.Errorf("%s: only %d of the last 10000 were put", order, kept)
		}
		if st.Records < least[order] {
			t.Errorf("%s: no more than %d records are kept: %+v", order, st.Records, st)
		}
		check(t, c, 0)
	}
}

func TestTablesUseTheirLimitAndNoMore(t *testing.T) {
	const limit = 8 << 20
	c := New(Config{Bytes: limit, MarkerAge: 2})
	most := int64(0)
	for i := range 150_000 {
		put(c, i, "a", 1, 0, never)
		most = max(most, c.budget.used.Load())
	}
	if st := c.Stats(); most > limit || st.Records < limit/110 {
		t.Errorf("%d bytes at most, %+v", most, st)
	}
}

func TestTablesShrinkAndGrowAgain(t *testing.T) {
	c := New(Config{Bytes: 64 << 20, MarkerAge: 2})
	const n = 100_000
	for i := range n {
		put(c, i, "a", 1, 0, never)
	}
	large := c.Stats().TableBytes
	c.budget.limit = minBytes
	for i := n; i < 2*n; i++ {
		put(c, i, "a", 1, 0, never)
	}
	if small := c.Stats().TableBytes; small > large/2 {
		t.Errorf("tables shrank from %d to %d bytes only", large, small)
	}
	check(t, c, 0)
}

func TestIdentitiesStayWholeAfterEvictionAndCompaction(t *testing.T) {
	c := New(Config{MarkerAge: 2})
	held := make(map[string]string)
	for i := range 60_000 {
		s := subjectName(i)
		put(c, i, s, uint64(i), 0, never)
		if i%100 == 0 {
			if hit, state := c.Get(keyOf(i), 0, false); state == Live {
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
	if st, arena := c.Stats(), &c.subjects.arena; int64(arena.total)*3/2+4*chunkBytes < st.ArenaBytes {
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

// TestOldChunkIsNotKeptForEver: one blob that never dies must not make the
// list of chunks grow with everything that comes and goes after it.
func TestOldChunkIsNotKeptForEver(t *testing.T) {
	var s subjects
	var b budget
	b.limit = math.MaxInt64
	s.init(&b)
	hold := func(subject string, version uint64) {
		text := string(byte(len(subject))) + subject + strings.Repeat("x", 16_000)
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
	checkArena(t, &s)
}

func TestIdentityTooLongIsNotKept(t *testing.T) {
	c := newCache()
	longest := "\x01a" + strings.Repeat("x", maxBlob-2)
	if c.Put(keyOf(1), Record{}, "a", 1, longest+"x", 0, false, never) {
		t.Error("put")
	}
	if !c.Put(keyOf(1), Record{}, "a", 1, longest, 0, false, never) {
		t.Error("not put")
	}
	if hit, _ := c.Get(keyOf(1), 0, false); hit.Identity != longest {
		t.Error("not whole")
	}
	check(t, c, 0)
}

// collide makes subject b hash to the cell of subject a.
func collide(c *Cache, a, b string) {
	s := &c.subjects
	s.index[hashOf(c, b)] = s.index[hashOf(c, a)]
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
	cellOf := func(i int) uint32 { return c.shard(nameOf(keyOf(i))).find(nameOf(keyOf(i))).cell }
	a := cellOf(1)
	c.Drop("a")
	c.Bury(keyOf(1), 0) // token 2 still refers to it
	put(c, 3, "b", 1, 0, never)
	if cellOf(3) == a {
		t.Fatal("the cell was reused early")
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
		r := c.shard(nameOf(keyOf(i))).find(nameOf(keyOf(i)))
		if was := seen[[2]uint32{r.cell, r.generation}]; was != "" {
			t.Fatalf("cell %d had generation %d before, of %s", r.cell, r.generation, was)
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

func TestPeekLeavesNoTouchMark(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	c.Get(keyOf(1), 5, false)
	if _, ok := c.TakeTouch(keyOf(1), 0); ok {
		t.Error("touched")
	}
	if hit, _ := c.Get(keyOf(1), 7, true); !hit.First {
		t.Error("not the first touch")
	}
	if hit, _ := c.Get(keyOf(1), 9, true); hit.First {
		t.Error("the first touch again")
	}
	c.Get(keyOf(1), 11, false)
	if seen, ok := c.TakeTouch(keyOf(1), 7); !ok || seen != 9 {
		t.Errorf("seen at %d, %v", seen, ok)
	}
	if _, ok := c.TakeTouch(keyOf(1), 7); ok {
		t.Error("the mark was not cleared")
	}
	if hit, _ := c.Get(keyOf(1), 12, true); !hit.First {
		t.Error("not first after TakeTouch")
	}
}

// TestAnotherLoadKeepsTheTouchMark: a hit while a load is under way is not
// lost with the record that the load replaces.
func TestAnotherLoadKeepsTheTouchMark(t *testing.T) {
	c := newCache()
	put(c, 1, "a", 1, 0, never)
	c.Get(keyOf(1), 5, true)
	put(c, 1, "a", 2, 6, never)
	if hit, _ := c.Get(keyOf(1), 6, false); hit.First {
		t.Error("first")
	}
	if seen, ok := c.TakeTouch(keyOf(1), 5); !ok || seen != 5 {
		t.Errorf("seen at %d, %v", seen, ok)
	}
	c.Put(keyOf(1), Record{}, "a", 2, identityOf("a", 2), 8, true, never)
	if seen, ok := c.TakeTouch(keyOf(1), 8); !ok || seen != 8 {
		t.Errorf("seen at %d, %v", seen, ok)
	}
}

// TestTouchIsNeverLaterThanTheTruth: whatever the order in which clocks that
// were read reach the cache, and however long a mark is left.
func TestTouchIsNeverLaterThanTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCache()
		put(c, 1, "a", 1, 0, never)
		clock := rapid.Int32Range(0, 5000).Draw(t, "clock")
		var first, last int32 // of the window, by the real clock for last
		touched, stale := false, false
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			clock += rapid.Int32Range(0, 90).Draw(t, "passed")
			if rapid.IntRange(0, 5).Draw(t, "take") > 0 {
				now := clock - rapid.SampledFrom([]int32{0, 0, 0, 1, 2, 300, 600}).Draw(t, "waited")
				hit, _ := c.Get(keyOf(1), now, true)
				if hit.First == touched {
					t.Fatalf("first is %v, touched %v", hit.First, touched)
				}
				stale = stale || now != clock
				if hit.First {
					first, touched, stale = now, true, now != clock
				}
				last = clock
				continue
			}
			seen, ok := c.TakeTouch(keyOf(1), first)
			switch {
			case ok != touched:
				t.Fatalf("mark %v, touched %v", ok, touched)
			case ok && (seen > last || seen < first):
				t.Fatalf("seen at %d, first %d, last %d", seen, first, last)
			case ok && !stale && last-first < 512 && seen != last:
				t.Fatalf("seen at %d, last %d", seen, last)
			}
			touched = false
		}
	})
}

func TestGetAllocatesNothing(t *testing.T) {
	c := newCache()
	for i := range 1000 {
		put(c, i, subjectName(i), 1, 0, never)
	}
	c.Bury(keyOf(0), 0)
	var keys [1001]*Key
	for i := range keys {
		keys[i] = keyOf(i)
	}
	i := 0
	allocs := testing.AllocsPerRun(2000, func() {
		c.Get(keys[i%len(keys)], int32(i), i%3 > 0)
		i++
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestTableAgainstMap drives one shard's table, whose names are drawn so that
// homes collide and runs wrap round the end.
func TestTableAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s shard
		s.resize(firstSlots)
		model := map[name]int32{}
		for step := range int32(rapid.IntRange(1, 200).Draw(t, "steps")) {
			home := rapid.SampledFrom([]uint64{0, 1, 2, math.MaxUint32 - 1, math.MaxUint32}).Draw(t, "home")
			k := name{a: home << 32, b: rapid.Uint64Range(0, 9).Draw(t, "b")}
			r := s.find(k)
			_, there := model[k]
			switch {
			case there != (r != nil) || there && r.created != model[k]:
				t.Fatalf("%v: record %+v, want %v", k, r, model[k])
			case there:
				for i := range s.slots {
					if &s.slots[i] == r {
						s.remove(i)
						break
					}
				}
				delete(model, k)
			default:
				if s.full() {
					s.resize(s.larger())
				}
				*s.add(k) = record{a: k.a, b: k.b, created: step, generation: 1}
				model[k] = step
			}
			if s.count != len(model) {
				t.Fatalf("count %d, want %d", s.count, len(model))
			}
			for k, created := range model {
				if r := s.find(k); r == nil || r.created != created {
					t.Fatalf("%v is lost: %+v", k, r)
				}
			}
		}
	})
}

func TestNameIsTheFirstTwentyBytes(t *testing.T) {
	k := *keyOf(1)
	n := nameOf(&k)
	got := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, n.a), n.b), n.c)
	if !bytes.Equal(got, k[:20]) {
		t.Errorf("%x of %x", got, k)
	}
}
