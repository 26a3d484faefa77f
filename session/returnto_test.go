package session_test

import (
	"net/url"
	"strings"
	"testing"

	"cloakroom/session"
)

func TestReturnToIsAPathOnThisHost(t *testing.T) {
	for _, good := range []string{"/", "/cart", "/cart?x=1&y=%2F", "/a%20b", "/a/b/", "/caf%C3%A9?q=a+b", "/a//b"} {
		if got := session.ReturnTo(good); got != good {
			t.Errorf("ReturnTo(%q) = %q", good, got)
		}
	}
	for _, bad := range []string{
		"", "cart", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
		"https://evil.example/", "http:/evil.example", "https:evil.example", "javascript:alert(1)", "data:text/html,x",
		"//evil.example@localhost/", "/%2F/evil.example", "/%2fevil.example", "%2F%2Fevil.example", "/%5Cevil.example",
		"/\x00", "/\r\nSet-Cookie: a=b", "/%0d%0aSet-Cookie:a=b", "/a\u2028b", "/é", " /cart", "/cart ", "/../cart", "/./cart", "/a/..",
		"/%2e%2e/cart", "?return_to=/x", "#x", "/<script>", "mailto:a@b", "//localhost:8080/x", "/" + strings.Repeat("a", 2048),
	} {
		if got := session.ReturnTo(bad); got != "" {
			t.Errorf("ReturnTo(%q) = %q", bad, got)
		}
	}
}

func FuzzReturnTo(f *testing.F) {
	for _, seed := range []string{"/", "/cart?x=1", "//evil.example", "/\\x", "/%2F", "https://x/", "/a#b"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "example.com", Path: "/auth/sign-in"}
	f.Fuzz(func(t *testing.T, raw string) {
		got := session.ReturnTo(raw)
		if got == "" {
			return
		}
		u, err := base.Parse(got)
		if err != nil || u.Scheme != "https" || u.Host != "example.com" || u.User != nil || got[0] != '/' || strings.HasPrefix(got, "//") {
			t.Errorf("ReturnTo(%q) = %q leads to %v (%v)", raw, got, u, err)
		}
		if again := session.ReturnTo(got); again != got {
			t.Errorf("ReturnTo(%q) = %q, and of that %q", raw, got, again)
		}
	})
}
