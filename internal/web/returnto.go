package web

import (
	"net/url"
	"slices"
	"strings"

	"cloakroom/session"
)

// returnTo turns the way back that a request names into a path on this host, or
// into "" if it is anything else. Beside what session.ReturnTo allows, the path
// may have the public URL before it; the pages that end in a way back
// themselves are none.
func (p *pages) returnTo(raw string) string {
	if path, ours := strings.CutPrefix(raw, p.origin.String()); ours && strings.HasPrefix(path, "/") {
		raw = path
	}
	back := session.ReturnTo(raw)
	if u, err := url.Parse(back); err != nil || p.isWayIn(u.Path) {
		return ""
	}
	return back
}

// isWayIn reports whether path is one of the pages that lead on to another.
func (p *pages) isWayIn(path string) bool {
	page, ok := strings.CutPrefix(path, p.cfg.BasePath)
	return ok && slices.Contains([]string{"/sign-in", "/sign-up", "/sign-out", "/reauthenticate", "/setup", "/link/reset", "/link/invite"}, page)
}

// orAccount is the way back, or the account page without one.
func (p *pages) orAccount(back string) string {
	if back == "" {
		return p.path("/account")
	}
	return back
}
