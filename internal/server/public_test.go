package server

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheRootLeadsToTheAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	host := func(r *http.Request) { r.Host = strings.TrimPrefix(s.URL(), "http://") }
	for _, path := range []string{"/", "/auth"} {
		if a := s.browser().to("GET", path, "", host).is(http.StatusSeeOther); a.header.Get("Location") != "/auth/account" {
			t.Errorf("%s leads to %s", path, a.header.Get("Location"))
		}
	}
}

func TestPagesUnderAnotherHostLeadToThePublicURL(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	as := func(host string) edit { return func(r *http.Request) { r.Host = host } }
	for _, host := range []string{"evil.example", "localhost", "127.0.0.2:80", s.URL()[len("http://"):] + ".evil.example"} {
		for _, path := range []string{"/", "/auth/sign-in?return_to=%2Fauth%2Faccount"} {
			a := s.browser().to("GET", path, "", as(host)).is(http.StatusSeeOther).setsNoCookie()
			if got := a.header.Get("Location"); got != s.URL()+path {
				t.Errorf("%s as %s leads to %s", path, host, got)
			}
		}
		s.browser().to("GET", "//evil.example/", "", as(host)).problem(http.StatusNotFound, "not-found")
		s.browser().do("GET", "/v1/session", "", as(host)).problem(http.StatusUnauthorized, "signed-out")
		s.browser().do("GET", "/check", "", as(host)).problem(http.StatusUnauthorized, "signed-out")
	}
	for _, host := range []string{s.URL()[len("http://"):], s.Addr().String()} {
		s.browser().to("GET", "/auth/sign-in", "", as(host)).is(http.StatusOK)
	}
}

func TestHTTPSIsInsistedOnWhereThePublicURLIsHTTPS(t *testing.T) {
	t.Parallel()
	plain := newSite(t)
	if got := plain.browser().do("GET", "/v1/session", "").header["Strict-Transport-Security"]; got != nil {
		t.Errorf("without https: %s", got)
	}
	secure := newSite(t, func(o *Options) { o.Config.PublicURL = []string{"https://example.com", "https://www.example.com"} })
	for _, path := range []string{"/v1/session", "/sign-in", "/openapi.json"} {
		if got := secure.browser().do("GET", path, "").header.Get("Strict-Transport-Security"); got != "max-age=63072000" {
			t.Errorf("%s: %q", path, got)
		}
	}
	b := secure.browser()
	b.do("POST", "/v1/sign-up", credentials("ada@example.com", goodPassword), set("Sec-Fetch-Site"), set("Origin", "https://www.example.com")).is(http.StatusCreated)
	b.do("POST", "/v1/sign-out", "", set("Sec-Fetch-Site"), set("Origin", "http://example.com")).problem(http.StatusForbidden, "origin")
	if got := secure.browser().do("GET", "/check", "").header.Get("Location"); got != "https://example.com/auth/sign-in" {
		t.Errorf("/check leads to %s", got)
	}
}

func TestASocketIsListenedOnAndAnAbandonedOneIsTakenOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.sock")
	options := func(o *Options) {
		o.Config.Listen, o.Config.PublicURL = "unix:"+path, []string{"https://example.com"}
	}
	abandon(t, path)
	s := newSite(t, options)
	if s.Addr().Network() != "unix" || s.Addr().String() != path {
		t.Errorf("listening on %v", s.Addr())
	}
	o := Options{Config: s.settingsOf()}
	o.Config.Listen = "unix:" + path
	if _, err := New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second server on the socket: %v", err)
	}
}
