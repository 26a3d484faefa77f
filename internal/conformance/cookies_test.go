package conformance

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// grammar is a Set-Cookie header as RFC 6265 lets a server write it.
var grammar = regexp.MustCompile(`^([!#$%&'*+\-.^_` + "`" + `|~0-9A-Za-z]+)=([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*)((?:; [A-Za-z-]+(?:=[\x20-\x3a\x3c-\x7e]+)?)*)$`)

func TestRow014And015And016And020EveryCookieIsBoundToThisHost(t *testing.T) {
	t.Parallel()
	seen, _ := tour(t)
	cookies := 0
	for _, a := range seen {
		for _, line := range a.header["Set-Cookie"] {
			cookies++
			m := grammar.FindStringSubmatch(line)
			if m == nil {
				t.Errorf("%s: not a cookie by the grammar: %.100q", a.asked, line)
				continue
			}
			name, value, attributes := m[1], m[2], strings.Split(m[3], "; ")[1:]
			wanted := []string{"Secure", "HttpOnly", "Path=/"}
			if name == refreshName { // which goes to one address, and counts only beside the session's (row 115)
				wanted = []string{"Secure", "HttpOnly", "Path=/auth/v1/session/renew", "SameSite=Strict"}
			} else if !strings.HasPrefix(name, "__Host-") {
				t.Errorf("%s: a cookie by the name of %s", a.asked, name)
			}
			for _, want := range wanted {
				if !slices.Contains(attributes, want) {
					t.Errorf("%s: %s without %s", a.asked, name, want)
				}
			}
			if !slices.Contains(attributes, "SameSite=Lax") && !slices.Contains(attributes, "SameSite=Strict") {
				t.Errorf("%s: %s says %q of SameSite", a.asked, name, attributes)
			}
			if len(name)+len(value) > 4096 {
				t.Errorf("%s: %s has %d bytes", a.asked, name, len(name)+len(value))
			}
			for _, attribute := range attributes {
				if strings.HasPrefix(attribute, "Domain") || len(attribute) > 1024 {
					t.Errorf("%s: %s has %.40s", a.asked, name, attribute)
				}
			}
		}
	}
	if cookies < 10 {
		t.Errorf("only %d cookies on the way", cookies)
	}
}

func TestRow017TheNameMatchesByExactCase(t *testing.T) {
	t.Parallel()
	b, _ := sharedHouse(t).member(t)
	for _, name := range []string{"__host-session", "__HOST-SESSION", "__Host-Session", "__Host-session ", "session", "__Secure-session", "__Host-Http-session"} {
		for _, path := range []string{"/check", "/v1/session"} {
			b.do("GET", path, "", set("Cookie", name+"="+b.cookie)).refuses(http.StatusUnauthorized)
		}
	}
	b.do("GET", "/check", "", set("Cookie", "a=b; "+cookieName+"="+b.cookie+"; c=d")).is(http.StatusOK)
}

func TestRow021TwoCookiesOfTheNameAreNone(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	good, second := cookieName+"="+b.cookie, cookieName+"="+h.signIn(t, email).cookie
	bad := cookieName + "=" + b.cookie[:tokenLen-1] + "!"
	for _, headers := range [][]string{
		{good + "; " + bad}, {bad + "; " + good}, {good, bad}, {bad, good}, {good + "; " + good}, {good, good},
		{good + "; " + second}, {second, good}, {good + "; " + cookieName + "="}, {cookieName + "=; " + good}, {good + ";a=b;" + bad},
	} {
		for _, path := range []string{"/check", "/v1/session", "/v1/sessions"} {
			b.do("GET", path, "", set("Cookie", headers...)).refuses(http.StatusUnauthorized)
		}
		b.do("GET", "/account", "", set("Cookie", headers...)).is(http.StatusSeeOther)
	}
	b.lives(true)
}
