package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// acts are all addresses that take a POST, with a form that would do something.
func acts(t *testing.T, list page) map[string]url.Values {
	t.Helper()
	credentials := url.Values{"email": {email}, "password": {secret}}
	return map[string]url.Values{
		"/auth/sign-in":                        credentials,
		"/auth/sign-up":                        {"email": {"new@example.com"}, "password": {secret}},
		"/auth/sign-out":                       {},
		"/auth/reauthenticate":                 {"password": {secret}},
		"/auth/account/password":               {"current_password": {secret}, "new_password": {renewed}},
		"/auth/account/sessions/revoke-others": {},
		"/auth/account/sessions/revoke-all":    {},
		"/auth/v1/session/renew":               {},
		revokeURL(t, list, "Safari on iPhone"): {},
	}
}

// TestEveryActIsAmongThoseThatAreTried, but for the setup and the links, whose tests
// try the same.
func TestEveryActIsAmongThoseThatAreTried(t *testing.T) {
	_, _, _, list := twoDevices(t)
	tried := []string{"/setup", "/link/reset", "/link/invite"}
	for address := range acts(t, list) {
		path := strings.TrimPrefix(address, "/auth")
		if strings.HasSuffix(path, "/revoke") {
			path = "/account/sessions/{id}/revoke"
		}
		tried = append(tried, path)
	}
	var acting []string
	for path, methods := range new(pages).table() {
		if methods["POST"] != nil {
			acting = append(acting, path)
		}
	}
	slices.Sort(tried)
	slices.Sort(acting)
	if !slices.Equal(tried, acting) {
		t.Errorf("tried\n%q\nand there are\n%q", tried, acting)
	}
}

// twoDevices is a site with two devices of one person signed in, and the list.
func twoDevices(t *testing.T) (s *site, one, two *browser, list page) {
	t.Helper()
	s = newSite(t)
	one = s.browser(firefox).signUp()
	two = s.browser(iphone).signIn()
	return s, one, two, one.get("/auth/account/sessions")
}

func TestEveryActRefusesOtherSites(t *testing.T) {
	_, one, two, list := twoDevices(t)
	for address, fields := range acts(t, list) {
		fields.Set("form_token", list.formToken()) // even whoever knew it
		for name, forge := range map[string]func(http.Header){
			"cross-site":          func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
			"same-site":           func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
			"bogus":               func(h http.Header) { h.Set("Sec-Fetch-Site", "bogus") },
			"foreign origin":      func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "https://evil.example") },
			"plain origin":        func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "http://app.example") },
			"foreign port":        func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", origin+":8443") },
			"null origin":         func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "null") },
			"neither with cookie": func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Del("Origin") },
		} {
			r := request(address, fields)
			forge(r.Header)
			before := one.cookie
			page := one.send(r)
			if page.Code != http.StatusForbidden || page.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s, %s: %d %s", address, name, page.Code, page.Header().Get("Set-Cookie"))
				continue
			}
			page.shows("came from somewhere else", "Nothing was changed")
			one.cookie = before
		}
	}
	one.get("/auth/account").is(200)
	two.get("/auth/account").is(200)
}

// Login CSRF: another site cannot sign a visitor in as somebody else.
func TestAnotherSiteSignsNobodyIn(t *testing.T) {
	s := newSite(t)
	s.browser(firefox).signUp()
	for _, path := range []string{"/auth/sign-in", "/auth/sign-up"} {
		r := request(path, url.Values{"email": {email}, "password": {secret}})
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "https://evil.example")
		s.browser(iphone).send(r).is(http.StatusForbidden).setsNoCookie()
	}
}

func TestEveryActOfAMemberWantsTheTokenOfTheSession(t *testing.T) {
	_, one, two, list := twoDevices(t)
	other := two.get("/auth/account").formToken()
	for address, fields := range acts(t, list) {
		if strings.HasSuffix(address, "/sign-in") || strings.HasSuffix(address, "/sign-up") || strings.HasSuffix(address, "/renew") {
			continue // there is no session yet, or no token, that it could belong to
		}
		for name, token := range map[string]string{
			"none": "", "of another session": other, "cut": list.formToken()[1:], "the cookie": one.cookie,
		} {
			fields.Set("form_token", token)
			page := one.post(address, fields)
			if page.Code != http.StatusForbidden || page.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s, token %s: %d", address, name, page.Code)
			}
			page.shows("This page was out of date", "Nothing was changed")
		}
	}
	one.get("/auth/account").is(200)
	two.get("/auth/account").is(200)
}

func TestAFormFromBeforeARenewalIsRefusedKindly(t *testing.T) {
	_, one, two, list := twoDevices(t)
	one.act(list, "/auth/reauthenticate", url.Values{"password": {secret}}).redirects("/auth/account")
	one.act(list, "/auth/account/sessions/revoke-others", nil).is(http.StatusForbidden).
		shows("This page was out of date", "repeat what you wanted to do", `href="/auth/account/sessions"`)
	two.get("/auth/account").is(200)
	one.act(one.get("/auth/account/sessions"), "/auth/account/sessions/revoke-others", nil).is(303)
}

func TestMembersPagesLeadVisitorsToSignIn(t *testing.T) {
	s, _, _, list := twoDevices(t)
	visitor := s.browser(firefox)
	for _, path := range []string{"/auth/account", "/auth/account/sessions", "/auth/account/password",
		"/auth/account/activity?after=1", "/auth/reauthenticate?then=revoke-others"} {
		visitor.get(path).redirects("/auth/sign-in?return_to=" + url.QueryEscape(path)).setsNoCookie()
	}
	for address, fields := range acts(t, list) {
		if strings.Contains(address, "/sign-") || strings.HasSuffix(address, "/renew") {
			continue
		}
		visitor.post(address, fields).redirects("/auth/sign-in").setsNoCookie()
	}
}

func TestOnlyFormsAreRead(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox)
	for name, c := range map[string]struct {
		kind, body string
		status     int
	}{
		"json":            {"application/json", `{"email":"a"}`, http.StatusUnsupportedMediaType},
		"text":            {"text/plain", "email=a", http.StatusUnsupportedMediaType},
		"multipart":       {"multipart/form-data; boundary=x", "--x--", http.StatusUnsupportedMediaType},
		"no type":         {"", "email=a", http.StatusUnsupportedMediaType},
		"bad escape":      {formType, "email=%zz", http.StatusBadRequest},
		"a field twice":   {formType, "email=a&email=b", http.StatusBadRequest},
		"semicolons":      {formType, "email=a;password=b", http.StatusBadRequest},
		"a megabyte":      {formType, "email=" + strings.Repeat("a", 1<<20), http.StatusRequestEntityTooLarge},
		"many fields":     {formType, strings.Repeat("a&", 1<<16), http.StatusRequestEntityTooLarge},
		"empty":           {formType, "", http.StatusUnauthorized},
		"type with a set": {formType + "; charset=utf-8", "email=a", http.StatusUnauthorized},
	} {
		r := httptest.NewRequest(http.MethodPost, "/auth/sign-in", strings.NewReader(c.body))
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		if page := b.send(r); page.Code != c.status {
			t.Errorf("%s: %d, want %d", name, page.Code, c.status)
		}
	}
}
