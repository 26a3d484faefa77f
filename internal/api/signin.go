package api

import (
	"net/http"

	"cloakroom/internal/visitor"
)

type signInRequest struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Remember bool   `json:"remember,omitzero"`
}

func (a *API) signIn(w http.ResponseWriter, r *http.Request) error {
	body, err := decode[signInRequest](r)
	if err != nil {
		return err
	}
	outcome, err := a.signin.WithPassword(r.Context(), visitor.Of(r), body.Email, body.Password, body.Remember)
	if err != nil {
		return err
	}
	s, err := visitor.SignIn(w, r, a.sessions, outcome)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, identityOf(s))
}
