package web

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// hostileWays are ways back that must lead nowhere but to the account page.
var hostileWays = []string{
	"//evil.example",
	"//evil.example/auth/account",
	"///evil.example",
	"////evil.example",
	`/\evil.example`,
	`\/evil.example`,
	`\\evil.example`,
	`/\/evil.example`,
	"/\t/evil.example",
	"/\n/evil.example",
	"/\r/evil.example",
	"\t//evil.example",
	" //evil.example",
	"/\x00/evil.example",
	"/%2f/evil.example",
	"/%2Fevil.example",
	"/%5cevil.example",
	"/%5C%5Cevil.example",
	"/%09/evil.example",
	"/%00/evil.example",
	"/.//evil.example",
	"/..//evil.example",
	"/x/..//evil.example",
	"/%2e%2e//evil.example",
	"/auth/%2e%2e/%2e%2e//evil.example",
	"http://evil.example/",
	"https://evil.example/",
	"HTTPS://evil.example/",
	"https:evil.example",
	"https:/evil.example",
	"https:///evil.example",
	"http://app.example/",
	"https://app.example:8443/",
	"https://app.example:443@evil.example/",
	"https://app.example@evil.example/",
	"https://user@app.example/",
	"https://app.example.evil.example/",
	`https://app.example\@evil.example/`,
	"https://app.example%2f@evil.example/",
	"https://app.example//evil.example",
	"https://аpp.example/", // the first letter is Cyrillic
	"/\u202eelpmaxe.live//",
	"javascript:alert(1)",
	"JaVaScRiPt:alert(1)",
	"java\nscript:alert(1)",
	"data:text/html,<script>alert(1)</script>",
	"vbscript:x",
	"mailto:a@evil.example",
	"file:///etc/passwd",
	"evil.example",
	"?next=//evil.example",
	"#//evil.example",
	"",
	"/" + strings.Repeat("a", 3000),
	"/x\r\nSet-Cookie: a=b",
	"/x y",
	"/%zz",
	"%2F0",
	"%2f%2fevil.example",
	"https://app.example%2Fx",
	"/auth/sign-in",
	"/auth/sign-out?x=1",
	"/auth/setup",
	"/auth/link/reset?token=x",
}

func TestReturnToRefusesWhatLeadsElsewhere(t *testing.T) {
	p := newSite(t).pages
	for _, way := range hostileWays {
		if got := p.returnTo(way); got != "" {
			t.Errorf("returnTo(%q) = %q, want nothing", way, got)
		}
	}
}

func TestReturnToKeepsPathsOfThisHost(t *testing.T) {
	p := newSite(t).pages
	for way, want := range map[string]string{
		"/":                              "/",
		"/app":                           "/app",
		"/app/?q=a+b&c=%2F%2Fx":          "/app/?q=a+b&c=%2F%2Fx",
		"/auth/account/sessions":         "/auth/account/sessions",
		"/caf%C3%A9":                     "/caf%C3%A9",
		"/a%2Fb":                         "/a%2Fb",
		"/login?next=https://x.example/": "/login?next=https://x.example/",
		"/page#part":                     "/page",
		"/proxy//twice":                  "/proxy//twice",
		"https://app.example/app?q=1":    "/app?q=1",
	} {
		if got := p.returnTo(way); got != want {
			t.Errorf("returnTo(%q) = %q, want %q", way, got, want)
		}
	}
}

// However a way back arrives, the Location is a path that a browser reads as
// one of this host.
func TestLocationIsAlwaysOnThisHost(t *testing.T) {
	s := newSite(t)
	member := s.browser(firefox).signUp()
	here, err := url.Parse(origin + "/auth/sign-in")
	if err != nil {
		t.Fatal(err)
	}
	for i, way := range hostileWays {
		confirming := member.get("/auth/reauthenticate?return_to=" + url.QueryEscape(way)).is(200).hides(`name="return_to"`)
		for form, post := range map[string]func() page{
			"/auth/sign-in": func() page {
				return s.browser(firefox).post("/auth/sign-in", url.Values{"email": {email}, "password": {secret}, "return_to": {way}})
			},
			"/auth/sign-up": func() page {
				fields := url.Values{"email": {fmt.Sprintf("new%d@example.com", i)}, "password": {secret}, "return_to": {way}}
				return s.browser(firefox).post("/auth/sign-up", fields)
			},
			"/auth/reauthenticate": func() page {
				return member.act(confirming, "/auth/reauthenticate", url.Values{"password": {secret}, "return_to": {way}})
			},
		} {
			target, err := here.Parse(post().redirects("/auth/account").Header().Get("Location"))
			if err != nil || target.Host != "app.example" || target.Scheme != "https" {
				t.Errorf("%s, return_to=%q leads to %v (%v)", form, way, target, err)
			}
			if form != "/auth/reauthenticate" {
				s.browser(firefox).get(form + "?return_to=" + url.QueryEscape(way)).is(200).hides(`name="return_to"`)
			}
		}
	}
}

func FuzzReturnTo(f *testing.F) {
	for _, way := range hostileWays {
		f.Add(way)
	}
	f.Add("/app?q=1")
	p := &pages{cfg: Config{BasePath: "/auth"}, origin: url.URL{Scheme: "https", Host: "app.example"}}
	here, err := url.Parse(origin)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, way string) {
		got := p.returnTo(way)
		if got == "" {
			return
		}
		target, err := here.Parse(got)
		switch {
		case err != nil || target.Host != here.Host || target.Scheme != here.Scheme || target.User != nil:
			t.Fatalf("returnTo(%q) = %q leads to %v (%v)", way, got, target, err)
		case got[0] != '/' || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t\x00 "):
			t.Fatalf("returnTo(%q) = %q is no plain path", way, got)
		case p.returnTo(got) != got:
			t.Fatalf("returnTo(%q) = %q, and then %q", way, got, p.returnTo(got))
		}
	})
}
