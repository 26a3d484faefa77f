package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

const (
	manyCallers = 64
	perSubject  = 4 // sessions that each subject has in the end
)

// durable is how many sessions a second are issued so that they outlive a
// power failure: by many callers at a time, whom the store commits in groups,
// and by one, who waits for the disk each time. Each measurement has a fresh
// file.
func (b *bench) durable() experiment {
	what := fmt.Sprintf("durable sign-ins, SQLite on %s, %d callers", filesystem(b.dir), manyCallers)
	return experiment{
		name: "durable",
		open: func(context.Context, *bench) (trial, error) { return durable{b}, nil },
		rows: []row{
			{what: what, measured: "many", unit: perSecond, bar: floor(20_000, perSecond), claim: "durable"},
			{what: what, measured: "many", peer: "one", peerName: "one caller", unit: perSecond, bar: rateAbove(2.5), claim: "durable"},
		},
	}
}

type durable struct{ bench *bench }

func (t durable) close() {}

func (t durable) round(ctx context.Context, s samples) error {
	for _, c := range []struct {
		series     string
		callers, n int
	}{
		{"one", 1, t.bench.size.solo}, {"many", manyCallers, t.bench.size.durable},
	} {
		rate, err := t.issuing(ctx, c.callers, c.n)
		if err != nil {
			return err
		}
		s.add(c.series, rate)
	}
	return nil
}

// issuing is how many sessions a second so many callers issue in a fresh file.
func (t durable) issuing(ctx context.Context, callers, n int) (float64, error) {
	dir, err := os.MkdirTemp(t.bench.dir, "durable-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "sessions.db"))
	if err != nil {
		return 0, err
	}
	m, stop, err := startManager(ctx, store)
	if err != nil {
		return 0, errors.Join(err, store.Close())
	}
	rate, err := signIns(ctx, m, callers, n)
	stop()
	return rate, errors.Join(err, store.Close())
}

// signIns times the public Issue. The attempts are begun before: in between
// lies the verification of a password, a thousand times as long as either.
func signIns(ctx context.Context, m *session.Manager, callers, n int) (float64, error) {
	attempts := make([]session.Attempt, (n+perSubject-1)/perSubject)
	for i := range attempts {
		var err error
		if attempts[i], err = m.Begin(ctx, subject(i)); err != nil {
			return 0, err
		}
	}
	errs := make([]error, callers)
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for caller := range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if _, _, err := m.Issue(ctx, attempts[i/perSubject], browserGrant(i)); err != nil {
					errs[caller] = err
					return
				}
			}
		})
	}
	all.Wait()
	rate := float64(n) / time.Since(began).Seconds()
	return rate, errors.Join(errs...)
}

// browserGrant is what a sign-in in a browser gives.
func browserGrant(int) session.Grant {
	return session.Grant{
		Methods: session.Password,
		Client: session.Client{
			UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
			Address:   "192.0.2.1",
		},
	}
}
