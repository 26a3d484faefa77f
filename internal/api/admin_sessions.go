package api

import (
	"errors"
	"net/http"

	"cloakroom/internal/problem"
	"cloakroom/session"
)

func (a *API) listAccountSessions(w http.ResponseWriter, r *http.Request, c caller) error {
	query, err := parseQuery(r, "after")
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	if _, _, err := a.authority.Find(r.Context(), id); err != nil {
		return err
	}
	return a.answerSessions(w, r, c.session, id, query.text("after"))
}

func (a *API) revokeAccountSession(w http.ResponseWriter, r *http.Request, c caller) error {
	strict, err := onlyStrict(r)
	if err != nil {
		return err
	}
	one, err := session.ParseID(r.PathValue("session"))
	if err != nil {
		return problem.NotFound()
	}
	pos, err := a.authority.RevokeSession(r.Context(), c.By, r.PathValue("id"), one)
	if errors.Is(err, session.ErrNoSession) {
		return problem.NotFound()
	}
	if err != nil {
		return err
	}
	return a.revoked(w, r, pos, strict, one == c.session.ID())
}

func (a *API) revokeAccountSessions(w http.ResponseWriter, r *http.Request, c caller) error {
	strict, err := onlyStrict(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	pos, err := a.authority.RevokeSessions(r.Context(), c.By, id)
	if err != nil {
		return err
	}
	return a.revoked(w, r, pos, strict, c.isOwn(id))
}

// revokeEverything ends the session that it is asked in, too.
func (a *API) revokeEverything(w http.ResponseWriter, r *http.Request, c caller) error {
	strict, err := onlyStrict(r)
	if err != nil {
		return err
	}
	pos, err := a.authority.RevokeEverything(r.Context(), c.By)
	if err != nil {
		return err
	}
	return a.revoked(w, r, pos, strict, c.session.Subject() != "")
}
