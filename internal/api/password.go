package api

import (
	"errors"
	"net/http"

	"cloakroom/internal/problem"
	"cloakroom/internal/signin"
	"cloakroom/internal/visitor"
	"cloakroom/session"
)

type changePasswordRequest struct {
	Current string `json:"current_password,omitzero"`
	New     string `json:"new_password"`
}

// changePassword ends all other sessions and continues this one under a new
// token, in the transaction that changes the password.
func (a *API) changePassword(w http.ResponseWriter, r *http.Request, current session.Session) error {
	body, err := decode[changePasswordRequest](r)
	if err != nil {
		return err
	}
	outcome, err := a.signin.ChangePassword(r.Context(), visitor.Of(r), current, body.Current, body.New)
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
