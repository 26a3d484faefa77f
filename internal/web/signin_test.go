package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cloakroom/session"
)

func TestWrongPasswordKeepsTheEmailAndNeverThePassword(t *testing.T) {
	s := newSite(t)
	s.browser(firefox).signUp()
	page := s.browser(firefox).post("/auth/sign-in", url.Values{
		"email": {email}, "password": {"not the right password"}, "return_to": {"/app?q=1"}, "remember": {"on"},
	}).is(http.StatusUnauthorized).setsNoCookie()
	page.shows(`value="ada@example.com"`, `role="alert"`, "do not belong together", `value="/app?q=1"`,
		`value="on" checked`, "<title>Error: Sign in")
	page.hides("not the right password")
}

func TestUnknownAddressIsAnsweredLikeAWrongPassword(t *testing.T) {
	s := newSite(t)
	s.browser(firefox).signUp()
	known := s.browser(firefox).post("/auth/sign-in", url.Values{"email": {email}, "password": {"wrong"}})
	other := s.browser(firefox).post("/auth/sign-in", url.Values{"email": {"eve@example.com"}, "password": {"wrong"}})
	if a, b := withoutNonce(known, email), withoutNonce(other, "eve@example.com"); a != b || known.Code != other.Code {
		t.Errorf("%d and %d:\n%s\n%s", known.Code, other.Code, a, b)
	}
}

// withoutNonce is a page without what differs between two that say the same.
func withoutNonce(p page, addresses ...string) string {
	body := nonceAttribute.ReplaceAllString(p.Body.String(), "")
	for _, address := range addresses {
		body = strings.ReplaceAll(body, address, "ADDRESS")
	}
	return body
}

func TestSignInLeadsBack(t *testing.T) {
	s := newSite(t)
	s.browser(firefox).signUp()
	b := s.browser(iphone)
	b.get("/auth/account/sessions?after=x").redirects("/auth/sign-in?return_to=%2Fauth%2Faccount%2Fsessions%3Fafter%3Dx")
	b.get("/auth/sign-in?return_to=%2Fapp%3Fq%3D1").is(200).shows(`name="return_to" value="/app?q=1"`,
		`href="/auth/sign-up?return_to=%2fapp%3fq%3d1"`, "page that you asked for")
	b.post("/auth/sign-in", url.Values{"email": {email}, "password": {secret}, "return_to": {"/app?q=1"}}).
		redirects("/app?q=1")
	b.get("/auth/account").is(200).shows("Ada", email)
}

func TestRememberDecidesHowLongTheCookieStays(t *testing.T) {
	s := newSite(t)
	s.browser(firefox).signUp()
	for remember, want := range map[string]bool{"on": true, "": false} {
		answer := s.browser(firefox).post("/auth/sign-in",
			url.Values{"email": {email}, "password": {secret}, "remember": {remember}}).is(http.StatusSeeOther)
		cookie := answer.Header().Get("Set-Cookie")
		if got := strings.Contains(cookie, "Max-Age="); got != want {
			t.Errorf("remember=%q: %s", remember, cookie)
		}
	}
}

func TestADisabledAccountIsToldSo(t *testing.T) {
	s := newSite(t)
	s.browser(firefox).signUp()
	s.accounts.disable(email)
	s.browser(iphone).post("/auth/sign-in", url.Values{"email": {email}, "password": {secret}}).
		is(http.StatusForbidden).setsNoCookie().shows("has been disabled")
	s.browser(iphone).post("/auth/sign-in", url.Values{"email": {email}, "password": {"wrong"}}).
		is(http.StatusUnauthorized).hides("has been disabled")
}

func TestWhoIsSignedInIsNotSentInCircles(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	for _, page := range []string{"/auth/sign-in", "/auth/sign-up"} {
		b.get(page+"?return_to=/app").is(200).shows("You are signed in", email, `href="/app"`).hides(`name="password"`)
	}
}

func TestAnEndedSessionIsExplained(t *testing.T) {
	s := newSite(t)
	one, two := s.browser(firefox).signUp(), s.browser(iphone).signIn()
	one.act(one.get("/auth/account/sessions"), "/auth/account/sessions/revoke-others", nil).is(303)
	two.get("/auth/account").redirects("/auth/sign-in?return_to=%2Fauth%2Faccount").setsNoCookie()
	two.get("/auth/sign-in?return_to=/auth/account").is(200).setsNoCookie().shows("Your session on this device has ended")
	s.browser(firefox).get("/auth/sign-in").is(200).hides("has ended")
}

func TestABusyPoolKeepsWhatWasEntered(t *testing.T) {
	s := newSite(t, func(c *Config) { c.SignIn.Passwords = busyPool(t) })
	for path, fields := range map[string]url.Values{
		"/auth/sign-in": {"email": {email}, "password": {secret}},
		"/auth/sign-up": {"email": {email}, "password": {secret}, "name": {"Ada"}},
	} {
		page := s.browser(firefox).post(path, fields).is(http.StatusServiceUnavailable).setsNoCookie()
		page.shows("Too many people are signing in", `value="ada@example.com"`)
		if page.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
}

func TestASignInThatARevocationOvertookIsToldSo(t *testing.T) {
	s := newSite(t)
	s.browser(firefox).signUp()
	s.accounts.onRead = func(id string) {
		if _, err := s.sessions.Apply(context.Background(), session.RevokeAll(id)); err != nil {
			t.Error(err)
		}
	}
	s.browser(iphone).post("/auth/sign-in", url.Values{"email": {email}, "password": {secret}}).
		is(http.StatusConflict).setsNoCookie().shows("was changed while you were signing in")
}

// A name may turn the direction of writing for itself, but not for the page.
func TestANameStandsApart(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox)
	b.post("/auth/sign-up", url.Values{"email": {email}, "password": {secret}, "name": {"\u202eadA"}}).is(303)
	b.get("/auth/account").is(200).shows("<h1><bdi>\u202eadA</bdi></h1>")
}
