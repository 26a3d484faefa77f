package main

import (
	"runtime"
	"slices"
	"time"
)

// work does something n times.
type work func(n int) error

// contestant is work under the name of its series.
type contestant struct {
	series string
	work   work
}

// Of a turn of a contestant the first slices warm the processor's caches, which
// the one before has filled with its own, and do not count.
const (
	warming = 4
	counted = 20
)

// race gives each contestant its turns, one after the other, and adds for each
// the median of its slices in nanoseconds an operation.
//
// Slices are short, about a millisecond: where other programs want the
// processor it is taken away in the middle of some of them, and the median is
// of those in which it was not. It leaves out most of the garbage collections,
// too, in favour of whoever makes garbage.
func (b *bench) race(s samples, contestants ...contestant) error {
	took := make([][]float64, len(contestants))
	sizes := make([]int, len(contestants))
	for i, c := range contestants {
		var err error
		if sizes[i], err = fitting(c.work, slice); err != nil {
			return err
		}
	}
	for range b.size.turns {
		for i, c := range contestants {
			for n := range warming + counted {
				began := time.Now()
				if err := c.work(sizes[i]); err != nil {
					return err
				}
				if n >= warming {
					took[i] = append(took[i], float64(time.Since(began))/float64(sizes[i]))
				}
			}
		}
	}
	for i, c := range contestants {
		s.add(c.series, median(took[i]))
	}
	return nil
}

const slice = time.Millisecond

// fitting is how many operations fill a slice, about. Finding out also warms up.
func fitting(w work, slice time.Duration) (int, error) {
	for n := 16; ; n *= 2 {
		began := time.Now()
		if err := w(n); err != nil {
			return 0, err
		}
		if took := time.Since(began); took >= slice/2 {
			return max(1, int(float64(n)*float64(slice)/float64(took))), nil
		}
	}
}

// allocs are the allocations of one operation: the median of several short
// slices, because now and then something in the background allocates, too.
func allocs(w work) (float64, error) {
	const slices, n = 9, 1000
	var each []float64
	var before, after runtime.MemStats
	for range slices {
		runtime.ReadMemStats(&before)
		if err := w(n); err != nil {
			return 0, err
		}
		runtime.ReadMemStats(&after)
		each = append(each, float64(after.Mallocs-before.Mallocs)/n)
	}
	return median(each), nil
}

// median of no values is 0.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// bestQuarter is the mean of the highest quarter.
func bestQuarter(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	best := sorted[len(sorted)-max(1, len(sorted)/4):]
	sum := 0.0
	for _, v := range best {
		sum += v
	}
	return sum / float64(len(best))
}
