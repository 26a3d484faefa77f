package web

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/audit"
)

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	s := newSite(t)
	answers := everyPage(t)
	answers["redirect"] = s.browser(firefox).get("/auth/account")
	answers["cleaned path"] = s.browser(firefox).get("/auth//sign-in")
	answers["base"] = s.browser(firefox).get("/auth/")
	for name, p := range answers {
		h, referrer := p.Header(), "same-origin"
		if strings.HasPrefix(name, "link") { // whose address is a secret
			referrer = "no-referrer"
		}
		for key, want := range map[string]string{
			"Referrer-Policy": referrer, "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
			"X-Frame-Options": "DENY", "Cache-Control": "no-store", "Vary": "Cookie",
		} {
			if got := h.Get(key); got != want {
				t.Errorf("%s: %s is %q, want %q", name, key, got, want)
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, directive := range []string{
			"default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action ",
		} {
			if !strings.Contains(csp, directive) {
				t.Errorf("%s: the policy lacks %s: %s", name, directive, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || strings.Contains(csp, "http") {
			t.Errorf("%s: the policy is wide: %s", name, csp)
		}
		if p.Body.Len() > 0 && h.Get("Location") == "" && h.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: Content-Type is %q", name, h.Get("Content-Type"))
		}
		if h.Get("ETag") != "" || h.Get("Last-Modified") != "" {
			t.Errorf("%s: can be revalidated", name)
		}
	}
}

var nonceOf = regexp.MustCompile(`'nonce-([A-Z2-7]{26,})'`)

func TestScriptsAndStylesPassByANonceOfTheirOwnPage(t *testing.T) {
	seen := map[string]bool{}
	for name, p := range everyPage(t) {
		found := nonceOf.FindStringSubmatch(p.Header().Get("Content-Security-Policy"))
		if found == nil || seen[found[1]] {
			t.Fatalf("%s: the nonce is missing or not new: %v", name, found)
		}
		seen[found[1]] = true
		if got := strings.Count(p.Body.String(), `nonce="`+found[1]+`"`); got != 2 {
			t.Errorf("%s: the nonce stands %d times", name, got)
		}
	}
}

var assetLink = regexp.MustCompile(`(?:href|src)="(/auth/assets/[^"]+)"`)

func TestAssetsAreKeptForGood(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	links := assetLink.FindAllStringSubmatch(b.get("/auth/account").Body.String(), -1)
	if len(links) != 3 {
		t.Fatalf("the page loads %v", links)
	}
	for _, link := range links {
		file := b.get(link[1]).is(200).setsNoCookie()
		if got := file.Header().Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control is %q", link[1], got)
		}
		if file.Header().Get("Vary") != "" || file.Body.Len() == 0 {
			t.Errorf("%s: Vary %q, %d bytes", link[1], file.Header().Get("Vary"), file.Body.Len())
		}
		if kind := file.Header().Get("Content-Type"); !strings.HasSuffix(kind, "; charset=utf-8") {
			t.Errorf("%s is %s", link[1], kind)
		}
	}
	for _, name := range []string{"style.css", "style.000000000000.css", "..%2fweb.go", "%2e%2e/web.go", ""} {
		if page := b.get("/auth/assets/" + name); page.Code == 200 {
			t.Errorf("/auth/assets/%s is served", name)
		}
	}
}

// What a first visit loads: the page, its style, its script and its icon.
func TestAFirstVisitIsSmall(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	for range activityPage { // the longest that the entries get
		s.audit.add(t, audit.Entry{
			Event: audit.PasswordChangeRefused, Reason: audit.Other, Subject: b.subject(), Count: 100_000,
			Address: strings.Repeat("ffff:", 7) + "ffff", UserAgent: iphone, Until: time.Now().Add(time.Hour),
		})
	}
	pages := everyPage(t)
	pages["activity full"] = b.get("/auth/account/activity").is(200)
	for name, page := range pages {
		size, links := page.Body.Len(), assetLink.FindAllStringSubmatch(page.Body.String(), -1)
		for _, link := range links {
			size += b.get(link[1]).is(200).Body.Len()
		}
		if size > 60<<10 || len(links) != 3 {
			t.Errorf("%s loads %d files, %d bytes in all", name, len(links), size)
		}
	}
}

func TestNoAssetAsksAnotherHost(t *testing.T) {
	s := newSite(t)
	for name, file := range s.pages.assets.files {
		text := strings.ReplaceAll(string(file.body), "http://www.w3.org/2000/svg", "")
		for _, reach := range []string{"http://", "https://", "url(//", "@import", "url("} {
			if strings.Contains(text, reach) {
				t.Errorf("%s contains %q", name, reach)
			}
		}
	}
}

func TestPathsThatPretendToBeFilesAreNotPages(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	for _, path := range []string{
		"/auth/account/x.css", "/auth/account%2fx.css", "/auth/account;x.css", "/auth/account.css", "/auth/account/",
		"/auth/account%2fsessions", "/auth/ACCOUNT", "/auth/x", "/other",
	} {
		page := b.get(path).is(http.StatusNotFound).shows("There is no such page").hides(email)
		if page.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be stored", path)
		}
	}
}
