package api

import (
	"net/http"

	"cloakroom/internal/visitor"
)

type signUpRequest struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name,omitzero"`
}

// signUp answers 409 for an address that has an account, after the same cost.
// That tells who has one; until addresses are verified by mail nothing else
// could be answered.
func (a *API) signUp(w http.ResponseWriter, r *http.Request) error {
	body, err := decode[signUpRequest](r)
	if err != nil {
		return err
	}
	outcome, err := a.signin.SignUp(r.Context(), visitor.Of(r), body.Email, body.Password, body.Name, false)
	if err != nil {
		return err
	}
	s, err := visitor.SignIn(w, r, a.sessions, outcome)
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, identityOf(s))
}
