package server

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"cloakroom/internal/authority"
	"cloakroom/session"
)

// faulty is a store in which something can go wrong.
type faulty struct {
	session.Store
	fault atomic.Pointer[func(context.Context) error] // asked before each load, begin, issue, renewal and change
	// overtake, unless nil, is called when a sign-in has begun and nothing of the
	// account was read yet, and beforeIssue when it was decided and its session is
	// about to be issued; set before the first request.
	overtake, beforeIssue func()
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

func (f *faulty) Create(ctx context.Context, now time.Time, c session.Creation, joins []session.Join) (session.Created, error) {
	if f.beforeIssue != nil {
		f.beforeIssue()
	}
	if err := f.strike(ctx); err != nil {
		return session.Created{}, err
	}
	return f.Store.Create(ctx, now, c, joins)
}

func (f *faulty) Apply(ctx context.Context, now time.Time, c session.Change, joins []session.Join) (session.Position, error) {
	if err := f.strike(ctx); err != nil {
		return session.Position{}, err
	}
	return f.Store.Apply(ctx, now, c, joins)
}

func (f *faulty) Renew(ctx context.Context, now time.Time, r session.Renewal) (session.Renewed, error) {
	if err := f.strike(ctx); err != nil {
		return session.Renewed{}, err
	}
	return f.Store.Renew(ctx, now, r)
}

func (f *faulty) Confirm(ctx context.Context, now time.Time, token session.Hash, grace time.Duration) (session.Position, error) {
	if err := f.strike(ctx); err != nil {
		return session.Position{}, err
	}
	return f.Store.Confirm(ctx, now, token, grace)
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
		o.Config.Database, o.Config.Policies = "sqlite:"+first.Database(), policies
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
			for _, path := range []string{"/check", "/check/fresh", "/forward", "/forward/fresh", "/v1/session", "/v1/sessions"} {
				a := s.with(cookie).do("GET", path, "").problem(http.StatusServiceUnavailable, "unavailable")
				if a.header.Get("Retry-After") == "" || a.header.Get("Location") != "" {
					t.Errorf("%s: headers %v", path, a.header)
				}
			}
			s.with(cookie).do("POST", "/v1/sign-out", "").problem(http.StatusServiceUnavailable, "unavailable")
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("the answers took %v", took)
			}
			s.with(other).do("GET", "/check", "").is(http.StatusOK) // memory needs no store
			store.mend()
			s.with(cookie).do("GET", "/check", "").is(http.StatusOK)
		})
	}
}

// TestAStoreThatHangsUnderAWriteIsA503: nobody waits longer than a request may
// take, and whether it was done is not claimed.
func TestAStoreThatHangsUnderAWriteIsA503(t *testing.T) {
	store := new(faulty)
	s := newSite(t, func(o *Options) {
		o.patience = time.Second
		o.wrap = func(inner session.Store) session.Store { store.Store = inner; return store }
	})
	ada := s.browser().signUp("ada@example.com")
	store.set(hanging)
	for _, r := range []struct{ method, path, body string }{
		{"POST", "/v1/sign-out", ""}, {"DELETE", "/v1/sessions", ""}, {"POST", "/v1/reauthenticate", `{"password":"` + goodPassword + `"}`},
		{"POST", "/v1/sign-up", credentials("eve@example.com", goodPassword)},
	} {
		began := time.Now()
		s.with(ada.cookie).do(r.method, r.path, r.body).is(http.StatusServiceUnavailable).setsNoCookie()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s %s took %v", r.method, r.path, took)
		}
	}
	store.mend()
	ada.do("GET", "/v1/session", "").is(http.StatusOK)
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
	once.Store(false)
	s.browser().do("POST", "/v1/token", credentials("ada@example.com", goodPassword)).problem(http.StatusConflict, "moved")
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).is(http.StatusOK)
}

// overtaken are the ways to prove who one is with a password that is right when
// it is verified. The browser is signed in, or ignored.
var overtaken = map[string]func(*browser) answer{
	"a sign-in": func(b *browser) answer {
		return b.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword))
	},
	"a re-authentication": func(b *browser) answer {
		return b.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`)
	},
	"another change": func(b *browser) answer {
		return b.do("POST", "/v1/account/password", change(goodPassword, "a password of somebody else"))
	},
}

// TestNoSessionComesOfAPasswordThatIsChangedMeanwhile: between the verification
// of the old password and the issue its owner changes it, by a request of their
// own.
func TestNoSessionComesOfAPasswordThatIsChangedMeanwhile(t *testing.T) {
	for name, prove := range overtaken {
		t.Run(name, func(t *testing.T) {
			s, store, cookie, _ := newFaultySite(t)
			owner, thief := s.with(cookie), s.browser().signIn("ada@example.com")
			var once atomic.Bool
			store.beforeIssue = func() {
				if once.CompareAndSwap(false, true) {
					a := owner.do("POST", "/v1/account/password", change(goodPassword, nextPassword))
					if a.status != http.StatusOK {
						t.Errorf("the change was answered with %d: %s", a.status, a.text)
					}
				}
			}
			prove(thief).problem(http.StatusConflict, "moved")
			thief.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
			if list := owner.do("GET", "/v1/sessions", "").is(http.StatusOK).at("sessions").([]any); len(list) != 1 {
				t.Errorf("%d sessions", len(list))
			}
			s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusUnauthorized, "bad-credentials")
			s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", nextPassword)).is(http.StatusOK)
		})
	}
}

// TestAnAccountThatIsDeletedMeanwhileIsNoLongerThere: it is deleted when a
// session of it was found to be live, and before anything is done in it.
func TestAnAccountThatIsDeletedMeanwhileIsNoLongerThere(t *testing.T) {
	deleting := func(t *testing.T) (store *faulty, b *browser, remove func()) {
		s, store, cookie, _ := newFaultySite(t)
		b = s.with(cookie)
		id := b.accountID()
		var once atomic.Bool
		return store, b, func() {
			if once.CompareAndSwap(false, true) {
				if _, err := s.authority.Delete(t.Context(), authority.Operator(), id); err != nil {
					t.Error(err)
				}
			}
		}
	}
	for name, want := range map[string]struct {
		status  int
		problem string
	}{
		"a re-authentication": {http.StatusUnauthorized, "signed-out"},
		"another change":      {http.StatusUnauthorized, "signed-out"},
		"a sign-in":           {http.StatusUnauthorized, "bad-credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			store, b, remove := deleting(t)
			store.beforeIssue = remove
			overtaken[name](b).problem(want.status, want.problem)
			b.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
		})
	}
	t.Run("a sign-out", func(t *testing.T) {
		store, b, remove := deleting(t)
		b.do("GET", "/v1/session", "").is(http.StatusOK)
		store.set(func(context.Context) error { remove(); return nil })
		if a := b.do("POST", "/v1/sign-out", "").is(http.StatusNoContent); b.cookie != "" {
			t.Errorf("the cookie stays: %v", a.header)
		}
	})
	t.Run("the end of one session", func(t *testing.T) {
		store, b, remove := deleting(t)
		id, _ := b.do("GET", "/v1/session", "").at("session.id").(string)
		store.set(func(context.Context) error { remove(); return nil })
		b.do("DELETE", "/v1/sessions/"+id, "").problem(http.StatusUnauthorized, "signed-out")
	})
	t.Run("the end of all sessions", func(t *testing.T) {
		store, b, remove := deleting(t)
		b.do("GET", "/v1/session", "").is(http.StatusOK)
		store.set(func(context.Context) error { remove(); return nil })
		b.do("DELETE", "/v1/sessions?all=true", "").problem(http.StatusUnauthorized, "signed-out")
		b.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
	})
	t.Run("a change of the name", func(t *testing.T) {
		store, b, remove := deleting(t)
		store.set(func(context.Context) error { remove(); return nil })
		b.do("PATCH", "/v1/account", `{"name":"Ada King"}`).problem(http.StatusUnauthorized, "signed-out")
		b.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
	})
}
