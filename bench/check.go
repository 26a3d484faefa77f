package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"cloakroom/session"
	"cloakroom/session/sqlite"

	"github.com/golang-jwt/jwt/v5"
)

// smallCache is the check of 10,000 sessions over a SQLite store, with all that
// runs beside it in a program: ticks, and last uses being written.
func (b *bench) smallCache() experiment {
	what := fmt.Sprintf("cached check, %s sessions", count(b.size.sessions))
	against := func(series, name string, bar bar) row {
		return row{what: what, measured: "check", peer: series, peerName: name, unit: nanoseconds, bar: bar}
	}
	hs256 := against("hs256", "golang-jwt HS256", fasterThan(40))
	beside := against("floor", "SHA-256 + clock", above(60, nanoseconds))
	hs256.claim, beside.claim = "fast", "fast"
	return experiment{
		name: "check of few",
		open: openSmallCache,
		rows: []row{
			hs256, beside,
			against("rs256", "golang-jwt RS256", fasterThan(150)),
			against("es256", "golang-jwt ES256", fasterThan(300)),
			against("scs", "scs memstore Load", fasterThan(80)),
			{what: what + ": allocations", measured: "check allocs", peer: "hs256 allocs", peerName: "golang-jwt HS256", unit: allocations, bar: limit(0, allocations)},
			{what: "one last use written (at most one a session a minute)", measured: "touch", unit: microseconds, bar: informs(microseconds)},
		},
	}
}

type smallCache struct {
	bench       *bench
	contestants []contestant
	touch       func(context.Context) (time.Duration, error)
	end         func()
}

func openSmallCache(ctx context.Context, b *bench) (trial, error) {
	store, err := sqlite.Open(ctx, filepath.Join(b.dir, "check.db"))
	if err != nil {
		return nil, err
	}
	m, stop, err := startManager(ctx, store)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	t := &smallCache{bench: b, end: func() {
		stop()
		_ = store.Close()
	}}
	held, err := b.populate(ctx, m, b.size.sessions)
	if err == nil {
		err = t.addContestants(ctx, m, held)
	}
	if err != nil {
		t.close()
		return nil, err
	}
	t.touch = touching(m, store, held)
	return t, nil
}

func (t *smallCache) addContestants(ctx context.Context, m *session.Manager, held tokens) error {
	t.contestants = []contestant{{"check", checking(ctx, m, held, 0)}, {"floor", hashAndClock()}}
	for _, p := range []struct {
		series string
		method jwt.SigningMethod
	}{
		{"hs256", jwt.SigningMethodHS256}, {"rs256", jwt.SigningMethodRS256}, {"es256", jwt.SigningMethodES256},
	} {
		peer, err := newJWTPeer(p.method)
		if err != nil {
			return err
		}
		t.contestants = append(t.contestants, contestant{p.series, peer.verifying()})
	}
	scs, err := scsPeer(ctx, held.n)
	t.contestants = append(t.contestants, contestant{"scs", scs})
	return err
}

// touching writes a last use of a thousand sessions, as a Manager does in the
// background, and returns how long each took.
func touching(m *session.Manager, store session.Store, held tokens) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		now := time.Now()
		touches := make([]session.Touch, 1000)
		for i := range touches {
			s, err := m.Peek(ctx, held.at(i), session.Cached)
			if err != nil {
				return 0, err
			}
			touches[i] = session.Touch{ID: s.ID(), Seen: now}
		}
		began := time.Now()
		err := store.Touch(ctx, now, touches)
		return time.Since(began) / time.Duration(len(touches)), err
	}
}

func (t *smallCache) round(ctx context.Context, s samples) error {
	for _, c := range t.contestants {
		n, err := allocs(c.work)
		if err != nil {
			return err
		}
		s.add(c.series+" allocs", n)
	}
	took, err := t.touch(ctx)
	if err != nil {
		return err
	}
	s.add("touch", float64(took)/float64(time.Microsecond))
	return t.bench.race(s, t.contestants...)
}

func (t *smallCache) close() { t.end() }

// largeCache is the check of a million sessions of as many subjects, each with
// a profile of its own: more than a processor's caches hold. The sessions are
// issued by the public call, over a store that keeps none (forgetful): SQLite
// would take minutes, and be asked for nothing after.
func (b *bench) largeCache(n int) experiment {
	what := fmt.Sprintf("cached check, %s sessions (store: none behind the cache)", count(n))
	wanted := 10.0
	if n > 1_000_000 {
		wanted = 6
	}
	return experiment{
		name: fmt.Sprintf("check of %s", count(n)),
		open: func(ctx context.Context, b *bench) (trial, error) { return openLargeCache(ctx, b, n) },
		rows: []row{
			{what: what, measured: "check", peer: "hs256", peerName: "golang-jwt HS256", unit: nanoseconds, bar: fasterThan(wanted)},
			{what: what + ": allocations", measured: "allocs", unit: allocations, bar: limit(0, allocations)},
		},
	}
}

type largeCache struct {
	bench        *bench
	check, hs256 work
	stop         func()
}

func openLargeCache(ctx context.Context, b *bench, n int) (trial, error) {
	m, stop, err := startManager(ctx, newForgetful())
	if err != nil {
		return nil, err
	}
	t := &largeCache{bench: b, stop: stop}
	held, err := b.populate(ctx, m, n)
	if err != nil {
		t.close()
		return nil, err
	}
	peer, err := newJWTPeer(jwt.SigningMethodHS256)
	if err != nil {
		t.close()
		return nil, err
	}
	t.check, t.hs256 = checking(ctx, m, held, 0), peer.verifying()
	return t, nil
}

func (t *largeCache) round(_ context.Context, s samples) error {
	n, err := allocs(t.check)
	if err != nil {
		return err
	}
	s.add("allocs", n)
	return t.bench.race(s, contestant{"check", t.check}, contestant{"hs256", t.hs256})
}

func (t *largeCache) close() { t.stop() }
