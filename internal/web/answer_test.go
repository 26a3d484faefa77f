package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"cloakroom/session"
)

func TestAnOutageIsNotASignOut(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	open := b.get("/auth/account/sessions")
	s.stop()
	s.awaitStop()
	for _, path := range []string{"/auth/account", "/auth/account/sessions", "/auth/sign-in", "/auth/sign-out"} {
		page := b.get(path).is(http.StatusServiceUnavailable).setsNoCookie().
			shows("You have not been signed out", "Try again", `href="`+path+`"`)
		if page.Header().Get("Retry-After") == "" || page.Header().Get("Clear-Site-Data") != "" {
			t.Errorf("%s: %v", path, page.Header())
		}
	}
	for _, path := range []string{"/auth/sign-out", "/auth/reauthenticate", "/auth/account/sessions/revoke-others"} {
		b.act(open, path, url.Values{"password": {secret}}).is(http.StatusServiceUnavailable).setsNoCookie().
			shows("You have not been signed out", "Go to your account")
	}
	b.post("/auth/sign-in", url.Values{"email": {email}, "password": {secret}}).
		is(http.StatusServiceUnavailable).setsNoCookie().hides("do not belong together")
}

func TestABrokenStoreIsNotAWrongPassword(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	confirm := b.get("/auth/reauthenticate")
	s.accounts.failReads(errDisk)
	for _, page := range []page{
		s.browser(iphone).post("/auth/sign-in", url.Values{"email": {email}, "password": {secret}}),
		b.act(confirm, "/auth/reauthenticate", url.Values{"password": {secret}}),
	} {
		page.is(http.StatusServiceUnavailable).setsNoCookie().shows("We cannot tell right now").hides(errDisk.Error())
	}
}

func TestAnUnknownOutcomeIsSaidToBeOne(t *testing.T) {
	_, one, _, list := twoDevices(t)
	one.site.store.failWith(fmt.Errorf("%w: connection lost", session.ErrUnknownOutcome))
	one.act(list, "/auth/account/sessions/revoke-others", nil).is(http.StatusServiceUnavailable).
		shows("We do not know whether that worked", "safe to repeat").hides("connection lost")
}

func TestAPanicIsAnOutage(t *testing.T) {
	s := newSite(t)
	w := httptest.NewRecorder()
	s.pages.answering(func(http.ResponseWriter, *http.Request) error { panic("secret cause") }).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/auth/account", nil))
	page{w, t}.is(http.StatusServiceUnavailable).shows("We cannot tell right now").hides("secret cause")
}

// Every trouble says what happened, what it means and what to do, and the way
// on exists.
func TestEveryTroubleHelps(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	all := []trouble{outage}
	for _, known := range troubles {
		all = append(all, known.trouble)
		if got := troubleOf(fmt.Errorf("context: %w", known.err)); got != known.trouble {
			t.Errorf("%v is shown as %q", known.err, got.Title)
		}
	}
	for _, x := range all {
		if x.Title == "" || strings.Count(x.What, ".") < 2 && x.Status != http.StatusServiceUnavailable || x.Do == "" {
			t.Errorf("%+v does not help", x)
		}
		if x.To != "" {
			b.get("/auth" + x.To).is(200)
		}
		if x.Status >= 500 && x.Status != http.StatusServiceUnavailable {
			t.Errorf("%q is a %d", x.Title, x.Status)
		}
	}
	if got := troubleOf(errors.New("anything")); got != outage {
		t.Errorf("an unknown error is %q", got.Title)
	}
}
