package forwardauth

import (
	"net/http"
	"strings"
	"testing"

	"cloakroom/session"
)

// browsing is what a proxy sends when a browser goes to a page.
func browsing(method, uri string, headers ...string) *http.Request {
	r := request("GET", "x")
	r.Header.Set("X-Forwarded-Method", method)
	r.Header.Set("X-Forwarded-Host", "example.com")
	r.Header.Set("X-Forwarded-Uri", uri)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	return r
}

func TestTheWayBackIsThePageThatWasAskedFor(t *testing.T) {
	d := newDoor(t)
	const back = signInURL + "?return_to=%2Freports%2F7%3Fa%3Db%26c%3Dd"
	page := "/reports/7?a=b&c=d"
	for name, c := range map[string]struct {
		r    *http.Request
		want string
	}{
		"a page":               {browsing("GET", page), back},
		"its head":             {browsing("HEAD", page), back},
		"an older browser":     {browsing("GET", page, "Sec-Fetch-Mode", "", "Accept", "text/html,*/*"), back},
		"a form":               {browsing("POST", page), signInURL},
		"a script":             {browsing("GET", page, "Sec-Fetch-Mode", "cors"), signInURL},
		"curl":                 {browsing("GET", page, "Sec-Fetch-Mode", ""), signInURL},
		"another host":         {browsing("GET", page, "X-Forwarded-Host", "example.com.evil.example"), signInURL},
		"no host":              {browsing("GET", page, "X-Forwarded-Host", ""), signInURL},
		"nothing asked for":    {browsing("GET", ""), signInURL},
		"another site":         {browsing("GET", "https://evil.example/"), signInURL},
		"another site, spelt":  {browsing("GET", "//evil.example/"), signInURL},
		"another site, coded":  {browsing("GET", "/%5Cevil.example/"), signInURL},
		"dots":                 {browsing("GET", "/a/../../b"), signInURL},
		"a header in a header": {browsing("GET", "/a\r\nSet-Cookie: x=y"), signInURL},
		"more than anybody":    {browsing("GET", "/"+strings.Repeat("a", 5000)), signInURL},
	} {
		for _, redirects := range []bool{false, true} {
			d.Redirects = redirects
			if got := d.ask(c.r).Header().Get("Location"); got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
		}
	}
}

// TestABrowserIsLedAndAScriptIsTold is for proxies that hand the answer to the
// browser as it is.
func TestABrowserIsLedAndAScriptIsTold(t *testing.T) {
	d := newDoor(t)
	d.Redirects = true
	for _, c := range []struct {
		r    *http.Request
		want int
	}{
		{browsing("GET", "/"), http.StatusFound}, {browsing("HEAD", "/"), http.StatusFound},
		{browsing("POST", "/"), http.StatusSeeOther}, {browsing("DELETE", "/"), http.StatusSeeOther},
		{browsing("GET", "/", "Sec-Fetch-Mode", "cors"), http.StatusUnauthorized},
		{browsing("GET", "/", "Sec-Fetch-Mode", "no-cors", "Accept", "text/html"), http.StatusUnauthorized},
		{browsing("GET", "/", "Sec-Fetch-Mode", ""), http.StatusUnauthorized},
		{browsing("GET", "/", "Sec-Fetch-Mode", "", "Accept", "text/html"), http.StatusFound},
	} {
		w := d.ask(c.r)
		if w.Code != c.want || w.Header()["Set-Cookie"] != nil || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %v: %d %v, want %d", c.r.Method, c.r.Header, w.Code, w.Header(), c.want)
		}
		d.Redirects = false
		if w := d.ask(c.r); w.Code != http.StatusUnauthorized {
			t.Errorf("a check redirects: %d", w.Code)
		}
		d.Redirects = true
	}
	token := d.signIn(t, "u-1", session.Profile{})
	page := browsing("GET", "/admin")
	page.Header.Set("Cookie", request("GET", token).Header.Get("Cookie"))
	d.Policy = Policy{Recent: 1}
	if w := d.ask(page); w.Code != http.StatusFound || w.Header().Get("Location") != reauthenticateURL+"?return_to=%2Fadmin" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	d.Policy = Policy{Level: 9}
	if w := d.ask(page); w.Code != http.StatusForbidden || w.Header()["Location"] != nil {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
