package conformance

import (
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestRow054NoOtherOriginMayReadAnAnswer(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, _ := h.member(t)
	for _, origin := range []string{
		"https://evil.example", "null", h.url() + ".evil.example", strings.Replace(h.url(), "http:", "https:", 1), h.url(),
	} {
		preflight := []edit{set("Origin", origin), set("Access-Control-Request-Method", "DELETE"), set("Access-Control-Request-Headers", "content-type")}
		for _, path := range []string{"/v1/session", "/v1/sessions", "/v1/sign-in", "/check", "/account", "/openapi.json"} {
			for _, a := range []answer{b.do("GET", path, "", preflight...), b.do("OPTIONS", path, "", preflight...)} {
				for name := range a.header {
					if strings.HasPrefix(name, "Access-Control-") {
						t.Errorf("%s for %s: %s: %s", a.asked, origin, name, a.header[name])
					}
				}
			}
		}
	}
}

var nonce = regexp.MustCompile(`'nonce-([^']+)'`)

func TestRow055EveryPageHasAPolicyOfItsOwn(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, _ := h.member(t)
	seen := map[string]bool{}
	for _, who := range []*browser{b, h.browser(t)} {
		for _, page := range append([]string{"/account/sessions/x/revoke"}, pages...) {
			for range 2 {
				a := who.do("GET", page, "")
				if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
					if a.status != http.StatusSeeOther {
						t.Errorf("%s is no page: %d", page, a.status)
					}
					continue
				}
				policy := a.header.Get("Content-Security-Policy")
				for _, want := range []string{"default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
					if !strings.Contains(policy, want) {
						t.Errorf("%s has no %s: %s", page, want, policy)
					}
				}
				m := nonce.FindStringSubmatch(policy)
				if m == nil || seen[m[1]] || len(m[1]) < 22 || strings.Contains(policy, "unsafe-") || len(a.header["Content-Security-Policy"]) != 1 {
					t.Errorf("%s: %s", page, policy)
					continue
				}
				seen[m[1]] = true
				if regexp.MustCompile(`<script(?: src="/auth/[^"]+")?>|\son\w+=|<style`).MatchString(a.text) {
					t.Errorf("%s has script or style that the policy stops", page)
				}
			}
		}
	}
}

func TestRow056And058EveryAnswerSaysHowItMayBeUsed(t *testing.T) {
	t.Parallel()
	seen, _ := tour(t)
	for _, a := range seen {
		asset := strings.Contains(a.asked, "/assets/") // the same for everybody, by the name of its content
		if got := a.header.Get("Cache-Control"); got != "no-store" && !asset {
			t.Errorf("%s (%d): Cache-Control %q", a.asked, a.status, got)
		}
		if a.header["Etag"] != nil && !asset || a.header["Last-Modified"] != nil && !asset {
			t.Errorf("%s: %v", a.asked, a.header)
		}
		kind, params, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
		if a.text == "" {
			continue
		}
		if a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s (%d): no nosniff", a.asked, a.status)
		}
		switch {
		case kind == "application/json", kind == "application/problem+json": // always UTF-8
			a.json("x")
		case params["charset"] != "utf-8" && kind != "image/svg+xml":
			t.Errorf("%s (%d): Content-Type %q", a.asked, a.status, a.header.Get("Content-Type"))
		}
		if kind == "text/html" {
			if got := a.header.Get("Referrer-Policy"); got != "same-origin" && got != "no-referrer" {
				t.Errorf("%s: Referrer-Policy %q", a.asked, got)
			}
			if got := a.header.Get("Cross-Origin-Opener-Policy"); got != "same-origin" {
				t.Errorf("%s: Cross-Origin-Opener-Policy %q", a.asked, got)
			}
		}
	}
}

func TestRow057ASecureHouseIsEnteredByHTTPSOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "--public-url=https://sign.example")
	b := h.browser(t)
	here := []edit{func(r *http.Request) { r.Host = "sign.example" }, set("Origin", "https://sign.example")}
	email := newEmail()
	for _, a := range []answer{
		b.do("POST", "/v1/sign-up", object("email", email, "password", goodPassword), here...).is(http.StatusCreated),
		b.do("GET", "/v1/session", "", here...).is(http.StatusOK), b.do("GET", "/account", "", here...).is(http.StatusOK),
		b.with("").do("GET", "/v1/session", "", here...).is(http.StatusUnauthorized), b.do("GET", "/nothing", "", here...).is(http.StatusNotFound),
		b.to("GET", "/elsewhere", "", here...).is(http.StatusNotFound), b.do("GET", "/openapi.json", "", here...).is(http.StatusOK),
	} {
		age, ok := strings.CutPrefix(a.header.Get("Strict-Transport-Security"), "max-age=")
		if seconds, err := strconv.Atoi(age); !ok || err != nil || seconds < 365*24*3600 {
			t.Errorf("%s: Strict-Transport-Security %q", a.asked, a.header.Get("Strict-Transport-Security"))
		}
	}
	// A page under any other name leads to the https address; the API leads nowhere.
	for _, page := range []string{"/sign-in", "/account"} {
		a := h.browser(t).do("GET", page, "").is(http.StatusSeeOther)
		if got := a.header.Get("Location"); got != "https://sign.example/auth"+page {
			t.Errorf("%s leads to %s", page, got)
		}
	}
	h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", goodPassword), set("Origin", "http://sign.example"), set("Sec-Fetch-Site")).refuses(http.StatusForbidden)
	for _, args := range [][]string{{"--public-url=http://sign.example"}, {"--listen=0.0.0.0:0"}} {
		if _, err := tryStart(t, args...); err == nil || !strings.Contains(err.Error(), "https") {
			t.Errorf("%v: a server that is reached without https: %v", args, err)
		}
	}
}

func TestRow059NoCacheCanBeTrickedIntoKeepingAnAnswer(t *testing.T) {
	t.Parallel()
	b, email := sharedHouse(t).member(t)
	for _, path := range []string{"/v1/session/x.css", "/v1/session%2fx.css", "/v1/session;x.css", "/v1/session%00.css", "/check/x.css", "/account/x.css", "/account%2fx.css", "/account;x.css", "/account/sessions/x.css"} {
		a := b.do("GET", path, "")
		status := http.StatusNotFound
		if strings.HasPrefix(path, "/check/") { // is the name of a policy that there is not
			status = http.StatusForbidden
		}
		if a.status != status || a.header.Get("Cache-Control") != "no-store" || strings.Contains(a.text, email) || a.header["Remote-User"] != nil {
			t.Errorf("%s: %d, Cache-Control %q", path, a.status, a.header.Get("Cache-Control"))
		}
	}
	for path, on := range map[string]string{"/check": "Cookie", "/v1/session": "Cookie Origin Sec-Fetch-Site", "/v1/sessions": "Cookie Origin", "/account": "Cookie", "/sign-in": "Cookie"} {
		for _, who := range []*browser{b, b.with("")} {
			vary := strings.Join(who.do("GET", path, "").header["Vary"], ", ")
			for _, name := range strings.Fields(on) {
				if !strings.Contains(vary, name) {
					t.Errorf("%s varies with %q, not with %s", path, vary, name)
				}
			}
		}
	}
}

// ways back that must lead nowhere but to the account page.
var hostileWays = []string{
	"//evil.example", "///evil.example", `/\evil.example`, `\/evil.example`, `\\evil.example`, "/\t/evil.example", "/\n/evil.example",
	"\t//evil.example", " //evil.example", "/\x00/evil.example", "/%2f/evil.example", "/%2Fevil.example", "/%5cevil.example",
	"/%09/evil.example", "/.//evil.example", "/x/..//evil.example", "/%2e%2e//evil.example", "http://evil.example/", "https://evil.example/",
	"https:evil.example", "https:///evil.example", "HOUSE@evil.example/", "HOUSE.evil.example/", `HOUSE\@evil.example`, "HOUSE//evil.example",
	"http://127.0.0.1:1/", "http://user@HOST/", "javascript:alert(1)", "data:text/html,x", "evil.example", "?next=//evil.example", "#//evil.example",
	"/x\r\nSet-Cookie: a=b", "/%zz", "%2f%2fevil.example", "/\u202eelpmaxe.live//",
}

func TestRow061AWayBackStaysHere(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	_, email := h.member(t)
	for _, way := range hostileWays {
		way = strings.NewReplacer("HOUSE", h.url(), "HOST", h.addr).Replace(way)
		b := h.browser(t)
		a := b.form("/sign-in", url.Values{"email": {email}, "password": {goodPassword}, "return_to": {way}}).is(http.StatusSeeOther)
		if got := a.header["Location"]; len(got) != 1 || got[0] != "/auth/account" {
			t.Errorf("%q leads to %q", way, got)
		}
		page := h.browser(t).do("GET", "/sign-in?return_to="+url.QueryEscape(way), "").is(http.StatusOK).text
		if strings.Contains(page, "evil.example") {
			t.Errorf("%q stands in the page", way)
		}
		back := url.Values{"form_token": {b.formToken("/account")}, "password": {goodPassword}, "return_to": {way}}
		if got := b.form("/reauthenticate", back).is(http.StatusSeeOther).header.Get("Location"); got != "/auth/account" {
			t.Errorf("after the password was given again, %q leads to %q", way, got)
		}
	}
	for _, way := range []string{"/shop?a=b"} {
		a := h.browser(t).form("/sign-in", url.Values{"email": {email}, "password": {goodPassword}, "return_to": {way}}).is(http.StatusSeeOther)
		if got := a.header.Get("Location"); got != "/shop?a=b" {
			t.Errorf("%q leads to %q", way, got)
		}
	}
}
