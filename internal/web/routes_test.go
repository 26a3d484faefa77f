package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestUndeclaredMethodsAreRefused(t *testing.T) {
	_, one, two, list := twoDevices(t)
	for path, allow := range map[string]string{
		"/auth/sign-in": "GET, HEAD, POST", "/auth/sign-up": "GET, HEAD, POST", "/auth/sign-out": "GET, HEAD, POST",
		"/auth/reauthenticate": "GET, HEAD, POST", "/auth/account": "GET, HEAD", "/auth/account/sessions": "GET, HEAD",
		"/auth/account/password": "GET, HEAD, POST", "/auth/account/activity": "GET, HEAD",
		"/auth/account/sessions/revoke-others": "POST", "/auth/account/sessions/revoke-all": "POST", revokeURL(t, list, "Safari on iPhone"): "POST",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"} {
			if strings.Contains(allow, method) {
				continue
			}
			r := httptest.NewRequest(method, path, nil)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			page := one.send(r).is(http.StatusMethodNotAllowed)
			if got := page.Header().Get("Allow"); got != allow {
				t.Errorf("%s %s: Allow is %q, want %q", method, path, got, allow)
			}
			page.shows("This address only takes a form")
		}
	}
	two.get("/auth/account").is(200)
}

// Neither a header nor a field makes another method of a POST or a GET.
func TestNoMethodOverride(t *testing.T) {
	_, one, two, list := twoDevices(t)
	address := revokeURL(t, list, "Safari on iPhone")
	r := httptest.NewRequest(http.MethodGet, address+"?_method=POST&form_token="+url.QueryEscape(list.formToken()), nil)
	r.Header.Set("X-HTTP-Method-Override", "POST")
	one.send(r).is(http.StatusMethodNotAllowed)
	two.get("/auth/account").is(200)
}

func TestReadsChangeNothing(t *testing.T) {
	_, one, two, list := twoDevices(t)
	for address := range acts(t, list) {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
			one.send(httptest.NewRequest(method, address, nil)).setsNoCookie()
		}
	}
	one.get("/auth/account").is(200)
	two.get("/auth/account").is(200)
}

func TestTheBaseLeadsToTheAccount(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/auth", "/auth/"} {
		s.browser(firefox).get(path).redirects("/auth/account")
	}
}

func TestPagesStandUnderAnyBase(t *testing.T) {
	s := newSite(t, func(c *Config) { c.BasePath = "/house/door" })
	s.browser(firefox).get("/house/door/sign-in").is(200).shows(`action="/house/door/sign-in"`, "/house/door/assets/style.")
	s.browser(firefox).get("/auth/sign-in").is(http.StatusNotFound)
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	s := newSite(t)
	good := s.pages.cfg
	for name, spoil := range map[string]func(*Config){
		"Sessions":   func(c *Config) { c.Sessions = nil },
		"SignIn":     func(c *Config) { c.SignIn = nil },
		"PublicURL":  func(c *Config) { c.PublicURL = "app.example" },
		"PublicURL ": func(c *Config) { c.PublicURL = "ftp://app.example" },
		"BasePath":   func(c *Config) { c.BasePath = "auth/" },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
