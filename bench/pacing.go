package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// paced asks n times, at moments that are fixed beforehand, and returns how many
// milliseconds after its moment each was answered. A request does not wait for
// the one before, and one that is sent late has been late for whoever waits: so
// nothing that slows the server down slows down the asking, too.
func paced(ctx context.Context, every time.Duration, n int, ask func(context.Context) error) ([]float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	took, errs := make([]float64, n), make([]error, n)
	var all sync.WaitGroup
	began := time.Now()
	for i := range n {
		due := began.Add(time.Duration(i) * every)
		time.Sleep(time.Until(due))
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			if errs[i] = ask(ctx); errs[i] != nil {
				cancel()
			}
			took[i] = inMilliseconds(time.Since(due))
		})
	}
	all.Wait()
	return took, errors.Join(errs...)
}

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// percentile is the least of the values that so many of a hundred do not exceed;
// 0 of none.
func percentile(values []float64, of float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(of/100*float64(len(sorted))))-1)]
}
