package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cloakroom/session"
)

// cacheBytes is more than any of the caches here needs: nothing is evicted.
const cacheBytes = 16 << 30

// startManager returns a Manager that runs, until stop has returned.
func startManager(ctx context.Context, store session.Store) (m *session.Manager, stop func(), err error) {
	m, err = session.New(session.Config{Store: store, CacheBytes: cacheBytes, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { _ = m.Run(ctx) }) // fails only if it runs already
	stop = func() {
		cancel()
		running.Wait()
	}
	return m, stop, awaitRun(ctx, m)
}

// awaitRun returns when the Manager answers from its cache. A check of the
// level Fresh waits for that, and rejects an invented token then.
func awaitRun(ctx context.Context, m *session.Manager) error {
	invented := "cks_" + strings.Repeat("A", 49)
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		_, err := m.Peek(ctx, invented, session.Fresh)
		if errors.Is(err, session.ErrNoSession) {
			return nil
		}
		if time.Since(began) > 5*time.Second {
			return fmt.Errorf("the Manager does not begin: %w", err)
		}
	}
}

// tokens are the texts of many tokens, all of one length, in one string: a
// million strings would give the garbage collector a million things to mark.
type tokens struct {
	all  string
	n    int
	size int
}

func (t tokens) at(i int) string { return t.all[i*t.size : (i+1)*t.size] }

// order is where an issuer keeps the tokens that it hands out: shuffled, so
// that walking through them meets records, cells and profiles in no order.
type order struct {
	place []int
	all   []byte
	size  int
}

// tokenLen is how long the text of every token is.
const tokenLen = 53

// newOrder makes room for n tokens.
func newOrder(n int) *order {
	return &order{place: rand.Perm(n), all: make([]byte, n*tokenLen), size: tokenLen}
}

func (o *order) keep(i int, t session.Token) { copy(o.all[o.place[i]*o.size:], t.Reveal()) }

func (o *order) tokens() tokens { return tokens{string(o.all), len(o.place), o.size} }

// issuing is a number of sign-ins to carry out.
type issuing struct {
	n       int
	callers int
	subject func(i int) string
	grant   func(i int) session.Grant
	keep    func(i int, t session.Token) // called by several goroutines
	told    func(done int)               // unless nil, now and then
}

// issue carries out the sign-ins by the public calls, from so many callers at
// a time.
func issue(ctx context.Context, m *session.Manager, w issuing) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range w.callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < w.n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := w.one(ctx, m, i); err != nil {
					cancel(fmt.Errorf("issue session %d: %w", i, err))
					return
				}
				if w.told != nil && i > 0 && i%100_000 == 0 {
					w.told(i)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

func (w issuing) one(ctx context.Context, m *session.Manager, i int) error {
	attempt, err := m.Begin(ctx, w.subject(i))
	if err != nil {
		return err
	}
	token, _, err := m.Issue(ctx, attempt, w.grant(i))
	if err == nil && w.keep != nil {
		w.keep(i, token)
	}
	return err
}

// populate issues n sessions of as many subjects, each with a profile of 200
// bytes, checks each of them once, so that all are cached and marked as seen,
// and returns their tokens, shuffled.
func (b *bench) populate(ctx context.Context, m *session.Manager, n int) (tokens, error) {
	kept := newOrder(n)
	err := issue(ctx, m, issuing{
		n: n, callers: 64, subject: subject, grant: grantWithProfile, keep: kept.keep,
		told: func(done int) { b.say("issued %s sessions of %s", count(done), count(n)) },
	})
	if err != nil {
		return tokens{}, err
	}
	t := kept.tokens()
	for i := range n {
		if _, err := m.Check(ctx, t.at(i), session.Cached); err != nil {
			return tokens{}, fmt.Errorf("check session %d: %w", i, err)
		}
	}
	return t, nil
}

// checking checks, by the public call, the next token each time, beginning
// with one of them.
func checking(ctx context.Context, m *session.Manager, t tokens, from int) work {
	next := from
	return func(n int) error {
		i := next
		for range n {
			if _, err := m.Check(ctx, t.at(i), session.Cached); err != nil {
				return err
			}
			if i++; i == t.n {
				i = 0
			}
		}
		next = i
		return nil
	}
}

// The claims of everybody: what a JWT of the peers says, and our profile.
const (
	userName  = "Ada Lovelace-Byron"
	userEmail = "ada.lovelace@example.com"
)

func userRoles() []string { return []string{"editor", "billing", "admin"} }

func subject(i int) string { return fmt.Sprintf("user-%09d-of-the-bench", i) }

// renewableGrant is the same for what renews its token.
func renewableGrant(i int) session.Grant {
	g := grantWithProfile(i)
	g.Bearer, g.Renewable = true, true
	return g
}

// grantWithProfile is a sign-in with a profile of 200 bytes.
func grantWithProfile(int) session.Grant {
	const profileBytes = 200
	p := session.Profile{Name: userName, Email: userEmail, EmailVerified: true, Roles: userRoles()}
	used := len(p.Name) + len(p.Email) + len(strings.Join(p.Roles, ","))
	const empty = len(`{"note":""}`)
	p.Attributes = []byte(`{"note":"` + strings.Repeat("x", profileBytes-used-empty) + `"}`)
	return session.Grant{Methods: session.Password, Profile: &p}
}
