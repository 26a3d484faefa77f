package web

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// hostileText is what no page may take for markup, and no header for a line.
var hostileText = []string{
	`"><script>alert(1)</script>`, `' onfocus='alert(1)`, `{{.}}`, "a\x00b", "a\r\nSet-Cookie: x=y", "\u202egnp.exe",
	"</title><svg onload=alert(1)>", strings.Repeat("x", 10_000), "\xff\xfe",
}

// forms are all forms that text can be typed into, with an input that would do.
func forms() map[string]url.Values {
	return map[string]url.Values{
		"/auth/sign-in":          {"email": {email}, "password": {"wrong"}, "remember": {"on"}, "return_to": {"/app"}},
		"/auth/sign-up":          {"email": {email}, "password": {renewed}, "name": {"Ada"}, "remember": {"on"}, "return_to": {"/app"}},
		"/auth/reauthenticate":   {"password": {"wrong"}, "then": {"revoke-others"}, "return_to": {"/app"}},
		"/auth/account/password": {"current_password": {"wrong"}, "new_password": {renewed}, "email": {email}},
	}
}

// hostile calls send with each hostile text in each field of a form, and in all.
func hostile(good url.Values, send func(url.Values)) {
	for _, text := range hostileText {
		everywhere := url.Values{}
		for field := range good {
			fields := maps.Clone(good)
			fields.Set(field, text)
			everywhere.Set(field, text)
			send(fields)
		}
		send(everywhere)
	}
}

// harmless fails unless the answer refuses what was sent, and shows it as text.
func (p page) harmless(path string, sent url.Values) {
	p.t.Helper()
	if p.Code < 400 || p.Code > 499 || p.Header().Get("Location") != "" || p.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		p.t.Errorf("%s with %.200q: status %d, %v", path, sent, p.Code, p.Header())
	}
	p.hides("<script>alert", "<svg onload", "' onfocus='", "\x00").setsNoCookie()
}

func TestHostileTextInEveryFieldOfEveryForm(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	token := b.get("/auth/account").formToken()
	for path, good := range forms() {
		hostile(good, func(fields url.Values) {
			fields.Set("form_token", token)
			b.post(path, fields).harmless(path, fields)
		})
	}
	b.get("/auth/account").is(200).shows("Ada", email)
}

func TestAHundredKilobytesAreTooMuchForEveryForm(t *testing.T) {
	s, one, two, list := twoDevices(t)
	long := strings.Repeat("x", 100<<10)
	for address, fields := range acts(t, list) {
		fields.Set("form_token", list.formToken())
		fields.Set("password", long)
		one.post(address, fields).is(http.StatusRequestEntityTooLarge).setsNoCookie().shows("That was too much", "Nothing was changed")
	}
	one.get("/auth/account").is(200)
	two.get("/auth/account").is(200)
	r := httptest.NewRequest(http.MethodGet, "/auth/sign-in?return_to=/"+long, nil)
	s.browser(firefox).send(r).is(200).hides(long)
}
