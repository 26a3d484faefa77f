package web

import (
	"net/http"
	"strings"
	"testing"
)

func TestSignOutEndsTheSessionAndSaysSo(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	kept := b.cookie
	answer := b.act(b.get("/auth/account"), "/auth/sign-out", nil).redirects("/auth/sign-out")
	if got := answer.Header().Get("Set-Cookie"); !strings.Contains(got, "Max-Age=0") || !strings.HasPrefix(got, "__Host-session=;") {
		t.Errorf("the cookie is not cleared: %s", got)
	}
	if got := answer.Header().Get("Clear-Site-Data"); got != `"cache", "storage"` {
		t.Errorf("Clear-Site-Data: %s", got)
	}
	b.get("/auth/sign-out").is(200).shows("You are signed out")
	b.cookie = kept
	b.get("/auth/account").redirects("/auth/sign-in?return_to=%2Fauth%2Faccount")
}

func TestALinkToSignOutOnlyAsks(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	b.get("/auth/sign-out").is(200).setsNoCookie().shows("Sign out?", email, "Stay signed in")
	b.get("/auth/account").is(200)
}

func TestSigningOutOfADeadSessionClearsTheCookie(t *testing.T) {
	s := newSite(t)
	one, two := s.browser(firefox).signUp(), s.browser(iphone).signIn()
	open := two.get("/auth/account")
	one.act(one.get("/auth/account/sessions"), "/auth/account/sessions/revoke-others", nil).is(303)
	answer := two.act(open, "/auth/sign-out", nil).redirects("/auth/sign-out")
	if !strings.Contains(answer.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Error("the cookie of a dead session stays")
	}
}

func TestASignOutThatFailsKeepsTheCookie(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	open := b.get("/auth/account")
	s.store.failWith(errDisk)
	b.act(open, "/auth/sign-out", nil).is(http.StatusServiceUnavailable).setsNoCookie().
		shows("You have not been signed out")
	s.store.failWith(nil)
	b.get("/auth/account").is(200)
}
