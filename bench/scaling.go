package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

// scaling is whether checks on two processors get in each other's way. Two
// goroutines of SHA-256 alone, which share nothing, are the control: what they
// do not reach, the machine does not give.
//
// Where other programs share the processors, two goroutines rarely have both
// to themselves. So the slices are short and many, and the best quarter counts,
// of one goroutine as of two.
func (b *bench) scaling() experiment {
	what := fmt.Sprintf("cached check, %s sessions: 2 goroutines against 1", count(b.size.sessions))
	return experiment{
		name: "two goroutines",
		open: openScaling,
		rows: []row{{
			what: what, measured: "check", peer: "control", peerName: "SHA-256 alone", unit: factor, bar: floor(1.7, factor),
		}},
	}
}

const scalingSlice = 10 * time.Millisecond

type scaling struct {
	bench *bench
	held  tokens
	m     *session.Manager
	end   func()
}

func openScaling(ctx context.Context, b *bench) (trial, error) {
	store, err := sqlite.Open(ctx, filepath.Join(b.dir, "scaling.db"))
	if err != nil {
		return nil, err
	}
	m, stop, err := startManager(ctx, store)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	t := &scaling{bench: b, m: m, end: func() {
		stop()
		_ = store.Close()
	}}
	if t.held, err = b.populate(ctx, m, b.size.sessions); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *scaling) round(ctx context.Context, s samples) error {
	teams := []struct {
		series string
		team   []work
	}{
		{"check", []work{checking(ctx, t.m, t.held, 0), checking(ctx, t.m, t.held, t.held.n/2)}},
		{"control", []work{hashAndClock(), hashAndClock()}},
	}
	rates := make([][2][]float64, len(teams)) // of one goroutine and of two
	for range 8 * t.bench.size.turns {
		for i, team := range teams {
			for size := 1; size <= 2; size++ {
				rate, err := together(team.team[:size], scalingSlice)
				if err != nil {
					return err
				}
				rates[i][size-1] = append(rates[i][size-1], rate)
			}
		}
	}
	for i, team := range teams {
		s.add(team.series, bestQuarter(rates[i][1])/bestQuarter(rates[i][0]))
	}
	return nil
}

func (t *scaling) close() { t.end() }

// together lets each work in a goroutine of its own for the time of the slice,
// and returns how much all of them did in a second. All are timed from one
// instant: of two that only ran one after the other each had half the time.
func together(team []work, slice time.Duration) (float64, error) {
	const batch = 256
	rates := make([]float64, len(team))
	errs := make([]error, len(team))
	start := make(chan struct{})
	var began time.Time // set before start is closed
	var all sync.WaitGroup
	for i, w := range team {
		all.Go(func() {
			<-start
			n, took := 0, time.Duration(0)
			for ; took < slice && errs[i] == nil; n += batch {
				errs[i] = w(batch)
				took = time.Since(began)
			}
			rates[i] = float64(n) / took.Seconds()
		})
	}
	began = time.Now()
	close(start)
	all.Wait()
	sum := 0.0
	for _, rate := range rates {
		sum += rate
	}
	return sum, errors.Join(errs...)
}
