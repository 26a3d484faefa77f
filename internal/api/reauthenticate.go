package api

import (
	"errors"
	"net/http"

	"cloakroom/internal/problem"
	"cloakroom/internal/signin"
	"cloakroom/internal/visitor"
	"cloakroom/session"
)

type reauthenticateRequest struct {
	Password string `json:"password"`
}

// reauthenticate continues the session under a new token; the old one is dead
// before the answer is sent.
func (a *API) reauthenticate(w http.ResponseWriter, r *http.Request, current session.Session) error {
	body, err := decode[reauthenticateRequest](r)
	if err != nil {
		return err
	}
	outcome, err := a.signin.Reauthenticate(r.Context(), visitor.Of(r), current, body.Password)
	if errors.Is(err, signin.ErrBadCredentials) {
		return problem.WrongPassword()
	}
	if err != nil {
		return err
	}
	token, s, err := visitor.GoOn(w, r, a.sessions, outcome)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, grantedOf(token, s))
}
