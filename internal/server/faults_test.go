package server

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"cloakroom/session"
)

// faulty is a store in which something can go wrong.
type faulty struct {
	session.Store
	fault atomic.Pointer[func(context.Context) error] // asked before each load, begin and change
	// overtake, unless nil, is called when a sign-in has begun and nothing of the
	// account was read yet; set before the first request.
	overtake func()
}

func (f *faulty) set(fault func(context.Context) error) { f.fault.Store(&fault) }
func (f *faulty) mend()                                 { f.fault.Store(nil) }

func (f *faulty) strike(ctx context.Context) error {
	if fault := f.fault.Load(); fault != nil {
		return (*fault)(ctx)
	}
	return nil
}

func (f *faulty) Load(ctx context.Context, now time.Time, token session.Hash) (session.Loaded, error) {
	if err := f.strike(ctx); err != nil {
		return session.Loaded{}, err
	}
	return f.Store.Load(ctx, now, token)
}

func (f *faulty) Begin(ctx context.Context, subject string) (session.Epochs, error) {
	if err := f.strike(ctx); err != nil {
		return session.Epochs{}, err
	}
	epochs, err := f.Store.Begin(ctx, subject)
	if f.overtake != nil {
		f.overtake()
	}
	return epochs, err
}

func (f *faulty) Apply(ctx context.Context, now time.Time, c session.Change, joins []session.Join) (session.Position, error) {
	if err := f.strike(ctx); err != nil {
		return session.Position{}, err
	}
	return f.Store.Apply(ctx, now, c, joins)
}

func failing(context.Context) error { return errors.New("disk on fire in /very/private/path") }

func hanging(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// newFaultySite is a server whose cache is empty, so that every first check
// asks the store, and two people's cookies.
func newFaultySite(t *testing.T) (*site, *faulty, string, string) {
	first := newSite(t)
	one, two := first.browser().signUp("ada@example.com"), first.browser().signUp("eve@example.com")
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	store := new(faulty)
	s := newSite(t, func(o *Options) {
		o.Config.Database = "sqlite:" + first.Database()
		o.wrap = func(inner session.Store) session.Store { store.Store = inner; return store }
	})
	return s, store, one.cookie, two.cookie
}

func TestAStoreThatFailsOrHangsIsA503AndTheCookieStays(t *testing.T) {
	for name, fault := range map[string]func(context.Context) error{"fails": failing, "hangs": hanging} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, store, cookie, other := newFaultySite(t)
			s.with(other).do("GET", "/v1/session", "").is(http.StatusOK) // now in memory
			store.set(fault)
			began := time.Now()
			for _, path := range []string{"/check", "/v1/session", "/v1/sessions"} {
				a := s.with(cookie).do("GET", path, "").problem(http.StatusServiceUnavailable, "unavailable")
				if a.header.Get("Retry-After") == "" || a.header.Get("Location") != "" {
					t.Errorf("%s: headers %v", path, a.header)
				}
			}
			s.with(cookie).do("POST", "/v1/sign-out", "").problem(http.StatusServiceUnavailable, "unavailable")
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("four answers took %v", took)
			}
			s.with(other).do("GET", "/check", "").is(http.StatusOK) // memory needs no store
			store.mend()
			s.with(cookie).do("GET", "/check", "").is(http.StatusOK)
		})
	}
}

func TestAStoreThatFailsSignsNobodyInOrOut(t *testing.T) {
	s, store, cookie, _ := newFaultySite(t)
	b := s.with(cookie)
	id := b.sessionID()
	store.set(failing)
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusServiceUnavailable, "unavailable")
	s.browser().do("POST", "/v1/sign-up", credentials("new@example.com", goodPassword)).problem(http.StatusServiceUnavailable, "unavailable")
	b.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`).problem(http.StatusServiceUnavailable, "unavailable")
	b.do("DELETE", "/v1/sessions/"+id, "").problem(http.StatusServiceUnavailable, "unavailable")
	b.do("DELETE", "/v1/sessions", "").problem(http.StatusServiceUnavailable, "unavailable")
	b.do("POST", "/v1/sign-out", "").problem(http.StatusServiceUnavailable, "unavailable")
	store.mend()
	b.do("GET", "/v1/session", "").is(http.StatusOK)
	s.browser().do("POST", "/v1/sign-in", credentials("new@example.com", goodPassword)).problem(http.StatusUnauthorized, "bad-credentials")
}

func TestASignInWhosePasswordCheckWasOvertakenIsToldToTryAgain(t *testing.T) {
	s, store, cookie, _ := newFaultySite(t)
	subject, _ := s.with(cookie).do("GET", "/v1/session", "").at("account.id").(string)
	var once atomic.Bool
	store.overtake = func() {
		if once.CompareAndSwap(false, true) {
			if _, err := s.sessions.Apply(t.Context(), session.RevokeAll(subject)); err != nil {
				t.Error(err)
			}
		}
	}
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusConflict, "moved")
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).is(http.StatusOK)
}
