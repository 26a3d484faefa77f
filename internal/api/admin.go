package api

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/authority"
	"cloakroom/internal/problem"
	"cloakroom/internal/visitor"
	"cloakroom/session"

	"github.com/go-json-experiment/json/jsontext"
)

// caller is who asks for an administrator's act: somebody who is signed in, or
// the operator at the command line, in no session.
type caller struct {
	authority.By
	session session.Session // the zero Session for the operator
}

// isOwn reports whether the id is that of the caller's own account.
func (c caller) isOwn(id string) bool { return id != "" && id == c.session.Subject() }

type adminFunc func(http.ResponseWriter, *http.Request, caller) error

// asAdmin is a handler that needs the session of an administrator who has signed
// in recently, for reading as well: what is read is other people's. The check is
// fresh, so that a role that was taken away anywhere is gone. Whoever is signed
// in and refused is counted.
func (a *API) asAdmin(f adminFunc) problem.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, err := a.sessions.CheckRequest(r, session.Fresh)
		if err != nil {
			return err
		}
		if !s.HasRole(account.AdminRole) {
			a.countRefusal(r, s, audit.Credentials)
			return session.ErrForbidden
		}
		if err := a.wantRecent(s); err != nil {
			a.countRefusal(r, s, "")
			return err
		}
		return f(w, r, caller{by(r, s), s})
	}
}

// asOperator is a handler for whoever reaches a socket that only the operator
// can open.
func (a *API) asOperator(f adminFunc) problem.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		return f(w, r, caller{By: authority.Operator()})
	}
}

func (a *API) countRefusal(r *http.Request, s session.Session, why audit.Reason) {
	by := by(r, s)
	a.authority.Refusals.Add(audit.Entry{
		Event: audit.AdminRefused, Reason: why,
		Actor: by.Account, Session: by.Session, Address: by.Address, UserAgent: by.UserAgent,
	})
}

func by(r *http.Request, s session.Session) authority.By { return authority.Actor(visitor.Of(r), s) }

// adminAccountShape is an account as administrators see it, with the version
// that a change of its profile has to name.
type adminAccountShape struct {
	accountShape
	Version   string     `json:"version"`
	AlertedAt *time.Time `json:"alerted_at"` // null if there is no reason
}

type oneAccountShape struct {
	Account adminAccountShape `json:"account"`
}

func adminAccountOf(found account.Account, info session.SubjectInfo) adminAccountShape {
	p := info.Profile
	shape := adminAccountShape{accountShape: accountShape{
		ID: found.ID, Email: found.Email, Name: p.Name, Roles: slices.Concat([]string{}, p.Roles),
		Attributes: jsontext.Value("null"), EmailVerified: p.EmailVerified,
		Status: found.Status.String(), CreatedAt: found.CreatedAt,
	}, Version: strconv.FormatUint(info.Version, 10)}
	if !found.AlertedAt.IsZero() {
		shape.AlertedAt = &found.AlertedAt
	}
	if len(p.Attributes) > 0 {
		shape.Attributes = jsontext.Value(p.Attributes)
	}
	return shape
}

// answerAccount answers with the account as it is now.
func (a *API) answerAccount(w http.ResponseWriter, r *http.Request, id string) error {
	found, info, err := a.authority.Find(r.Context(), id)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, oneAccountShape{adminAccountOf(found, info)})
}

// changed answers a change of an account with what it is now, once it holds
// here or, if strict, at every node.
func (a *API) changed(w http.ResponseWriter, r *http.Request, pos session.Position, strict bool) error {
	if strict {
		if err := a.sessions.Wait(r.Context(), pos); err != nil {
			return err
		}
	}
	return a.answerAccount(w, r, r.PathValue("id"))
}

// onlyStrict reads the one parameter of a route that takes authority away.
func onlyStrict(r *http.Request) (bool, error) {
	query, err := parseQuery(r, "strict")
	if err != nil {
		return false, err
	}
	return query.flag("strict")
}

// badCursor tells a cursor that is none from an outage.
func badCursor(err error) error {
	if errors.Is(err, session.ErrInvalid) {
		return problem.Malformed("after", "The parameter \"after\" is not a cursor of this list.")
	}
	return err
}
