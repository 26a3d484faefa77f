package session

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// CheckOrigin reports as ErrOrigin an unsafe request (any method but GET, HEAD
// and OPTIONS) that does not prove that it comes from this site. Load, SignIn
// and SignOut ask it themselves.
//
//   - Sec-Fetch-Site, if present, must be same-origin or none.
//   - Origin, if present, must equal one of Config.Origins, or be null beside
//     Sec-Fetch-Site: same-origin; without Config.Origins, it counts only
//     beside that header.
//   - A request that carries a cookie of a session must have at least one of them.
//   - One without the cookie and without either (a first sign-in by a script)
//     passes: no browser sends it.
//
// Host is never trusted: an attacker's page can be served under any (ASVS 3.5.1).
func (m *Manager) CheckOrigin(r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	site, sent := single(r.Header, "Sec-Fetch-Site")
	if sent && site != "same-origin" && site != "none" {
		return fmt.Errorf("%w: Sec-Fetch-Site must be same-origin", ErrOrigin)
	}
	origin, hasOrigin := single(r.Header, "Origin")
	switch {
	case hasOrigin && !m.ownOrigin(origin, site):
		return fmt.Errorf("%w: Origin is not a public address of this site", ErrOrigin)
	case !sent && !hasOrigin && (m.hasCookie(r) || hasCookie(r, refreshCookie)):
		return fmt.Errorf("%w: a request with the session cookie needs the header Sec-Fetch-Site or Origin; "+
			"a script should send \"Sec-Fetch-Site: same-origin\"", ErrOrigin)
	}
	return nil
}

func (m *Manager) ownOrigin(origin, site string) bool {
	if origin == "null" || len(m.cfg.Origins) == 0 {
		return site == "same-origin"
	}
	return slices.Contains(m.cfg.Origins, origin)
}

// single returns a header that may stand once. One that stands twice counts as
// present with a value that nothing equals.
func single(h http.Header, name string) (value string, present bool) {
	switch values := h[name]; len(values) {
	case 0:
		return "", false
	case 1:
		return values[0], true
	default:
		return "doubled", true
	}
}

func validOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" &&
		u.Scheme+"://"+u.Host == s
}
