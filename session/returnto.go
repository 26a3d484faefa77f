package session

import (
	"net/url"
	"slices"
	"strings"
)

const maxReturnTo = 2048

// ReturnTo reads the way back that RedirectTo wrote into a query's return_to,
// and that anybody may have written who makes a link to the sign-in page. It
// returns a path on this host, with its query, or "" if raw is anything else:
// whoever chooses it must not get to choose where a person goes with the trust
// in this host's address (ASVS 3.7.2).
//
// It is parsed first and compared then, and what is returned is written anew
// from its parts: nothing of the spelling survives that a browser could read in
// another way.
func ReturnTo(raw string) string {
	if len(raw) > maxReturnTo || strings.ContainsFunc(raw, oddInURL) {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return ""
	}
	// A slash that is written as %2F begins no path: the location would be
	// taken as relative to the page.
	if !strings.HasPrefix(u.EscapedPath(), "/") || !safePath(u.Path) {
		return ""
	}
	back := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	return back.RequestURI()
}

// oddInURL reports what no browser leaves unescaped in an address: backslashes,
// which it takes for slashes, controls, which it drops, and the rest of what is
// not printable ASCII.
func oddInURL(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("\\\"<>^`{|}", r)
}

// safePath reports whether a decoded path means itself, before and after a
// proxy has decoded or cleaned it. Browsers resolve dot segments before they
// ask, so an address with one was not read off an address bar.
func safePath(path string) bool {
	if strings.HasPrefix(path, "//") {
		return false
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	segments := strings.Split(path, "/")
	return !slices.Contains(segments, ".") && !slices.Contains(segments, "..")
}
