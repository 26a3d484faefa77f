package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

// renewing is a node whose tokens live for ten minutes.
func renewing(c *session.Config) {
	c.TokenLifetime = 10 * time.Minute
	c.Cookie.RenewPath = "/renew"
}

// issueRenewable begins a renewable session.
func (n *node) issueRenewable(subject string) session.Token {
	n.t.Helper()
	attempt, err := n.Begin(n.t.Context(), subject)
	if err != nil {
		n.t.Fatal(err)
	}
	token, _, err := n.Issue(n.t.Context(), attempt, session.Grant{Renewable: true, Bearer: true})
	if err != nil {
		n.t.Fatal(err)
	}
	if token.Refresh() == (session.Token{}) {
		n.t.Fatal("no refresh token")
	}
	return token
}

// renew is answered.
func (n *node) renew(t session.Token) session.Token {
	n.t.Helper()
	next, _, err := n.Renew(n.t.Context(), t.Refresh().Reveal())
	if err != nil {
		n.t.Fatalf("renew: %v", err)
	}
	return next
}

func TestARenewedTokenTakesTheOldOnesPlaceOnceItIsUsed(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store, renewing), join(t, store, renewing)
		old := a.issueRenewable("ada")
		b.accepts("I8", old.Reveal())
		next := a.renew(old)
		if again := b.renew(old); again != next {
			t.Error("two nodes derive two pairs")
		}
		a.accepts("I8", old.Reveal()) // nobody has shown that the new one arrived
		a.accepts("I8", next.Reveal())
		a.accepts("I8", old.Reveal()) // in its grace
		b.accepts("I8", old.Reveal())
		if again := b.renew(old); again != next {
			t.Error("in its grace the old refresh token gives another pair")
		}
		time.Sleep(11 * time.Second)
		a.rejects("I1", old.Reveal())
		b.rejects("I1", old.Reveal()) // which had it cached for ten minutes
		a.accepts("I8", next.Reveal())
		b.accepts("I8", next.Reveal())
	})
}

// TestWhatConfirmsByARefreshTokenHoldsHereAtOnce: the old token was cached for ten
// minutes, and no news comes.
func TestWhatConfirmsByARefreshTokenHoldsHereAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, renewing)
		old := a.issueRenewable("ada")
		a.accepts("I8", old.Reveal())
		next := a.renew(old)
		a.link.cutTicks()
		third := a.renew(next)
		if left := time.Until(a.accepts("I8", old.Reveal()).TokenExpiresAt()); left > 11*time.Second {
			t.Errorf("I1: what was superseded goes on for %v", left)
		}
		a.link.mend()
		a.accepts("I8", third.Reveal())
	})
}

func TestARenewableSessionInCookiesNeedsItsPath(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		attempt, err := a.Begin(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "/sign-in", nil)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		w := httptest.NewRecorder()
		if _, err := a.SignIn(w, r, attempt, session.Grant{Renewable: true}); !errors.Is(err, session.ErrInvalid) || len(w.Header()["Set-Cookie"]) > 0 {
			t.Errorf("%v, %v", err, w.Header())
		}
		for _, path := range []string{"renew", "/renew; Domain=example.com", "/re new", "/ä"} {
			cfg := session.Config{Store: store, Cookie: session.Cookie{RenewPath: path}}
			if _, err := session.New(cfg); !errors.Is(err, session.ErrInvalid) {
				t.Errorf("%q: %v", path, err)
			}
		}
		for _, lifetime := range []time.Duration{time.Second, 49 * time.Hour, 5500 * time.Millisecond, -time.Hour} {
			if _, err := session.New(session.Config{Store: store, TokenLifetime: lifetime}); !errors.Is(err, session.ErrInvalid) {
				t.Errorf("%v: %v", lifetime, err)
			}
		}
	})
}

func TestATokenEndsAndItsRenewalGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, renewing)
		token := a.issueRenewable("ada")
		s := a.accepts("I8", token.Reveal())
		if left := time.Until(s.TokenExpiresAt()); left > 10*time.Minute || left < 10*time.Minute-2*time.Second {
			t.Errorf("it ends in %v", left)
		}
		if left := time.Until(s.ExpiresAt()); left < 29*24*time.Hour {
			t.Errorf("the session ends in %v", left)
		}
		for range 100 {
			time.Sleep(11 * time.Minute)
			a.rejects("I15", token.Reveal())
			token = a.renew(token)
			if cached := a.accepts("I8", token.Reveal()); cached.ID() != s.ID() {
				t.Fatal("another session")
			}
			a.accepts("I8", token.Reveal())
		}
	})
}

func TestARefreshTokenThatIsUsedTwiceEndsTheSession(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		var told []session.ReusedError
		a := join(t, store, renewing, func(c *session.Config) {
			c.Reused = func(e *session.ReusedError) []session.Join {
				return []session.Join{memory.Join(func(context.Context) error { told = append(told, *e); return nil })}
			}
		})
		old := a.issueRenewable("ada")
		id := a.accepts("I8", old.Reveal()).ID()
		next := a.renew(old)
		a.accepts("I8", next.Reveal())
		time.Sleep(11 * time.Second)
		_, _, err := a.Renew(t.Context(), old.Refresh().Reveal())
		var reused *session.ReusedError
		if !errors.As(err, &reused) || reused.Subject != "ada" || reused.Session != id || !errors.Is(err, session.ErrNoSession) {
			t.Errorf("%v", err)
		}
		if len(told) != 1 || told[0].Session != id {
			t.Errorf("told %+v", told)
		}
		a.rejects("I1", next.Reveal())
		if _, _, err := a.Renew(t.Context(), next.Refresh().Reveal()); !errors.Is(err, session.ErrNoSession) {
			t.Errorf("the successor is renewed: %v", err)
		}
		if _, _, err := a.Renew(t.Context(), old.Refresh().Reveal()); !errors.Is(err, session.ErrNoSession) || errors.As(err, &reused) {
			t.Errorf("again: %v", err)
		}
	})
}

// TestNoKindOfTokenTakesAnothersPlace, and none that is of the wrong kind, or was not
// made here, is asked of the store.
func TestNoKindOfTokenTakesAnothersPlace(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, renewing)
		token := a.issueRenewable("ada")
		a.link.cut()
		access, refresh := token.Reveal(), token.Refresh().Reveal()
		for _, text := range []string{refresh, "", "ckr_", refresh[:52], refresh + "A", "cks_" + refresh[4:]} {
			a.rejects("I8", text)
		}
		other := "A"
		if strings.HasSuffix(refresh, other) {
			other = "B"
		}
		for _, text := range []string{access, "", "ckr_", refresh[:52], refresh + "A", "ckr_" + access[4:], "cks_" + refresh[4:], refresh[:52] + other} {
			if _, _, err := a.Renew(t.Context(), text); !errors.Is(err, session.ErrNoSession) {
				t.Errorf("Renew(%.8q…): %v", text, err)
			}
		}
		if _, _, err := a.Renew(t.Context(), refresh); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("an outage: %v", err)
		}
	})
}

func TestARenewalIsNoUseAndUsesThatAreNotWrittenCount(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		hour := func(c *session.Config) { c.Idle = time.Hour; c.TokenLifetime = 2 * time.Hour }
		a := join(t, store, renewing, hour)
		token := a.issueRenewable("ada")
		a.accepts("I8", token.Reveal())
		time.Sleep(59*time.Minute + 50*time.Second)
		a.accepts("I8", token.Reveal())
		time.Sleep(30 * time.Second) // the store still thinks it was last used an hour ago
		token = a.renew(token)
		a.accepts("I8", token.Reveal())
		for range 5 {
			time.Sleep(14 * time.Minute)
			if _, _, err := a.Renew(t.Context(), token.Refresh().Reveal()); errors.Is(err, session.ErrNoSession) {
				return
			}
		}
		t.Error("a session lives of its renewals")
	})
}

// TestNothingComesOfARenewalThatBeganBeforeARevocation, wherever it stands still.
func TestNothingComesOfARenewalThatBeganBeforeARevocation(t *testing.T) {
	for name, change := range map[string]func(session.Session) session.Change{
		"one":        func(s session.Session) session.Change { return session.Revoke(s.Subject(), s.ID()) },
		"all":        func(s session.Session) session.Change { return session.RevokeAll(s.Subject()) },
		"everything": func(session.Session) session.Change { return session.RevokeEverything() },
		"deleted":    func(s session.Session) session.Change { return session.DeleteSubject(s.Subject()) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, store *memory.Store) {
				a, b := join(t, store, renewing), join(t, store, renewing)
				old := a.issueRenewable("ada")
				s := a.accepts("I8", old.Reveal())
				next := a.renew(old)
				// The load of the new token has been answered, and is about to confirm it.
				reached, on := make(chan struct{}), make(chan struct{})
				var once sync.Once
				a.link.onLoad(func(load func() (session.Loaded, error)) (session.Loaded, error) {
					l, err := load()
					if l.Place == session.Next {
						once.Do(func() { close(reached); <-on })
					}
					return l, err
				})
				var checking sync.WaitGroup
				var err error
				checking.Go(func() { _, err = a.Check(t.Context(), next.Reveal(), session.Cached) })
				<-reached
				if _, err := b.Apply(t.Context(), change(s)); err != nil {
					t.Error(err)
				}
				close(on)
				checking.Wait()
				if !errors.Is(err, session.ErrNoSession) {
					t.Errorf("I10: the renewed token: %v", err)
				}
				a.link.mend()
				synctest.Wait()
				a.rejects("I10", next.Reveal())
				for _, token := range []session.Token{old, next} {
					if _, _, err := a.Renew(t.Context(), token.Refresh().Reveal()); !errors.Is(err, session.ErrNoSession) {
						t.Errorf("I10: renewed afterwards: %v", err)
					}
				}
			})
		})
	}
}

// TestARenewalThatIsOvertakenYieldsNothing: it stands still before the store is asked,
// or its first use before the store confirms it, while the session ends.
func TestARenewalThatIsOvertakenYieldsNothing(t *testing.T) {
	for name, change := range map[string]func(session.Session) session.Change{
		"revoked":    func(s session.Session) session.Change { return session.Revoke(s.Subject(), s.ID()) },
		"all":        func(s session.Session) session.Change { return session.RevokeAll(s.Subject()) },
		"everything": func(session.Session) session.Change { return session.RevokeEverything() },
		"deleted":    func(s session.Session) session.Change { return session.DeleteSubject(s.Subject()) },
	} {
		for _, at := range []string{"renewing", "confirming"} {
			t.Run(name+" while "+at, func(t *testing.T) {
				bubble(t, func(t *testing.T, store *memory.Store) {
					a, b := join(t, store, renewing), join(t, store, renewing)
					old := a.issueRenewable("ada")
					s := a.accepts("I8", old.Reveal())
					var once sync.Once
					a.SetPause(func(step string) {
						if step == at {
							once.Do(func() {
								if _, err := b.Apply(t.Context(), change(s)); err != nil {
									t.Error(err)
								}
							})
						}
					})
					next, _, err := a.Renew(t.Context(), old.Refresh().Reveal())
					if at == "renewing" && !errors.Is(err, session.ErrNoSession) {
						t.Errorf("I10: renewed: %v", err)
					}
					if at == "confirming" {
						a.rejects("I10", next.Reveal())
					}
					for _, token := range []session.Token{old, next} {
						if _, _, err := b.Renew(t.Context(), token.Refresh().Reveal()); !errors.Is(err, session.ErrNoSession) {
							t.Errorf("I10: renewed afterwards: %v", err)
						}
					}
					b.rejects("I10", old.Reveal())
				})
			})
		}
	}
}

func TestCookiesAreRenewedAtOnePath(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, renewing)
		request := func(path string, cookies ...*http.Cookie) *http.Request {
			r := httptest.NewRequest("POST", path, nil)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			for _, c := range cookies {
				r.AddCookie(c)
			}
			return r
		}
		attempt, err := a.Begin(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if _, err := a.SignIn(w, request("/sign-in"), attempt, session.Grant{Renewable: true, Remember: true}); err != nil {
			t.Fatal(err)
		}
		set := w.Result().Cookies()
		if len(set) != 2 || set[0].Path != "/" || set[1].Name != "__Secure-refresh" || set[1].Path != "/renew" ||
			!set[1].Secure || !set[1].HttpOnly || set[1].SameSite != http.SameSiteStrictMode || set[1].MaxAge != set[0].MaxAge {
			t.Fatalf("set %v", w.Header()["Set-Cookie"])
		}
		time.Sleep(11 * time.Minute)
		a.rejects("I15", set[0].Value)

		foreign, silent := request("/renew", set...), request("/renew", set[1])
		foreign.Header.Set("Sec-Fetch-Site", "cross-site")
		silent.Header.Del("Sec-Fetch-Site")
		// A neighbouring host has planted the cookie of its own session.
		theirs := httptest.NewRecorder()
		if attempt, err = a.Begin(t.Context(), "eve"); err != nil {
			t.Fatal(err)
		}
		if _, err := a.SignIn(theirs, request("/sign-in"), attempt, session.Grant{Renewable: true}); err != nil {
			t.Fatal(err)
		}
		planted := theirs.Result().Cookies()
		for name, c := range map[string]struct {
			r    *http.Request
			want error
		}{
			"another site":            {foreign, session.ErrOrigin},
			"nobody says from where":  {silent, session.ErrOrigin},
			"nothing":                 {request("/renew"), session.ErrNoSession},
			"two":                     {request("/renew", set[0], set[1], set[1]), session.ErrNoSession},
			"the session":             {request("/renew", set[0], &http.Cookie{Name: set[1].Name, Value: set[0].Value}), session.ErrNoSession},
			"without the session's":   {request("/renew", set[1]), session.ErrNoSession},
			"beside another session":  {request("/renew", set[0], planted[1]), session.ErrNoSession},
			"and the other way round": {request("/renew", planted[0], set[1]), session.ErrNoSession},
		} {
			w := httptest.NewRecorder()
			if _, err := a.RenewRequest(w, c.r); !errors.Is(err, c.want) || len(w.Header()["Set-Cookie"]) > 0 {
				t.Errorf("%s: %v, %v", name, err, w.Header())
			}
		}
		w = httptest.NewRecorder()
		if _, err := a.RenewRequest(w, request("/renew", set...)); err != nil {
			t.Fatal(err)
		}
		renewed := w.Result().Cookies()
		if len(renewed) != 2 || renewed[0].Value == set[0].Value || renewed[1].Value == set[1].Value ||
			renewed[1].MaxAge > set[1].MaxAge-11*60 || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("set %v", w.Header()["Set-Cookie"])
		}
		a.accepts("I8", renewed[0].Value)
		time.Sleep(11 * time.Minute) // signing out needs no live token
		w = httptest.NewRecorder()
		if err := a.SignOut(w, request("/sign-out", renewed[0])); err != nil || len(w.Result().Cookies()) != 2 {
			t.Errorf("%v, %v", err, w.Header())
		}
		if _, err := a.RenewRequest(httptest.NewRecorder(), request("/renew", renewed...)); !errors.Is(err, session.ErrNoSession) {
			t.Errorf("I1: renewed after the sign-out: %v", err)
		}
	})
}
