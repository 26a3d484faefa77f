//go:build !race

// The tests of this file fill whole caches from one goroutine, in which the
// race detector finds nothing and takes minutes for it. They run without it.

package cache

import (
	"math/rand/v2"
	"strings"
	"testing"
)

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
			ok := c.Put(keyOf(next), Record{}, subject, 1, identity, int32(next/1000), never)
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

// TestCacheAgainstModelWhileEvicting runs many more sessions than fit. A Miss
// says nothing then; everything else must be as it was put last.
func TestCacheAgainstModelWhileEvicting(t *testing.T) {
	const sessions, people, markerAge = 60_000, 5_000, 3
	c := New(Config{MarkerAge: markerAge})
	rng := rand.New(rand.NewPCG(1, 2))
	type last struct {
		version uint64
		buried  int32
	}
	model := make([]last, sessions)
	dropped := make([]uint64, people) // versions that a Drop has ended
	live, dead, version := 0, 0, uint64(0)
	for step := range 300_000 {
		now := int32(1 + step/5000)
		i := rng.IntN(sessions)
		subject := subjectName(i % people)
		switch op := rng.IntN(100); {
		case op < 50:
			version++
			if put(c, i, subject, version, now, never) {
				model[i] = last{version: version}
			}
		case op < 53:
			c.Bury(keyOf(i), now)
			model[i] = last{buried: now}
		case op < 54:
			c.Drop(subject)
			dropped[i%people] = version
		default:
			m := model[i]
			switch state, shown := peek(t, c, i, subject, now); {
			case m.buried != 0 && state != Dead && (state == Live || now-m.buried < markerAge):
				t.Fatalf("step %d: state %d, buried %d seconds ago", step, state, now-m.buried)
			case state == Dead && m.buried == 0:
				t.Fatalf("step %d: dead without a cause", step)
			case state == Live && (shown != m.version || shown <= dropped[i%people]):
				t.Fatalf("step %d: shows %d, put with %d, dropped at %d", step, shown, m.version, dropped[i%people])
			case state == Live:
				live++
			case state == Dead:
				dead++
			}
		}
		if step%50_000 == 0 {
			check(t, c, 0)
		}
	}
	check(t, c, 0)
	if live < 1000 || dead < 1000 {
		t.Errorf("only %d hits and %d markers were seen", live, dead)
	}
}
