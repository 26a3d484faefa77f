package web

import (
	"net/url"
	"slices"
	"strings"
)

const maxReturnTo = 2048

// returnTo turns the way back that a request names into a path on this host, or
// into "" if it is anything else. It is parsed first and compared then, and what
// is returned is written anew from the parts: nothing of the spelling survives
// that a browser could read in another way.
//
// Allowed are a path and query of this host, and the same with the scheme and
// host of the public URL before it. The pages that end in a way back themselves
// are none.
func (p *pages) returnTo(raw string) string {
	if raw == "" || len(raw) > maxReturnTo || strings.ContainsFunc(raw, oddInURL) {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.User != nil {
		return ""
	}
	if u.Scheme+u.Host != "" && (u.Scheme != p.origin.Scheme || u.Host != p.origin.Host) {
		return ""
	}
	// A slash that is written as %2F begins no path: the location would be
	// taken as relative to the page.
	if !strings.HasPrefix(u.EscapedPath(), "/") || !safePath(u.Path) || p.isWayIn(u.Path) {
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
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return false
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	segments := strings.Split(path, "/")
	return !slices.Contains(segments, ".") && !slices.Contains(segments, "..")
}

// isWayIn reports whether path is one of the pages that lead on to another.
func (p *pages) isWayIn(path string) bool {
	page, ok := strings.CutPrefix(path, p.cfg.BasePath)
	return ok && slices.Contains([]string{"/sign-in", "/sign-up", "/sign-out", "/reauthenticate"}, page)
}

// orAccount is the way back, or the account page without one.
func (p *pages) orAccount(back string) string {
	if back == "" {
		return p.path("/account")
	}
	return back
}
