package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"cloakroom/session"
)

// memory is what the cache takes of the heap and of the garbage collector's
// time. A Manager has no statistics, so heaps are compared, each after forced
// collections, over a store that keeps nothing (forgetful):
//
//   - all sessions of one subject without a profile: the difference to the heap
//     before is what the sessions take, for one cell is nothing;
//   - as many sessions of as many subjects with profiles: what that takes more
//     is cells and profiles.
//
// The first is also measured at each 25,000 sessions from 800,000 to 1,200,000
// (for a large cache of a million), in which every table grows at least once:
// the worst of these is what a session takes right after growth.
func (b *bench) memory() experiment {
	n := count(b.size.large)
	return experiment{
		name: "memory",
		open: func(context.Context, *bench) (trial, error) { return heapTrial{b}, nil },
		rows: []row{
			{what: "heap a session, " + n + " cached", measured: "session", unit: bytesEach, bar: limit(160, bytesEach)},
			{what: "the same right after growth, at worst", measured: "worst", unit: bytesEach, bar: limit(160, bytesEach)},
			{what: "beside it, heap a subject: cell and 200 B of profile", measured: "subject", unit: bytesEach, bar: informs(bytesEach)},
			{what: "forced GC, " + n + " sessions of " + n + " subjects with 200 B of profile", measured: "gc", peer: "idle gc", peerName: "the same process without", unit: milliseconds, bar: limit(2, milliseconds)},
		},
	}
}

type heapTrial struct{ bench *bench }

func (t heapTrial) close() {}

func (t heapTrial) round(ctx context.Context, s samples) error {
	s.add("idle gc", forcedGC())
	one, err := t.oneSubject(ctx, s)
	if err != nil {
		return err
	}
	return t.manySubjects(ctx, s, one)
}

// oneSubject measures sessions alone, and returns the bytes of each.
func (t heapTrial) oneSubject(ctx context.Context, s samples) (float64, error) {
	before := heap()
	m, stop, err := startManager(ctx, newForgetful())
	if err != nil {
		return 0, err
	}
	defer stop()
	large := t.bench.size.large
	step := large / 40
	var each, worst float64
	for n := 0; n < large*6/5; {
		more := step
		if n == 0 {
			more = large * 4 / 5
		}
		if err := fill(ctx, m, n, more, "everybody", session.Grant{}); err != nil {
			return 0, err
		}
		n += more
		now := (heap() - before) / float64(n)
		worst = max(worst, now)
		if n <= large {
			each = now
		}
	}
	runtime.KeepAlive(m)
	s.add("session", each)
	s.add("worst", worst)
	return each, nil
}

// manySubjects measures what cells and profiles take more, and the collector.
func (t heapTrial) manySubjects(ctx context.Context, s samples, one float64) error {
	before := heap()
	m, stop, err := startManager(ctx, newForgetful())
	if err != nil {
		return err
	}
	defer stop()
	large := t.bench.size.large
	if err := fill(ctx, m, 0, large, "", grantWithProfile(0)); err != nil {
		return err
	}
	s.add("subject", (heap()-before)/float64(large)-one)
	s.add("gc", forcedGC())
	runtime.KeepAlive(m)
	return nil
}

// fill issues sessions of one subject, or with "" each of its own, and checks
// a few of them: the heap has to hold what it is said to hold.
func fill(ctx context.Context, m *session.Manager, from, n int, name string, g session.Grant) error {
	texts := make(chan string, n/1000+1)
	err := issue(ctx, m, issuing{
		n: n, callers: runtime.GOMAXPROCS(0),
		subject: func(i int) string {
			if name != "" {
				return name
			}
			return subject(from + i)
		},
		grant: func(int) session.Grant { return g },
		keep: func(i int, token session.Token) {
			if i%1000 == 0 {
				texts <- token.Reveal()
			}
		},
	})
	close(texts)
	for text := range texts {
		if err != nil {
			break
		}
		if _, err = m.Check(ctx, text, session.Cached); err != nil {
			err = fmt.Errorf("a session is not in the cache: %w", err)
		}
	}
	return err
}

// heap is what is reachable, in bytes. The second collection frees what the
// first had still to finalize.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// forcedGC is the median of forced collections, in milliseconds.
func forcedGC() float64 {
	runtime.GC()
	var took []float64
	for range 21 {
		began := time.Now()
		runtime.GC()
		took = append(took, float64(time.Since(began))/float64(time.Millisecond))
	}
	return median(took)
}
