package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// stale makes every session too old to end others.
func stale(c *Config) { c.Recent = -time.Second }

func TestEndingOthersAsksForAPasswordAndThenDoesIt(t *testing.T) {
	for _, one := range []bool{true, false} {
		s := newSite(t, stale)
		ada, phone := s.browser(firefox).signUp(), s.browser(iphone).signIn()
		list := ada.get("/auth/account/sessions")
		address, purpose := "/auth/account/sessions/revoke-others", "sign out all your other devices"
		if one {
			address, purpose = revokeURL(t, list, "Safari on iPhone"), "sign out Safari on iPhone"
		}
		asked := ada.act(list, address, nil).is(http.StatusSeeOther).Header().Get("Location")
		if !strings.HasPrefix(asked, "/auth/reauthenticate?then=revoke-") {
			t.Fatalf("leads to %q", asked)
		}
		phone.get("/auth/account").is(200)
		confirm := ada.get(asked).is(200).shows(purpose, `href="/auth/account/sessions"`, `value="ada@example.com"`)
		then := strings.TrimPrefix(asked, "/auth/reauthenticate?then=")

		wrong := ada.act(confirm, "/auth/reauthenticate", url.Values{"then": {then}, "password": {"not the password"}}).
			is(http.StatusUnauthorized).setsNoCookie().shows(purpose, "not the password of your account", `role="alert"`)
		wrong.hides("not the password\"")
		phone.get("/auth/account").is(200)

		old := ada.cookie
		ada.act(wrong, "/auth/reauthenticate", url.Values{"then": {then}, "password": {secret}}).
			redirects("/auth/account/sessions?done")
		phone.get("/auth/account").is(303)
		ada.get("/auth/account/sessions?done").is(200).shows("signed out.", `role="status"`)
		if ada.cookie == old {
			t.Error("the token is still the old one")
		}
		ada.cookie = old
		ada.get("/auth/account").is(303)
	}
}

func TestReauthenticationLeadsBack(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	confirm := b.get("/auth/reauthenticate?return_to=/app?x=1").is(200).shows(`value="/app?x=1"`, `href="/app?x=1"`)
	b.act(confirm, "/auth/reauthenticate", url.Values{"password": {secret}, "return_to": {"/app?x=1"}}).redirects("/app?x=1")
	confirm = b.get("/auth/reauthenticate?return_to=//evil.example&then=revoke-everything").is(200).hides("evil.example", "revoke-everything")
	b.act(confirm, "/auth/reauthenticate", url.Values{"password": {secret}, "return_to": {"//evil.example"}, "then": {"x"}}).
		redirects("/auth/account")
}

func TestReauthenticationOfADisabledAccountIsRefused(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	confirm := b.get("/auth/reauthenticate")
	s.accounts.disable(email)
	b.act(confirm, "/auth/reauthenticate", url.Values{"password": {secret}}).is(http.StatusForbidden).
		setsNoCookie().shows("has been disabled")
}

func TestOnlyKnownEndingsAreRead(t *testing.T) {
	for _, s := range []string{
		"", "revoke-", "revoke-x", "revoke-OTHERS", "revoke-others ", "revoke-aaaaaaaaaaaaaaaaaaaaaaaaab",
		"revoke-" + strings.Repeat("a", 27), "<script>",
	} {
		if got := parseEnding(s); got != (ending{}) {
			t.Errorf("parseEnding(%q) = %v", s, got)
		}
	}
	for _, s := range []string{"revoke-others", "revoke-" + strings.Repeat("b", 25) + "a"} {
		if got := parseEnding(s).String(); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
	}
}
