package cache

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

func newCache() *Cache { return New(Config{Bytes: 64 << 20, MarkerAge: 2}) }

func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(slot{}); n != slotBytes {
		t.Errorf("a slot has %d bytes", n)
	}
	if n := unsafe.Sizeof(cell{}); n != cellBytes {
		t.Errorf("a cell has %d bytes", n)
	}
	if n := unsafe.Sizeof(shard{}); n != 192 {
		t.Errorf("a shard has %d bytes", n)
	}
	if n := unsafe.Offsetof(shard{}.mu); n != 64 {
		t.Errorf("what a Get needs of a shard takes %d bytes", n)
	}
	if n := unsafe.Sizeof(touch{}); n != touchBytes {
		t.Errorf("a touch has %d bytes", n)
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
			Ends:    rapid.Int32().Draw(t, "ends"),
			Level:   rapid.Uint8Range(0, 15).Draw(t, "level"),
			Methods: rapid.Uint16().Draw(t, "methods"),
		}
		copy(rec.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		subject := rapid.StringN(1, -1, 128).Draw(t, "subject")
		identity := string(byte(len(subject))) + subject + rapid.String().Draw(t, "profile")
		if !c.Put(keyOf(0), rec, subject, 0, identity, 5, never) {
			t.Fatal("not put")
		}
		for range 2 { // a touch changes nothing
			hit, state := get(c, keyOf(0), 6, true)
			if state != Live || hit.Record != rec || hit.Identity != identity {
				t.Fatalf("got %+v, %d", hit, state)
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
		if _, _, ok := c.TakeTouch(keyOf(i)); ok {
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
	c.Put(keyOf(1), Record{}, "a", 1, "\x01a of today", 0, never)
	if hit, _ := get(c, keyOf(1), 0, false); hit.Identity != "\x01a of today" {
		t.Errorf("shows %q", hit.Identity)
	}
	c.subjects.release(number)
	check(t, c, 0)
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
		get(c, keys[i%len(keys)], int32(i), i%3 > 0)
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
			k := name{a: home << 32, b: rapid.Uint32Range(0, 9).Draw(t, "b")}
			var r record
			p := find(s.slots, k)
			if p != nil {
				p.load(&r)
			}
			_, there := model[k]
			switch {
			case there != (p != nil) || there && r.created != model[k]:
				t.Fatalf("%v: record %+v, want %v", k, r, model[k])
			case there:
				for i := range s.slots {
					if &s.slots[i] == p {
						s.remove(i)
						break
					}
				}
				delete(model, k)
			default:
				if s.full() {
					s.resize(s.larger())
				}
				s.add(k).store(&record{name: k, created: step, generation: 1})
				model[k] = step
			}
			if s.count != len(model) {
				t.Fatalf("count %d, want %d", s.count, len(model))
			}
			for k, created := range model {
				p := find(s.slots, k)
				if p == nil {
					t.Fatalf("%v is lost", k)
				}
				if p.load(&r); r.created != created {
					t.Fatalf("%v is another: %+v", k, r)
				}
			}
		}
	})
}

func TestNameIsTheFirstSixteenBytes(t *testing.T) {
	k := *keyOf(1)
	n := nameOf(&k)
	got := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, n.a), n.b), n.c)
	if !bytes.Equal(got, k[:16]) {
		t.Errorf("%x of %x", got, k)
	}
}
