package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cloakroom/internal/audit"
)

func TestSigningOutEverywhereEndsOnASignInPageThatSaysSo(t *testing.T) {
	s, one, two, list := twoDevices(t)
	kept := one.cookie
	answer := one.act(list, "/auth/account/sessions/revoke-all", nil).redirects("/auth/sign-in")
	if one.cookie != "" || answer.Header().Get("Clear-Site-Data") != `"cache", "storage"` {
		t.Errorf("the cookie is %q, Clear-Site-Data %q", one.cookie, answer.Header().Get("Clear-Site-Data"))
	}
	one.get("/auth/sign-in").is(200).shows("signed out on all your devices, this one too", `role="status"`)
	one.get("/auth/sign-in").is(200).setsNoCookie().hides("signed out on all") // said once
	one.cookie = kept
	one.get("/auth/account").is(303)
	two.get("/auth/account").is(303)
	if e := s.audit.last(); e.Event != audit.SessionsRevokedAll || e.Actor == "" || e.Actor != e.Subject {
		t.Errorf("the last entry is %+v", e)
	}
}

func TestSigningOutEverywhereWantsARecentPassword(t *testing.T) {
	s := newSite(t, stale)
	one, two := s.browser(firefox).signUp(), s.browser(iphone).signIn()
	list := one.get("/auth/account/sessions")
	one.act(list, "/auth/account/sessions/revoke-all", nil).redirects("/auth/reauthenticate?then=revoke-all")
	two.get("/auth/account").is(200)
	confirm := one.get("/auth/reauthenticate?then=revoke-all").is(200).shows("sign out everywhere, on this device too")
	one.act(confirm, "/auth/reauthenticate", url.Values{"then": {"revoke-all"}, "password": {secret}}).redirects("/auth/sign-in")
	one.get("/auth/sign-in").is(200).shows("signed out on all your devices")
	two.get("/auth/account").is(303)
}

// The page after an ending is told by a cookie that only this host sets, and
// says nothing but what it knows.
func TestTheSignInPageCannotBeMadeToSayWhatHasNotHappened(t *testing.T) {
	s := newSite(t)
	for _, query := range []string{"?done", "?done=everywhere-out", "?notice=everywhere-out"} {
		s.browser(firefox).get("/auth/sign-in" + query).is(200).setsNoCookie().hides(`role="status"`)
	}
	b := s.browser(firefox)
	b.notice = "<b>You have won</b>"
	b.get("/auth/sign-in").is(200).hides(`role="status"`, "won")
	answer := s.browser(firefox)
	answer.signUp()
	cookie := answer.act(answer.get("/auth/account"), "/auth/account/sessions/revoke-all", nil).Header().Values("Set-Cookie")
	if said := cookie[len(cookie)-1]; !strings.HasPrefix(said, "__Host-notice=everywhere-out; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict") {
		t.Errorf("the notice is %s", said)
	}
}

// No ending without its entry, and no entry without its ending.
func TestEveryEndingIsRecordedOrIsNone(t *testing.T) {
	for name, want := range map[string]audit.Event{
		"one": audit.SessionRevoked, "revoke-others": audit.SessionsRevokedOthers, "revoke-all": audit.SessionsRevokedAll,
	} {
		t.Run(name, func(t *testing.T) {
			s, one, two, list := twoDevices(t)
			address := "/auth/account/sessions/" + name
			if name == "one" {
				address = revokeURL(t, list, "Safari on iPhone")
			}
			before := len(s.audit.entries)
			s.audit.failWith(errDisk)
			one.act(list, address, nil).is(http.StatusServiceUnavailable).setsNoCookie()
			s.audit.failWith(nil)
			two.get("/auth/account").is(200)
			if got := len(s.audit.entries); got != before {
				t.Fatalf("%d entries of what was not done", got-before)
			}
			one.act(list, address, nil).is(http.StatusSeeOther)
			two.get("/auth/account").is(303)
			e := s.audit.last()
			if len(s.audit.entries) != before+1 || e.Event != want || e.Actor != e.Subject || e.UserAgent != firefox || e.Address != "192.0.2.1" {
				t.Errorf("the entry is %+v", e)
			}
			if name == "one" && !strings.Contains(address, "/"+e.Detail["session"]+"/") || e.Session == "" || e.Session == e.Detail["session"] {
				t.Errorf("the entry names the sessions %s and %v", e.Session, e.Detail)
			}
		})
	}
}

func TestWhatIsNotTheirsIsNotRecordedEither(t *testing.T) {
	s, _, _, list := twoDevices(t)
	theirs := revokeURL(t, list, "Safari on iPhone")
	eve := s.browser(firefox)
	eve.post("/auth/sign-up", url.Values{"email": {"eve@example.com"}, "password": {secret}}).is(303)
	before := len(s.audit.entries)
	eve.act(eve.get("/auth/account"), theirs, nil).is(http.StatusNotFound)
	if len(s.audit.entries) != before {
		t.Errorf("recorded as %+v", s.audit.last())
	}
}
