package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// checkEvery is 500 checks a second.
const checkEvery = 2 * time.Millisecond

// signInEvery is how long the two who sign in are content with it, at least: a person
// does not sign in without end, and who does goes last.
const signInEvery = 2 * time.Second

// fewAddresses are used up within a flood: an address has 60 guesses.
const fewAddresses = 4

// flood is what becomes of the product while many callers guess passwords: some
// of them that of one account, the others that of no account twice. Where each
// has an address of its own, nothing tells these guesses from honest sign-ins
// before they are hashed; where they share a few, the throttle soon knows them.
//
// Looked at are the memory that the process takes at most, checks at a steady
// rate beside the same before the flood, how those are answered that are not
// looked at, and how long two people take to sign in, from addresses that have
// no part in it: the one whose account is guessed at, on a known device, and
// somebody else on a new one. Told to wait, they wait as long as they are told.
//
// The callers are on this machine, so a round also shows what the processors
// that they take are missing for.
func (b *bench) flood(addresses int) experiment {
	what := fmt.Sprintf("flood, %d callers, %d addresses: ", b.size.callers, addresses)
	slots := max(1, runtime.GOMAXPROCS(0)-1)
	return experiment{
		name:  fmt.Sprintf("flood from %d addresses", addresses),
		needs: findLoopback,
		open:  func(context.Context, *bench) (trial, error) { return flood{b, addresses}, nil },
		rows: []row{
			{what: what + fmt.Sprintf("memory, hashing %d at a time", slots), measured: "peak", peer: "resident", peerName: "before it", unit: megabytes, bar: limit(withinBudget(slots), megabytes)},
			{what: what + "/check, 500/s, p99", measured: "check", peer: "quiet check", peerName: "before it", unit: milliseconds, bar: above(5, milliseconds)},
			{what: what + "503 or 429, p99", measured: "refused", peer: "looked at", peerName: "401, p99", unit: milliseconds, bar: limit(250, milliseconds)},
			{what: what + "share refused so", measured: "share", unit: percent, bar: informs(percent)},
			{what: what + "guesses that were answered", measured: "rate", unit: perSecond, bar: informs(perSecond)},
			{what: what + "correct sign-in, known device, longest", measured: "owner", unit: seconds, bar: limit(10, seconds), worst: true},
			{what: what + "correct sign-in, other account, longest", measured: "other", unit: seconds, bar: limit(10, seconds), worst: true},
		},
	}
}

// withinBudget is what hashing may take at a time, 19 MiB for each, and 100 MB.
func withinBudget(slots int) float64 { return float64(slots)*19*(1<<20)/1e6 + 100 }

type flood struct {
	bench     *bench
	addresses int
}

func (t flood) close() {}

// round has a process of its own, for only so is its peak that of the round.
func (t flood) round(ctx context.Context, s samples) error {
	p, err := t.bench.freshProduct(ctx)
	if err != nil {
		return err
	}
	defer p.end()
	b, err := meetBystanders(ctx, p, t.bench.size.patience)
	if err != nil {
		return err
	}
	defer b.leave()
	quiet, err := t.checks(ctx, p, b)
	if err != nil {
		return err
	}
	resident, err := p.memory(residentNow)
	if err != nil {
		return err
	}
	f := beginGuessing(ctx, p, t.bench.size.callers, t.addresses, b.owner.email)
	busy, err := t.meanwhile(ctx, p, b, s)
	if ended := f.end(); err == nil {
		err = ended
	}
	if err != nil {
		return err
	}
	peak, err := p.memory(residentPeak)
	s.add("resident", resident)
	s.add("peak", peak)
	s.add("quiet check", percentile(quiet, 99))
	s.add("check", percentile(busy, 99))
	f.report(s)
	return err
}

// checks asks for the check of one session at the steady rate.
func (t flood) checks(ctx context.Context, p *product, b *bystanders) ([]float64, error) {
	n := int(t.bench.size.flood / checkEvery)
	return paced(ctx, checkEvery, n, func(ctx context.Context) error {
		a, err := get(ctx, b.checking, p.base+"/check", b.watcher.check())
		if err == nil {
			err = a.wanted("a check")
		}
		return err
	})
}

// meanwhile checks, and lets the two sign in, one after the other, over and over.
func (t flood) meanwhile(ctx context.Context, p *product, b *bystanders, s samples) (checks []float64, err error) {
	var done atomic.Bool
	var both sync.WaitGroup
	var failed error
	both.Go(func() {
		defer done.Store(true)
		checks, failed = t.checks(ctx, p, b)
	})
	var owner, other time.Duration
	for first := true; first || !done.Load(); first = false {
		var took time.Duration
		if took, err = b.signIn(ctx, p, b.owners, b.owner, b.owner.device); err != nil {
			break
		}
		owner = max(owner, took)
		if took, err = b.signIn(ctx, p, b.others, b.other, ""); err != nil {
			break
		}
		other = max(other, took)
		time.Sleep(signInEvery)
	}
	both.Wait()
	if err == nil {
		err = failed
	}
	s.add("owner", owner.Seconds())
	s.add("other", other.Seconds())
	return checks, err
}

// bystanders are those who have no part in a flood.
type bystanders struct {
	watcher, owner, other    person       // the watcher never signs in again, so the session stays
	checking, owners, others *http.Client // each from an address of its own
	patience                 time.Duration
}

func meetBystanders(ctx context.Context, p *product, patience time.Duration) (*bystanders, error) {
	const connections = 64 // more than are needed for checks that come in time
	b := &bystanders{
		checking: from("127.1.0.1", connections), owners: from("127.1.0.2", 1), others: from("127.1.0.3", 1),
		patience: patience,
	}
	for _, who := range []struct {
		*person
		client *http.Client
		email  string
	}{
		{&b.watcher, b.checking, "watcher@example.com"},
		{&b.owner, b.owners, "owner@example.com"},
		{&b.other, b.others, "other@example.com"},
	} {
		var err error
		if *who.person, err = enrol(ctx, who.client, p.base, who.email); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *bystanders) leave() {
	for _, c := range []*http.Client{b.checking, b.owners, b.others} {
		c.CloseIdleConnections()
	}
}

// signIn is how long it takes until the person is signed in. Whoever is told to
// wait does, and gives up when there is no patience left: all of that is what
// counts then.
func (b *bystanders) signIn(ctx context.Context, p *product, c *http.Client, who person, device string) (time.Duration, error) {
	for began := time.Now(); ; {
		a, err := signIn(ctx, c, p.base, who.email, rightPassword, device)
		if err != nil {
			return 0, err
		}
		if a.status == http.StatusOK {
			return time.Since(began), nil
		}
		wait, err := a.refusal()
		if err != nil {
			return 0, fmt.Errorf("a correct sign-in: %w", err)
		}
		if time.Since(began)+wait > b.patience {
			return b.patience, nil
		}
		time.Sleep(wait)
	}
}

// refusal is after how long somebody is to try again who was not looked at. Any
// other answer is an error, and so is a refusal that does not say it.
func (a answer) refusal() (time.Duration, error) {
	if a.status != http.StatusServiceUnavailable && a.status != http.StatusTooManyRequests {
		return 0, fmt.Errorf("answered %d: %.300s", a.status, a.body)
	}
	after, err := strconv.Atoi(a.retryAfter)
	if err != nil || after < 1 {
		return 0, fmt.Errorf("answered %d with Retry-After %q", a.status, a.retryAfter)
	}
	return time.Duration(after) * time.Second, nil
}
