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
			{what: fmt.Sprintf("renewals, %d callers", manyCallers), measured: "renewed", peer: "many", peerName: "sign-ins", unit: perSecond, bar: rateAbove(0.5)},
			{what: "first uses of the new tokens, each a write as well", measured: "used", unit: perSecond, bar: informs(perSecond)},
		},
	}
}

type durable struct{ bench *bench }

func (t durable) close() {}

func (t durable) round(ctx context.Context, s samples) error {
	for _, c := range []struct {
		series     string
		callers, n int
	}{{"one", 1, t.bench.size.solo}, {"many", manyCallers, t.bench.size.durable}} {
		err := t.inAFreshFile(ctx, func(m *session.Manager) error {
			rate, err := signIns(ctx, m, c.callers, c.n)
			s.add(c.series, rate)
			return err
		})
		if err != nil {
			return err
		}
	}
	return t.inAFreshFile(ctx, func(m *session.Manager) error { return renewals(ctx, m, t.bench.size.durable, s) })
}

// inAFreshFile measures with a Manager that runs on one.
func (t durable) inAFreshFile(ctx context.Context, measure func(*session.Manager) error) error {
	dir, err := os.MkdirTemp(t.bench.dir, "durable-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "sessions.db"))
	if err != nil {
		return err
	}
	m, stop, err := startManager(ctx, store)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	err = measure(m)
	stop()
	return errors.Join(err, store.Close())
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
	return perSecondOf(callers, n, func(i int) error {
		_, _, err := m.Issue(ctx, attempts[i/perSubject], browserGrant(i))
		return err
	})
}

// renewals times the public Renew of as many sessions, and the first Check of each new
// token, which is a write of its own.
func renewals(ctx context.Context, m *session.Manager, n int, s samples) error {
	refresh, renewed := make([]string, n), make([]string, n)
	_, err := perSecondOf(manyCallers, n, func(i int) error {
		attempt, err := m.Begin(ctx, subject(i))
		if err != nil {
			return err
		}
		token, _, err := m.Issue(ctx, attempt, renewableGrant(i))
		refresh[i] = token.Refresh().Reveal()
		return err
	})
	if err != nil {
		return err
	}
	rate, err := perSecondOf(manyCallers, n, func(i int) error {
		token, _, err := m.Renew(ctx, refresh[i])
		renewed[i] = token.Reveal()
		return err
	})
	if err != nil {
		return err
	}
	s.add("renewed", rate)
	rate, err = perSecondOf(manyCallers, n, func(i int) error {
		_, err := m.Check(ctx, renewed[i], session.Cached)
		return err
	})
	s.add("used", rate)
	return err
}

// perSecondOf has so many callers do something n times, and returns the rate.
func perSecondOf(callers, n int, do func(i int) error) (float64, error) {
	errs := make([]error, callers)
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for caller := range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && errs[caller] == nil; i = int(next.Add(1)) - 1 {
				errs[caller] = do(i)
			}
		})
	}
	all.Wait()
	return float64(n) / time.Since(began).Seconds(), errors.Join(errs...)
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
