package api

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"cloakroom/internal/audit"
	"cloakroom/internal/problem"
	"cloakroom/internal/visitor"
	"cloakroom/session"
)

type sessionsShape struct {
	Sessions []sessionShape `json:"sessions"`
	Next     *string        `json:"next"` // null at the end
}

func (a *API) listSessions(w http.ResponseWriter, r *http.Request, current session.Session) error {
	query, err := parseQuery(r, "after")
	if err != nil {
		return err
	}
	return a.answerSessions(w, r, current, current.Subject(), query.text("after"))
}

// answerSessions answers with one page of a subject's sessions, for somebody who
// is signed in with the current one.
func (a *API) answerSessions(w http.ResponseWriter, r *http.Request, current session.Session, subject, after string) error {
	list, next, err := a.sessions.List(r.Context(), subject, after)
	if errors.Is(err, session.ErrInvalid) {
		return problem.Malformed("after", "The parameter \"after\" is not a cursor of this list.")
	}
	if err != nil {
		return err
	}
	page := sessionsShape{Sessions: make([]sessionShape, len(list))}
	for i, d := range list {
		page.Sessions[i] = sessionShape{
			ID: d.ID.String(), Current: d.ID == current.ID(),
			CreatedAt: d.CreatedAt.UTC(), AuthenticatedAt: d.AuthenticatedAt.UTC(), LastSeenAt: d.LastSeenAt.UTC(),
			IdleExpiresAt: d.IdleExpiresAt.UTC(), ExpiresAt: d.ExpiresAt.UTC(),
			Level: d.Level, Methods: slices.Collect(d.Methods.Names()), Carrier: carrierOf(d), Client: clientOf(d.Client),
		}
	}
	if next != "" {
		page.Next = &next
	}
	return answer(w, http.StatusOK, page)
}

// carrierOf says how the session's token travels.
func carrierOf(d session.Details) string {
	if d.Bearer {
		return "bearer"
	}
	return "cookie"
}

// revokeSession ends one of one's own sessions. The current one may be ended
// like by signing out; any other only shortly after a sign-in.
func (a *API) revokeSession(w http.ResponseWriter, r *http.Request, current session.Session) error {
	query, err := parseQuery(r, "strict")
	if err != nil {
		return err
	}
	strict, err := query.flag("strict")
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	if id != current.ID().String() {
		if err := a.wantRecent(current); err != nil {
			return err
		}
	}
	parsed, err := session.ParseID(id)
	if err != nil {
		return problem.NotFound()
	}
	pos, err := a.sessions.Apply(r.Context(), session.Revoke(current.Subject(), parsed),
		a.signin.Revoked(visitor.Of(r), current, parsed))
	if errors.Is(err, session.ErrNoSession) {
		return problem.NotFound()
	}
	if err != nil {
		return err
	}
	return a.revoked(w, r, pos, strict, parsed == current.ID())
}

// revokeSessions ends all of one's other sessions, or with ?all=true all.
func (a *API) revokeSessions(w http.ResponseWriter, r *http.Request, current session.Session) error {
	query, err := parseQuery(r, "all", "strict")
	if err != nil {
		return err
	}
	all, err := query.flag("all")
	if err != nil {
		return err
	}
	strict, err := query.flag("strict")
	if err != nil {
		return err
	}
	if err := a.wantRecent(current); err != nil {
		return err
	}
	change, event := session.RevokeOthers(current.Subject(), current.ID()), audit.SessionsRevokedOthers
	if all {
		change, event = session.RevokeAll(current.Subject()), audit.SessionsRevokedAll
	}
	pos, err := a.sessions.Apply(r.Context(), change, a.signin.Own(visitor.Of(r), current, event))
	if err != nil {
		return err
	}
	return a.revoked(w, r, pos, strict, all)
}

func (a *API) wantRecent(s session.Session) error {
	if s.Age() > a.recent {
		return fmt.Errorf("%w: needs an authentication within the last %v", session.ErrNotRecent, a.recent)
	}
	return nil
}

type positionShape struct {
	Position string `json:"position"`
}

// revoked answers a revocation that was carried out: at once, or, if strict,
// when every node refuses what was revoked. own says that the caller's session
// was among it: then its cookie is cleared, too.
func (a *API) revoked(w http.ResponseWriter, r *http.Request, pos session.Position, strict, own bool) error {
	if strict {
		if err := a.sessions.Wait(r.Context(), pos); err != nil {
			return err
		}
	}
	if own {
		// The session is dead, so this writes nothing but the header; if it
		// fails, a dead cookie stays behind.
		_ = a.sessions.SignOut(w, r)
	}
	if strict {
		return answer(w, http.StatusOK, positionShape{positionText(pos)})
	}
	return noContent(w)
}

// positionText is a position for clients, to whom it is opaque.
func positionText(p session.Position) string {
	b := p.Incarnation[:]
	b = binary.BigEndian.AppendUint64(b, p.Number)
	b = binary.BigEndian.AppendUint64(b, p.Nonce)
	return base64.RawURLEncoding.EncodeToString(b)
}
