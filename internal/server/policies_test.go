package server

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/config"
)

const policies = `{staff: {roles: [staff, admin]}, admin: {roles: [admin]}, recent: {recent: 1m}, strong: {level: 2}, fresh: {consistency: fresh}}`

func TestAProxysPolicyStandsInThePath(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Config.Policies = policies })
	admin, ada := s.admin("root@example.com"), s.browser().signUp("ada@example.com")
	for _, c := range []struct {
		b      *browser
		policy string
		status int
		kind   string // of the problem
	}{
		{admin, "", 200, ""}, {admin, "/staff", 200, ""}, {admin, "/admin", 200, ""}, {admin, "/recent", 200, ""},
		{ada, "", 200, ""}, {ada, "/fresh", 200, ""}, {ada, "/recent", 200, ""},
		{ada, "/staff", 403, "forbidden"}, {ada, "/admin", 403, "forbidden"}, {admin, "/strong", 403, "forbidden"},
		{s.browser(), "/admin", 401, "signed-out"}, {s.browser(), "/fresh", 401, "signed-out"},
		{admin, "/none", 403, "unknown-policy"}, {admin, "/", 403, "unknown-policy"}, {admin, "/admin/", 403, "unknown-policy"},
		{admin, "/Admin", 403, "unknown-policy"}, {admin, "/admin%2F..%2Fstaff", 403, "unknown-policy"}, {s.browser(), "/none", 403, "unknown-policy"},
	} {
		for _, kind := range []string{"/check", "/forward"} {
			for _, query := range []string{"", "?policy=staff&roles=admin&level=0"} {
				a := c.b.do("GET", kind+c.policy+query, "")
				if c.kind != "" {
					a.problem(c.status, c.kind)
					continue
				}
				if a.is(c.status).header.Get("Remote-User") != c.b.accountID() {
					t.Errorf("%s%s: %v", kind, c.policy, a.header)
				}
			}
		}
	}
}

// TestPageLoadsAreLedOnWhereTheProxyHandsTheAnswerOn: to sign in, or to confirm who
// one is.
func TestPageLoadsAreLedOnWhereTheProxyHandsTheAnswerOn(t *testing.T) {
	clock := new(setClock)
	s := newSite(t, clock.options, func(o *Options) { o.Config.Policies = policies })
	ada := s.browser().signUp("ada@example.com")
	clock.set(2 * time.Minute)
	time.Sleep(1500 * time.Millisecond) // it is noticed within a second
	page := set("Sec-Fetch-Mode", "navigate")
	for _, c := range []struct {
		b      *browser
		policy string
		to     string
	}{{s.browser(), "", "/auth/sign-in"}, {s.browser(), "/fresh", "/auth/sign-in"}, {ada, "/recent", "/auth/reauthenticate"}} {
		for method, status := range map[string]int{"GET": http.StatusFound, "POST": http.StatusSeeOther} {
			a := c.b.do(method, "/forward"+c.policy, "", page).is(status)
			if !strings.HasSuffix(a.header.Get("Location"), c.to) {
				t.Errorf("%s%s: %v", method, c.policy, a.header)
			}
			c.b.do(method, "/check"+c.policy, "", page).setsNoCookie() // and never led by it
		}
	}
	if s := ada.do("GET", "/check/recent", "").problem(http.StatusForbidden, "not-recent"); s.header.Get("Location") == "" {
		t.Errorf("it leads nowhere: %v", s.header)
	}
}

func TestSettingsAreTakenOverByARunningServer(t *testing.T) {
	s := newSite(t)
	ada := s.browser().signUp("ada@example.com")
	ada.do("GET", "/check/fresh", "").problem(http.StatusForbidden, "unknown-policy")
	set := s.settings
	set.SignUp, set.Policies = "closed", map[string]config.Policy{"fresh": {Fresh: true}}
	if err := s.Reload(set); err != nil {
		t.Fatal(err)
	}
	ada.do("GET", "/check/fresh", "").is(http.StatusOK)
	s.browser().do("POST", "/v1/sign-up", credentials("eve@example.com", goodPassword)).problem(http.StatusForbidden, "sign-up-closed")
	set.SignUp, set.Policies = "open", nil
	if err := s.Reload(set); err != nil {
		t.Fatal(err)
	}
	ada.do("GET", "/check/fresh", "").problem(http.StatusForbidden, "unknown-policy")
	s.browser().signUp("eve@example.com")
}
