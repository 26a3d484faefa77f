package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

// renewable is the check of sessions whose tokens are renewed beside that of as many
// whose are not. They are issued in turns, so that in the cache they lie alike: of two
// halves that come one after the other the second is the slower.
func (b *bench) renewable() experiment {
	what := fmt.Sprintf("cached check, %s sessions that are renewable", count(b.size.sessions))
	return experiment{
		name: "check of renewable",
		open: openRenewable,
		rows: []row{
			{what: what, measured: "renewable", peer: "plain", peerName: "that are not", unit: nanoseconds, bar: within(1.05)},
			{what: what + ": allocations", measured: "renewable allocs", unit: allocations, bar: limit(0, allocations)},
		},
	}
}

type renewable struct {
	bench            *bench
	plain, renewable work
	end              func()
}

func openRenewable(ctx context.Context, b *bench) (trial, error) {
	store, err := sqlite.Open(ctx, filepath.Join(b.dir, "renewable.db"))
	if err != nil {
		return nil, err
	}
	m, stop, err := startManager(ctx, store)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	t := &renewable{bench: b, end: func() {
		stop()
		_ = store.Close()
	}}
	if err := t.populate(ctx, m, b.size.sessions); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *renewable) populate(ctx context.Context, m *session.Manager, n int) error {
	var kinds [2]*order
	for i := range kinds {
		kinds[i] = newOrder(n)
	}
	err := issue(ctx, m, issuing{
		n: 2 * n, callers: 64, subject: func(i int) string { return subject(i / 2) },
		grant: func(i int) session.Grant {
			if i%2 == 0 {
				return grantWithProfile(i)
			}
			return renewableGrant(i)
		},
		keep: func(i int, token session.Token) { kinds[i%2].keep(i/2, token) },
	})
	t.plain, t.renewable = checking(ctx, m, kinds[0].tokens(), 0), checking(ctx, m, kinds[1].tokens(), 0)
	return errors.Join(err, t.plain(n), t.renewable(n))
}

func (t *renewable) round(_ context.Context, s samples) error {
	n, err := allocs(t.renewable)
	if err != nil {
		return err
	}
	s.add("renewable allocs", n)
	return t.bench.race(s, contestant{"plain", t.plain}, contestant{"renewable", t.renewable})
}

func (t *renewable) close() { t.end() }
