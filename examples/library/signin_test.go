package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestWhatIsWrongAndWhatIsDownAreToldApart(t *testing.T) {
	s := newSite(t, func(a *app) { a.passwords.wait = 10 * time.Millisecond })
	b := s.newBrowser(t)
	b.signUp("Ada", ada)
	stranger := s.newBrowser(t)
	for _, c := range []struct{ email, password string }{{ada, "wrong"}, {hopper, oldPassword}, {"", ""}} {
		stranger.wants(stranger.post("/sign-in", "email", c.email, "password", c.password),
			http.StatusUnprocessableEntity, "do not belong together")
	}
	stranger.wants(stranger.post("/sign-up", "name", "Eve", "email", ada, "password", oldPassword),
		http.StatusConflict, "has signed up")
	stranger.wants(stranger.send(http.MethodPost, "/sign-in", url.Values{"email": {ada}, "password": {oldPassword}}, "cross-site"),
		http.StatusForbidden, "another site")

	for range cap(s.passwords.slots) {
		s.passwords.slots <- struct{}{}
	}
	stranger.wants(stranger.post("/sign-in", "email", ada, "password", "wrong"), http.StatusServiceUnavailable, "at the moment")
	for range cap(s.passwords.slots) {
		<-s.passwords.slots
	}

	token := b.token()
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	stranger.wants(stranger.post("/sign-in", "email", ada, "password", "wrong"), http.StatusServiceUnavailable, "at the moment")
	p := b.get("/account")
	b.wants(p, http.StatusServiceUnavailable, "have not been signed out")
	if strings.Contains(p.body, `href="/sign-in"`) {
		t.Error("an outage is shown as if nobody were signed in")
	}
	b.wants(b.get("/style.css"), http.StatusOK, "color-scheme")
	b.wants(b.post("/sign-out"), http.StatusServiceUnavailable, "")
	if b.token() != token {
		t.Error("an outage cost the cookie")
	}
}

func TestSignOut(t *testing.T) {
	s := newSite(t, nil)
	b := s.newBrowser(t)
	b.signUp("Ada", ada)
	thief := s.newBrowser(t)
	u, err := url.Parse(s.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	thief.client.Jar.SetCookies(u, b.client.Jar.Cookies(u))
	b.wants(b.post("/sign-out"), http.StatusSeeOther, "")
	if b.token() != "" || b.signedIn() {
		t.Error("still signed in")
	}
	thief.client.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-session", Value: thief.token(), Path: "/", Secure: true}})
	if thief.token() == "" || thief.signedIn() {
		t.Error("a copy of the cookie still opens the account")
	}
	b.wants(b.post("/account/end-others"), http.StatusUnauthorized, "You are signed out")
}

func TestWhoConfirmsWhoTheyAreGoesOnInTheSameSession(t *testing.T) {
	s := newSite(t, func(a *app) { a.recent = 0 })
	b := s.newBrowser(t)
	b.signUp("Ada", ada)
	b.wants(b.post("/draft", "text", "half a thought"), http.StatusSeeOther, "")
	p := b.get("/members")
	b.wants(p, http.StatusSeeOther, "")
	b.wants(b.get(p.location), http.StatusOK, `name="return_to" value="/members"`)
	p = b.post("/sign-in", "email", ada, "password", oldPassword, "return_to", "/members")
	b.wants(p, http.StatusSeeOther, "")
	if p.location != "/members" {
		t.Errorf("sent to %s", p.location)
	}
	b.wants(b.get("/"), http.StatusOK, "half a thought")
	b.wants(b.post("/members/x", "editor", "yes"), http.StatusForbidden, "password once more")
}

func TestTheWayBackStaysOnThisHost(t *testing.T) {
	for raw, want := range map[string]string{
		"/members":                       "/members",
		"/account?done=password":         "/account?done=password",
		"/caf%C3%A9/a%2Fb?q=%22x%22#top": "/caf%C3%A9/a%2Fb?q=%22x%22",
		"":                               home,
		"members":                        home,
		"https://evil.example/":          home,
		"//evil.example/":                home,
		"///evil.example/":               home,
		"/%2fevil.example/":              home,
		"/%5cevil.example/":              home,
		`/\evil.example/`:                home,
		`\\evil.example/`:                home,
		"/\t/evil.example/":              home,
		"https:evil.example":             home,
		"https:///evil.example":          home,
		"javascript:alert(1)":            home,
		"//user@evil.example":            home,
		"/%zz":                           home,
		"/a\r\nSet-Cookie:x":             home,
	} {
		if got := wayBack(raw); got != want {
			t.Errorf("%q leads to %q, want %q", raw, got, want)
		}
	}
}

func TestASignInCannotBeSentElsewhere(t *testing.T) {
	s := newSite(t, nil)
	b := s.newBrowser(t)
	b.signUp("Ada", ada)
	for _, raw := range []string{"https://evil.example/", "//evil.example/", `/\evil.example/`} {
		if p := b.post("/sign-in", "email", ada, "password", oldPassword, "return_to", raw); p.location != home {
			t.Errorf("%s leads to %s", raw, p.location)
		}
	}
}
