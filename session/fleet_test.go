package session_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

const delta = time.Second

// link is a node's connection to the store. A test replaces what a method does
// by a hook, which gets the real method to call, or not to.
type link struct {
	session.Store

	mu    sync.Mutex // guards all below
	tick  func(ctx context.Context, next func() (session.Batch, error)) (session.Batch, error)
	load  func(next func() (session.Loaded, error)) (session.Loaded, error)
	touch func(next func() error) error
	down  bool // loads and writes fail
}

var errCut = errors.New("the connection is cut")

func (l *link) onTick(f func(context.Context, func() (session.Batch, error)) (session.Batch, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tick = f
}

func (l *link) onLoad(f func(func() (session.Loaded, error)) (session.Loaded, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load = f
}

func (l *link) onTouch(f func(func() error) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.touch = f
}

// cutTicks lets no tick through until the next onTick; loads pass.
func (l *link) cutTicks() {
	l.onTick(func(context.Context, func() (session.Batch, error)) (session.Batch, error) {
		return session.Batch{}, errCut
	})
}

// hangTicks has ticks hang until they are given up.
func (l *link) hangTicks() {
	l.onTick(func(ctx context.Context, _ func() (session.Batch, error)) (session.Batch, error) {
		<-ctx.Done()
		return session.Batch{}, ctx.Err()
	})
}

// cut lets nothing through; mend ends that.
func (l *link) cut() {
	l.cutTicks()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
}

func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tick, l.load, l.touch, l.down = nil, nil, nil, false
}

func (l *link) isDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down
}

func (l *link) Tick(ctx context.Context, after session.Position, limit int) (session.Batch, error) {
	l.mu.Lock()
	hook := l.tick
	l.mu.Unlock()
	next := func() (session.Batch, error) { return l.Store.Tick(ctx, after, limit) }
	if hook == nil {
		return next()
	}
	return hook(ctx, next)
}

func (l *link) Load(ctx context.Context, now time.Time, token session.Hash) (session.Loaded, error) {
	l.mu.Lock()
	hook, down := l.load, l.down
	l.mu.Unlock()
	next := func() (session.Loaded, error) { return l.Store.Load(ctx, now, token) }
	switch {
	case down:
		return session.Loaded{}, errCut
	case hook == nil:
		return next()
	}
	return hook(next)
}

func (l *link) Apply(ctx context.Context, now time.Time, c session.Change, joins []session.Join) (session.Position, error) {
	if l.isDown() {
		return session.Position{}, errCut
	}
	return l.Store.Apply(ctx, now, c, joins)
}

func (l *link) Renew(ctx context.Context, now time.Time, r session.Renewal) (session.Renewed, error) {
	if l.isDown() {
		return session.Renewed{}, errCut
	}
	return l.Store.Renew(ctx, now, r)
}

func (l *link) Confirm(ctx context.Context, now time.Time, token session.Hash, grace time.Duration) (session.Position, error) {
	if l.isDown() {
		return session.Position{}, errCut
	}
	return l.Store.Confirm(ctx, now, token, grace)
}

func (l *link) Touch(ctx context.Context, now time.Time, touches []session.Touch) error {
	l.mu.Lock()
	hook, down := l.touch, l.down
	l.mu.Unlock()
	next := func() error { return l.Store.Touch(ctx, now, touches) }
	switch {
	case down:
		return errCut
	case hook == nil:
		return next()
	}
	return hook(next)
}

// node is one Manager of a fleet, with its connection.
type node struct {
	*session.Manager
	t    *testing.T
	link *link
}

// bubble runs a schedule in fake time.
func bubble(t *testing.T, schedule func(t *testing.T, store *memory.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { schedule(t, memory.New()) })
}

// join adds a running node to the fleet of a store. edit may change its Config.
func join(t *testing.T, store session.Store, edit ...func(*session.Config)) *node {
	t.Helper()
	n := idleNode(t, store, edit...)
	n.run()
	return n
}

// idleNode is a node whose Run has not been called.
func idleNode(t *testing.T, store session.Store, edit ...func(*session.Config)) *node {
	t.Helper()
	l := &link{Store: store}
	cfg := session.Config{Store: l, Delta: delta, CacheBytes: 4 << 20, Logger: slog.New(slog.DiscardHandler)}
	for _, e := range edit {
		e(&cfg)
	}
	m, err := session.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &node{Manager: m, t: t, link: l}
}

// run keeps the node running until the test ends.
func (n *node) run() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = n.Run(ctx)
	}()
	n.t.Cleanup(func() {
		stop()
		<-done
	})
	synctest.Wait() // its first tick has been answered
}

// signIn issues a session and returns its token's text.
func (n *node) signIn(subject string, edit ...func(*session.Grant)) (string, session.Session) {
	n.t.Helper()
	a, err := n.Begin(n.t.Context(), subject)
	if err != nil {
		n.t.Fatal(err)
	}
	g := session.Grant{Methods: session.Password}
	for _, e := range edit {
		e(&g)
	}
	token, s, err := n.Issue(n.t.Context(), a, g)
	if err != nil {
		n.t.Fatal(err)
	}
	return token.Reveal(), s
}

func (n *node) apply(c session.Change) session.Position {
	n.t.Helper()
	pos, err := n.Apply(n.t.Context(), c)
	if err != nil {
		n.t.Fatal(err)
	}
	return pos
}

// revokeStrictly revokes everything of a subject and waits for all nodes.
func (n *node) revokeStrictly(subject string) {
	n.t.Helper()
	if err := n.Wait(n.t.Context(), n.apply(session.RevokeAll(subject))); err != nil {
		n.t.Fatal(err)
	}
}

// accepts demands that a check accepts; the invariant stands in the failure.
func (n *node) accepts(invariant, token string) session.Session {
	n.t.Helper()
	s, err := n.Check(n.t.Context(), token, session.Cached)
	if err != nil {
		n.t.Fatalf("%s: a valid session was not accepted: %v", invariant, err)
	}
	return s
}

// refuses demands that a check does not accept, whatever else it answers.
func (n *node) refuses(invariant, token string) {
	n.t.Helper()
	if _, err := n.Check(n.t.Context(), token, session.Cached); err == nil {
		n.t.Fatalf("%s: a check accepted what it must not", invariant)
	}
}

// rejects demands ErrNoSession.
func (n *node) rejects(invariant, token string) {
	n.t.Helper()
	_, err := n.Check(n.t.Context(), token, session.Cached)
	if !errors.Is(err, session.ErrNoSession) {
		n.t.Fatalf("%s: want ErrNoSession, got %v", invariant, err)
	}
}

// undecided demands ErrUnavailable.
func (n *node) undecided(invariant, token string) {
	n.t.Helper()
	_, err := n.Check(n.t.Context(), token, session.Cached)
	if !errors.Is(err, session.ErrUnavailable) {
		n.t.Fatalf("%s: want ErrUnavailable, got %v", invariant, err)
	}
}

// checking is a check that is under way.
type checking struct {
	done chan struct{}
	err  error
}

// startCheck begins a check and returns when it waits for something.
func (n *node) startCheck(token string, c session.Consistency) *checking {
	k := &checking{done: make(chan struct{})}
	go func() {
		defer close(k.done)
		_, k.err = n.Check(context.Background(), token, c)
	}()
	synctest.Wait()
	return k
}

func (k *checking) answer() error {
	<-k.done
	return k.err
}

// stoppable is join with a way to end the node's Run before the test ends.
func stoppable(t *testing.T, store session.Store, edit ...func(*session.Config)) (*node, func()) {
	t.Helper()
	n := idleNode(t, store, edit...)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = n.Run(ctx)
	}()
	synctest.Wait()
	stop := func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return n, stop
}

// clockless is a store with a clock of its own: it ignores what a node takes
// for the time.
type clockless struct {
	*memory.Store
}

func (s clockless) Load(ctx context.Context, _ time.Time, token session.Hash) (session.Loaded, error) {
	return s.Store.Load(ctx, time.Now(), token)
}

func (s clockless) Touch(ctx context.Context, _ time.Time, touches []session.Touch) error {
	return s.Store.Touch(ctx, time.Now(), touches)
}

func (s clockless) Sweep(ctx context.Context, _ time.Time, limit int) (int, error) {
	return s.Store.Sweep(ctx, time.Now(), limit)
}
