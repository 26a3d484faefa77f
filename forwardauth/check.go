// Package forwardauth answers reverse proxies that ask, for each request they
// are about to pass on, whether it comes from somebody who is signed in (nginx
// auth_request, HAProxy, Envoy ext_authz, Traefik, Caddy, and others).
package forwardauth

import (
	"errors"
	"net/http"
	"strconv"

	"cloakroom/session"
)

// Handler decides about the session of the request that the proxy copied: by its
// cookie, or, where session.Config.Bearer is set, its Authorization header. Any method, any body, any origin, any query: it changes nothing.
//
//	200  let in: the identity headers below
//	401  not signed in: Location is the sign-in page
//	403  signed in, and the policy wants more; if that is a recent sign-in,
//	     Location is the page that asks for the password
//	503  cannot be decided at the moment: the proxy must not let it through
//
// A 200 carries Remote-User (the subject), Remote-Name, Remote-Email (empty
// unless verified), Remote-Groups (the roles, joined by commas), X-Session-Id
// and X-Session-Level, every one of them every time, so that a proxy always
// overwrites what a client sent under these names. No answer sets a cookie.
type Handler struct {
	Sessions          *session.Manager
	SignInURL         string // absolute; its host is the application's too
	ReauthenticateURL string // absolute; the same
	Policy            Policy

	// Redirects is for proxies that hand the answer to the browser as it is
	// (Traefik, Caddy): a page load that a Location is the answer to is
	// redirected there.
	Redirects bool

	// Decided, if set, is told the status of each answer: for counting.
	Decided func(status int)
}

// Values that every answer shares. A handler that adds to one gets a new slice,
// because there is no room behind it.
var (
	noStore = []string{"no-store"}
	vary    = []string{"Cookie, Authorization"}
	levels  = func() (l [16][1]string) {
		for i := range l {
			l[i][0] = strconv.Itoa(i)
		}
		return l
	}()
	unverified = []string{""}
)

func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s, err := h.Sessions.CheckRequest(r, h.Policy.Consistency)
	if err == nil {
		err = h.Policy.Admits(s)
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	// One array holds the values, and each header one element of it. The names
	// are in the canonical form, as Header.Set would make them.
	values := [...]string{s.Subject(), s.Name(), s.RoleList(), s.ID().String(), s.Email()}
	header := w.Header()
	header["Remote-User"] = values[0:1:1]
	header["Remote-Name"] = values[1:2:2]
	header["Remote-Groups"] = values[2:3:3]
	header["X-Session-Id"] = values[3:4:4]
	header["X-Session-Level"] = levels[s.Level()&15][:]
	header["Remote-Email"] = unverified
	if s.EmailVerified() {
		header["Remote-Email"] = values[4:5:5]
	}
	header["Cache-Control"] = noStore
	header["Vary"] = vary
	w.WriteHeader(http.StatusOK)
	if h.Decided != nil {
		h.Decided(http.StatusOK)
	}
}

func (h Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	w.Header()["Vary"] = vary
	target, status := "", http.StatusServiceUnavailable
	switch {
	case errors.Is(err, session.ErrNoSession):
		if errors.Is(err, session.ErrTwoTokens) {
			err = session.ErrNoSession // a proxy knows no 400
		}
		target, status = h.SignInURL, http.StatusUnauthorized
	case errors.Is(err, session.ErrNotRecent):
		target, status = h.ReauthenticateURL, http.StatusForbidden
	case errors.Is(err, session.ErrForbidden):
		status = http.StatusForbidden
	}
	if h.Decided != nil {
		h.Decided(status)
	}
	q := original(r)
	if target != "" {
		w.Header().Set("Location", q.wayBackFrom(target))
	}
	if target != "" && h.Redirects && q.page {
		w.Header()["Cache-Control"] = noStore
		w.WriteHeader(q.redirect())
		return
	}
	session.Problem(w, r, err)
}
