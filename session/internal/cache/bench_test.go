package cache

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// fill puts n records of as many subjects, or of one if shared.
func fill(c *Cache, n int, identity string, shared bool) []Key {
	keys := make([]Key, n)
	for i := range keys {
		keys[i] = *keyOf(i)
		subject := "s"
		text := "\x01s" + identity
		if !shared {
			subject = fmt.Sprintf("%09d", i)
			text = "\x09" + subject + identity
		}
		if !c.Put(&keys[i], Record{Idle: 1 << 30, Absolute: 1 << 30, Ends: 1 << 30}, subject, 1, text, 1, never) {
			panic("not put")
		}
	}
	return keys
}

// BenchmarkGet asks for the next of n shuffled keys, each of a subject of its
// own. The SHA-256 of a token and the clock are not in it.
func BenchmarkGet(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := New(Config{Bytes: 4 << 30, MarkerAge: 2})
			keys := fill(c, n, string(make([]byte, 200)), false)
			rand.Shuffle(n, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, state := get(c, &keys[i], 1, true); state != Live {
					b.Fatal("not live")
				}
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

func BenchmarkPut(b *testing.B) {
	c := New(Config{Bytes: 64 << 20, MarkerAge: 2})
	identity := "\x01s" + string(make([]byte, 200))
	key := *keyOf(1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		key[0], key[1], key[18], key[19] = byte(i>>8), byte(i), byte(i>>16), byte(i>>3)
		c.Put(&key, Record{}, "s", 1, identity, 1, never)
	}
}

// BenchmarkHeap reports what a million records take of the heap beside cells
// and identities: at a million, and at its worst on the way there and beyond,
// which is right after the tables have grown.
func BenchmarkHeap(b *testing.B) {
	for range b.N {
		before := heap()
		c := New(Config{Bytes: 4 << 30, MarkerAge: 2})
		var worst float64
		for n := 0; n < 1_200_000; n++ {
			c.Put(keyOf(n), Record{}, "s", 1, "\x01s", 1, never)
			if n >= 800_000 && n%25_000 == 0 {
				record := float64(heap()-before) / float64(n)
				worst = max(worst, record)
				if n == 1_000_000 {
					b.ReportMetric(record, "B/record")
				}
			}
		}
		b.ReportMetric(worst, "B/record-worst")
		b.ReportMetric(0, "ns/op")
		runtime.KeepAlive(c)
	}
}

// BenchmarkGC reports a forced collection with a million sessions of a million
// subjects with 200 bytes each, beside one without.
func BenchmarkGC(b *testing.B) {
	without := collect()
	c := New(Config{Bytes: 4 << 30, MarkerAge: 2})
	fill(c, 1_000_000, string(make([]byte, 190)), false)
	with := collect()
	for b.Loop() {
		runtime.KeepAlive(c)
	}
	st := c.Stats()
	b.ReportMetric(with, "ms")
	b.ReportMetric(without, "ms-without")
	b.ReportMetric(float64(st.CellBytes)/1e6, "cell-B/subject")
	b.ReportMetric(float64(st.ArenaBytes)/1e6, "arena-B/subject")
	b.ReportMetric(0, "ns/op")
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// collect returns the least of several forced collections, in milliseconds:
// the machine may be busy with something else.
func collect() float64 {
	runtime.GC()
	least := time.Hour
	for range 20 {
		start := time.Now()
		runtime.GC()
		least = min(least, time.Since(start))
	}
	return float64(least.Microseconds()) / 1000
}
