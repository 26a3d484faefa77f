package api

import (
	"net/http"
)

type createRequest struct {
	Email    string   `json:"email"`
	Name     string   `json:"name,omitzero"`
	Roles    []string `json:"roles,omitzero"`
	Password string   `json:"password"`
}

// createAccount makes an account with a password.
func (a *API) createAccount(w http.ResponseWriter, r *http.Request, c caller) error {
	body, err := decode[createRequest](r)
	if err != nil {
		return err
	}
	made, err := a.authority.CreateAccount(r.Context(), c.By, body.Email, body.Name, body.Roles, body.Password)
	if err != nil {
		return err
	}
	found, info, err := a.authority.Find(r.Context(), made.ID)
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, oneAccountShape{adminAccountOf(found, info)})
}

type setPasswordRequest struct {
	Password string `json:"password"`
}

// setPassword gives an account a password without asking for the old one.
func (a *API) setPassword(w http.ResponseWriter, r *http.Request, c caller) error {
	body, err := decode[setPasswordRequest](r)
	if err != nil {
		return err
	}
	pos, err := a.authority.SetPassword(r.Context(), c.By, r.PathValue("id"), body.Password)
	if err != nil {
		return err
	}
	return a.changed(w, r, pos, false)
}
