package api

import (
	"errors"
	"net/http"

	"cloakroom/internal/problem"
	"cloakroom/session"
)

func (a *API) listAccountSessions(w http.ResponseWriter, r *http.Request, admin session.Session) error {
	query, err := parseQuery(r, "after")
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	if _, _, err := a.authority.Find(r.Context(), id); err != nil {
		return err
	}
	return a.answerSessions(w, r, admin, id, query.text("after"))
}

func (a *API) revokeAccountSession(w http.ResponseWriter, r *http.Request, admin session.Session) error {
	strict, err := onlyStrict(r)
	if err != nil {
		return err
	}
	one, err := session.ParseID(r.PathValue("session"))
	if err != nil {
		return problem.NotFound()
	}
	pos, err := a.authority.RevokeSession(r.Context(), by(r, admin), r.PathValue("id"), one)
	if errors.Is(err, session.ErrNoSession) {
		return problem.NotFound()
	}
	if err != nil {
		return err
	}
	return a.revoked(w, r, pos, strict, one == admin.ID())
}

func (a *API) revokeAccountSessions(w http.ResponseWriter, r *http.Request, admin session.Session) error {
	strict, err := onlyStrict(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	pos, err := a.authority.RevokeSessions(r.Context(), by(r, admin), id)
	if err != nil {
		return err
	}
	return a.revoked(w, r, pos, strict, id == admin.Subject())
}

// revokeEverything ends the session that it is asked in, too.
func (a *API) revokeEverything(w http.ResponseWriter, r *http.Request, admin session.Session) error {
	strict, err := onlyStrict(r)
	if err != nil {
		return err
	}
	pos, err := a.authority.RevokeEverything(r.Context(), by(r, admin))
	if err != nil {
		return err
	}
	return a.revoked(w, r, pos, strict, true)
}
