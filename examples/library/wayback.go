package main

import (
	"net/url"
	"strings"
)

// home is where a way back leads that is none.
const home = "/"

// wayBack turns the page that a request names as the one to go on to into a path
// on this host. Whoever makes a link to /sign-in chooses return_to, and must not
// get to choose where a person goes with the trust in this site's address: it is
// parsed, compared, and written anew from its parts.
func wayBack(raw string) string {
	if len(raw) > 2048 || strings.ContainsFunc(raw, odd) {
		return home
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return home
	}
	// Browsers read "//host" as another host, however much of it was escaped.
	if !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, `/\`) {
		return home
	}
	back := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	return back.String()
}

// odd reports what no browser leaves unescaped in an address: controls, which it
// drops, and backslashes, which it takes for slashes, among them.
func odd(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }
