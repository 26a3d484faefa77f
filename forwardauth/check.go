// Package forwardauth answers reverse proxies that ask, for each request they
// are about to pass on, whether it comes from somebody who is signed in (nginx
// auth_request, HAProxy, Envoy ext_authz, and others).
package forwardauth

import (
	"errors"
	"net/http"
	"strconv"

	"cloakroom/session"
)

// Handler decides about the session cookie of the request that the proxy
// copied. Any method, any body, any origin: it changes nothing.
//
//	200  signed in: the identity headers below
//	401  not signed in: Location is the sign-in page
//	503  cannot be decided at the moment: the proxy must not let it through
//
// A 200 carries Remote-User (the subject), Remote-Name, Remote-Email (empty
// unless verified), Remote-Groups (the roles, joined by commas), X-Session-Id
// and X-Session-Level, every one of them every time, so that a proxy always
// overwrites what a client sent under these names. No answer sets a cookie.
type Handler struct {
	Sessions  *session.Manager
	SignInURL string // absolute
}

// Values that every answer shares. A handler that adds to one gets a new slice,
// because there is no room behind it.
var (
	noStore = []string{"no-store"}
	vary    = []string{"Cookie"}
	levels  = func() (l [16][1]string) {
		for i := range l {
			l[i][0] = strconv.Itoa(i)
		}
		return l
	}()
	unverified = []string{""}
)

func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s, err := h.Sessions.CheckRequest(r, session.Cached)
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
}

func (h Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	w.Header()["Vary"] = vary
	if errors.Is(err, session.ErrNoSession) {
		w.Header().Set("Location", h.SignInURL)
	}
	session.Problem(w, r, err)
}
