package server

import (
	"net/http"
	"strings"
	"testing"
)

// script signs in what has no cookies.
func (s *site) script(email, label string) (b *browser, refresh string) {
	s.t.Helper()
	a := s.browser().do("POST", "/v1/token", `{"email":"`+email+`","password":"`+goodPassword+`","label":"`+label+`"}`).
		is(http.StatusOK).setsNoCookie()
	token, _ := a.at("token").(string)
	refresh, _ = a.at("refresh_token").(string)
	if !strings.HasPrefix(token, "cka_") || !strings.HasPrefix(refresh, "ckr_") || a.at("expires_at") != a.at("session.token_expires_at") {
		s.t.Fatalf("%s", a.text)
	}
	return &browser{site: s, bearer: token}, refresh
}

func refreshing(refresh string) string { return `{"refresh_token":"` + refresh + `"}` }

func TestAPhoneSignsInWithoutCookies(t *testing.T) {
	t.Parallel()
	clock := new(setClock)
	s := newSite(t, shortLived(clock))
	ada := s.browser().signUp("ada@example.com")
	phone, refresh := s.script("ada@example.com", "my phone")
	phone.do("GET", "/check", "").is(http.StatusOK)
	if a := phone.do("GET", "/v1/session", "").is(http.StatusOK); a.at("account.email") != "ada@example.com" {
		t.Errorf("%s", a.text)
	}
	found := false
	for _, v := range ada.do("GET", "/v1/sessions", "").at("sessions").([]any) {
		entry := v.(map[string]any)
		if entry["carrier"] == "bearer" {
			found = entry["client"].(map[string]any)["label"] == "my phone"
		}
	}
	if !found {
		t.Error("it is not among the devices")
	}
	clock.passes()
	phone.do("GET", "/check", "").problem(http.StatusUnauthorized, "token-ended")
	renewed := s.browser().do("POST", "/v1/token/refresh", refreshing(refresh)).is(http.StatusOK).setsNoCookie()
	phone.bearer, _ = renewed.at("token").(string)
	phone.do("GET", "/check", "").is(http.StatusOK)
	// A page has cookies.
	phone.do("GET", "/account", "").is(http.StatusSeeOther)
	// It goes on under other tokens of its kind, and under its label.
	again := phone.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`).is(http.StatusOK).setsNoCookie()
	old := phone.bearer
	phone.bearer, _ = again.at("token").(string)
	if phone.bearer == old || again.at("refresh_token") == nil {
		t.Errorf("%s", again.text)
	}
	(&browser{site: s, bearer: old}).do("GET", "/check", "").problem(http.StatusUnauthorized, "signed-out")
	list := phone.do("GET", "/v1/sessions", "").is(http.StatusOK)
	if !strings.Contains(list.text, `"label":"my phone"`) {
		t.Errorf("%s", list.text)
	}
	id := phone.sessionID()
	ada.signIn("ada@example.com").do("DELETE", "/v1/sessions/"+id, "").is(http.StatusNoContent)
	phone.do("GET", "/check", "").problem(http.StatusUnauthorized, "signed-out")
}

// TestNoKindOfTokenTakesAnothersPlace: each of them, everywhere else.
func TestNoKindOfTokenTakesAnothersPlace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	web := s.browser().signUp("ada@example.com")
	phone, refresh := s.script("ada@example.com", "")
	for name, b := range map[string]*browser{
		"a session's in the header": {site: s, bearer: web.cookie},
		"a refresh token there":     {site: s, bearer: refresh},
		"a cookie's refresh token":  {site: s, bearer: web.refresh},
		"a bearer's in the cookie":  {site: s, cookie: phone.bearer},
		"its refresh token there":   {site: s, cookie: refresh},
	} {
		for _, path := range []string{"/v1/session", "/check", "/forward", "/v1/sessions"} {
			if a := b.do("GET", path, ""); a.status != http.StatusUnauthorized {
				t.Errorf("%s, %s: %d", name, path, a.status)
			}
		}
	}
	for _, token := range []string{web.cookie, web.refresh, phone.bearer, "", "ckr_"} {
		s.browser().do("POST", "/v1/token/refresh", refreshing(token)).problem(http.StatusUnauthorized, "signed-out")
	}
	for _, pair := range []*browser{
		{site: s, cookie: web.cookie, refresh: refresh}, {site: s, cookie: phone.bearer, refresh: refresh},
		{site: s, cookie: web.refresh, refresh: web.cookie}, {site: s, cookie: web.cookie, refresh: web.cookie},
	} {
		pair.do("POST", renewPath, "").problem(http.StatusUnauthorized, "signed-out")
	}
	for _, token := range []string{web.cookie, "", "x"} {
		s.browser().do("POST", "/v1/token/revoke", `{"token":"`+token+`"}`).problem(http.StatusUnprocessableEntity, "invalid")
	}
	s.browser().do("POST", "/v1/token/revoke", `{"token":"`+web.refresh+`"}`).is(http.StatusNoContent)
	web.do("GET", "/check", "").is(http.StatusOK) // it was not its place
	phone.do("GET", "/check", "").is(http.StatusOK)
	basic := set("Authorization", "Basic YWRhOnB3")
	web.do("GET", "/v1/session", "", basic).is(http.StatusOK) // the application's
	web.do("GET", "/v1/session", "", set("Authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x")).is(http.StatusOK)
}

// TestTwoTokensAreNone, whatever the contract lets anybody do, and nothing is done.
func TestTwoTokensAreNone(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.Config.Policies = policies })
	c := s.newCast("it")
	token, _ := c.script.at("token").(string)
	before := s.everything()
	for _, d := range theOperations(t) {
		if strings.HasPrefix(d.path, "/openapi.") {
			continue
		}
		d.path = strings.Replace(d.path, "{policy}", "fresh", 1)
		a := c.carryOut(d, set("Authorization", "Bearer "+token), set("Cookie", cookieName+"="+c.ada.cookie))
		if strings.HasPrefix(d.path, "/v1/") {
			a.problem(http.StatusBadRequest, "two-tokens")
		} else {
			a.problem(http.StatusUnauthorized, "signed-out")
		}
	}
	if after := s.everything(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	c.live()
}

func TestATokenIsRevokedByItselfOrItsRefreshToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.browser().signUp("ada@example.com")
	for range 2 {
		one, refresh := s.script("ada@example.com", "")
		other, otherRefresh := s.script("ada@example.com", "")
		for range 2 { // again, when it is over
			s.browser().do("POST", "/v1/token/revoke", `{"token":"`+one.bearer+`"}`).is(http.StatusNoContent)
			s.browser().do("POST", "/v1/token/revoke", `{"token":"`+otherRefresh+`"}`).is(http.StatusNoContent)
		}
		for _, b := range []*browser{one, other} {
			b.do("GET", "/check", "").problem(http.StatusUnauthorized, "signed-out")
		}
		for _, r := range []string{refresh, otherRefresh} {
			s.browser().do("POST", "/v1/token/refresh", refreshing(r)).problem(http.StatusUnauthorized, "signed-out")
		}
	}
	s.browser().do("POST", "/v1/token/refresh", `{}`).problem(http.StatusUnprocessableEntity, "invalid")
	ada.do("GET", "/check", "").is(http.StatusOK)
}

// TestPasswordsAreThrottledForTokensAsWell, and together with those of sign-ins.
func TestPasswordsAreThrottledForTokensAsWell(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().signUp("ada@example.com")
	refused := false
	for i := range 40 {
		path := "/v1/token"
		if i%2 == 0 {
			path = "/v1/sign-in"
		}
		a := s.browser().do("POST", path, credentials("ada@example.com", wrongAnswer))
		if path == "/v1/token" && a.status == http.StatusTooManyRequests {
			a.problem(http.StatusTooManyRequests, "throttled")
			refused = true
			break
		}
	}
	if !refused {
		t.Error("nobody was refused")
	}
}
