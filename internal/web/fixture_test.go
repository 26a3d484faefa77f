package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/internal/visitor"
	"cloakroom/session"
	"cloakroom/session/memory"
)

const (
	origin   = "https://app.example"
	email    = "ada@example.com"
	secret   = "four plain words here"
	renewed  = "another handful of words"
	firefox  = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	iphone   = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	formType = "application/x-www-form-urlencoded"
)

// site is the pages on a store in memory.
type site struct {
	t        *testing.T
	handler  http.Handler
	pages    *pages
	sessions *session.Manager
	accounts *accounts
	audit    *record
	store    *flaky
	stop     context.CancelFunc // ends Run: from then on nothing can be decided
}

func newSite(t *testing.T, adjust ...func(*Config)) *site {
	t.Helper()
	store := &flaky{Store: memory.New()}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	sessions, err := session.New(session.Config{
		Store: store, Origins: []string{origin}, Logger: quiet,
		Cookie: session.Cookie{RenewPath: "/auth" + visitor.RenewPath},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = sessions.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	buckets, record := &buckets{emptyAt: map[throttle.Key]int64{}}, &record{}
	people := &accounts{byEmail: map[string]string{}, byID: map[string]account.Credentials{}}
	cfg := Config{
		Sessions: sessions, PublicURL: origin, Logger: quiet,
		SignIn: &signin.Service{
			Sessions: sessions, Accounts: people, Logger: quiet,
			Throttle: throttle.New(throttle.Config{Store: buckets, Devices: devices{}}), Devices: devices{},
			Audit: record, Refusals: audit.NewRefusals(audit.RefusalsConfig{Store: record, Logger: quiet}),
			Passwords: password.New(password.Config{Params: password.Params{Memory: 64, Time: 1, Threads: 1}}),
		},
	}
	for _, f := range adjust {
		f(&cfg)
	}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t, h, h.(*pages), sessions, people, record, store, stop}
	s.awaitRun()
	return s
}

// awaitRun waits until the Manager has begun to decide.
func (s *site) awaitRun() {
	for range 500 {
		if _, err := s.sessions.Begin(context.Background(), "nobody"); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
	s.t.Fatal("the Manager does not run")
}

// accounts is an account.Store in memory.
type accounts struct {
	mu      sync.Mutex // guards what follows
	byEmail map[string]string
	byID    map[string]account.Credentials
	fail    error           // returned by reads
	onRead  func(id string) // called when the credentials have been read
}

func (a *accounts) IDByEmail(_ context.Context, email string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id, ok := a.byEmail[email]
	if a.fail != nil {
		return "", a.fail
	}
	if !ok {
		return "", account.ErrNotFound
	}
	return id, nil
}

func (a *accounts) Credentials(_ context.Context, id string) (account.Credentials, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.byID[id]
	if a.onRead != nil {
		a.onRead(id)
	}
	if a.fail != nil {
		return account.Credentials{}, a.fail
	}
	if !ok {
		return account.Credentials{}, account.ErrNotFound
	}
	return c, nil
}

func (a *accounts) Create(made account.Account, hash string) session.Join {
	return memory.Join(func(ctx context.Context) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if _, taken := a.byEmail[made.Email]; taken {
			return account.ErrTaken
		}
		memory.OnCommit(ctx, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.byEmail[made.Email] = made.ID
			a.byID[made.ID] = account.Credentials{Account: made, Hash: hash}
		})
		return nil
	})
}

func (a *accounts) Rehash(string, string, string) session.Join {
	return memory.Join(func(context.Context) error { return nil })
}

func (a *accounts) Alert(id string, at time.Time) session.Join {
	return memory.Join(func(context.Context) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		c := a.byID[id]
		c.AlertedAt = at
		a.byID[id] = c
		return nil
	})
}

func (a *accounts) SetPassword(id, hash string) session.Join {
	return memory.Join(func(ctx context.Context) error {
		memory.OnCommit(ctx, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			c := a.byID[id]
			c.Hash = hash
			a.byID[id] = c
		})
		return nil
	})
}

// disable sets an account's status, and nothing else.
func (a *accounts) disable(email string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.byID[a.byEmail[email]]
	c.Status = account.Disabled
	a.byID[c.ID] = c
}

// flaky is a store whose changes can be made to fail.
type flaky struct {
	session.Store
	mu   sync.Mutex // guards fail
	fail error
}

func (f *flaky) Apply(ctx context.Context, now time.Time, c session.Change, joins []session.Join) (session.Position, error) {
	f.mu.Lock()
	err := f.fail
	f.mu.Unlock()
	if err != nil {
		return session.Position{}, err
	}
	return f.Store.Apply(ctx, now, c, joins)
}

var errDisk = errors.New("no space left on device")

// failWith makes every change of authority fail, or, with nil, work again.
func (f *flaky) failWith(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

// failReads makes every read of an account fail.
func (a *accounts) failReads(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = err
}
