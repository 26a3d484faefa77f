package main

import (
	"net/http"

	"cloakroom/session"
)

// accountPage is what the page of one's own account shows.
type accountPage struct {
	Current     session.ID
	Sessions    []session.Details
	History     []entry
	Done        string // what was just done
	Problem     string
	MinPassword int
}

func (a *app) account(w http.ResponseWriter, r *http.Request) error {
	p := accountPage{}
	switch r.FormValue("done") {
	case "password":
		p.Done = "Your password is changed, and all other devices are signed out."
	case "end-others":
		p.Done = "All other devices are signed out."
	}
	return a.renderAccount(w, r, http.StatusOK, p)
}

func (a *app) renderAccount(w http.ResponseWriter, r *http.Request, status int, p accountPage) (err error) {
	s, _ := session.FromContext(r.Context())
	p.Current, p.MinPassword = s.ID(), minPassword
	if p.Sessions, _, err = a.sessions.List(r.Context(), s.Subject(), ""); err != nil {
		return err
	}
	if p.History, err = a.history(r.Context(), s.Subject()); err != nil {
		return err
	}
	return a.render(w, r, status, "account", p)
}

// changePassword is one transaction: the hash, the end of all other sessions, a
// new token for this one, and the entry. Either all of it happens or nothing.
func (a *app) changePassword(w http.ResponseWriter, r *http.Request) error {
	s, _ := session.FromContext(r.Context())
	attempt, ok, err := a.verify(r.Context(), s.Subject(), r.PostFormValue("current"))
	if err != nil {
		return err
	}
	password, problem := r.PostFormValue("new"), ""
	switch {
	case !ok:
		problem = "That is not your current password."
	case !acceptable(password):
		problem = "The new password needs at least 15 characters."
	}
	if problem != "" {
		return a.renderAccount(w, r, http.StatusUnprocessableEntity, accountPage{Problem: problem})
	}
	hash, err := a.passwords.hash(r.Context(), password)
	if err != nil {
		return err
	}
	_, err = a.sessions.SignIn(w, r, attempt, session.Grant{
		Methods:      session.Password,
		Replace:      s.ID(),
		RevokeOthers: true,
		Joins: []session.Join{
			updateHash(s.Subject(), hash),
			record(s.Subject(), s.Subject(), "changed the password"),
		},
	})
	if err != nil {
		return err
	}
	redirect(w, "/account?done=password")
	return nil
}

// endOthers signs out all other devices. It hands out no token, so it is an
// Apply and not a sign-in.
func (a *app) endOthers(w http.ResponseWriter, r *http.Request) error {
	s, _ := session.FromContext(r.Context())
	_, err := a.sessions.Apply(r.Context(), session.RevokeOthers(s.Subject(), s.ID()),
		record(s.Subject(), s.Subject(), "signed out all other devices"))
	if err != nil {
		return err
	}
	redirect(w, "/account?done=end-others")
	return nil
}
