package api

import "net/http"

// signOut answers 204 once the session is dead, whether or not it was before.
// If that cannot be known it is 503, and the cookie stays.
func (a *API) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := a.sessions.SignOut(w, r); err != nil {
		return err
	}
	return noContent(w)
}
