package api

import (
	"net/http"

	"cloakroom/internal/audit"
	"cloakroom/internal/visitor"
	"cloakroom/session"
)

// signOut answers 204 once the session is dead, whether or not it was before.
// If that cannot be known it is 503, and the cookie stays.
func (a *API) signOut(w http.ResponseWriter, r *http.Request) error {
	var record []session.Join
	if s, err := a.sessions.PeekRequest(r, session.Cached); err == nil {
		record = append(record, a.signin.Own(visitor.Of(r), s, audit.SessionSignedOut))
	}
	if err := a.sessions.SignOut(w, r, record...); err != nil {
		return err
	}
	return noContent(w)
}
