package web

import (
	"errors"
	"net/http"
	"strings"

	"cloakroom/internal/audit"
	"cloakroom/internal/visitor"
	"cloakroom/session"
)

// ending is which sessions a person wants to end. The zero ending is none.
type ending struct {
	scope scope
	id    session.ID // of the one, if it is one
}

type scope uint8

const (
	scopeOne    scope = iota + 1
	scopeOthers       // all but this one
	scopeAll          // this one too
)

const (
	endOthers = "revoke-others"
	endAll    = "revoke-all"
	endOne    = "revoke-" // and the session's id
)

// String returns the ending as an address carries it. It names nothing secret.
func (e ending) String() string {
	switch e.scope {
	case scopeOne:
		return endOne + e.id.String()
	case scopeOthers:
		return endOthers
	case scopeAll:
		return endAll
	}
	return ""
}

// parseEnding is the inverse; anything else is no ending.
func parseEnding(s string) ending {
	switch s {
	case endOthers:
		return ending{scope: scopeOthers}
	case endAll:
		return ending{scope: scopeAll}
	}
	if text, ok := strings.CutPrefix(s, endOne); ok {
		if id, err := session.ParseID(text); err == nil {
			return ending{scopeOne, id}
		}
	}
	return ending{}
}

// revoke ends one session of the person's own. To end the one in use is to sign
// out, and needs no more proof than that.
func (p *pages) revoke(w http.ResponseWriter, r *http.Request, s session.Session) error {
	id, err := session.ParseID(r.PathValue("id"))
	if err != nil {
		return errNoDevice
	}
	if id == s.ID() {
		return p.signOut(w, r)
	}
	return p.endRecently(w, r, s, ending{scopeOne, id})
}

func (p *pages) revokeOthers(w http.ResponseWriter, r *http.Request, s session.Session) error {
	return p.endRecently(w, r, s, ending{scope: scopeOthers})
}

func (p *pages) revokeAll(w http.ResponseWriter, r *http.Request, s session.Session) error {
	return p.endRecently(w, r, s, ending{scope: scopeAll})
}

// endRecently carries an ending out if the person proved recently who they are,
// and otherwise asks for that first. The re-authentication page then says what
// it will do, and does it.
func (p *pages) endRecently(w http.ResponseWriter, r *http.Request, s session.Session, e ending) error {
	if s.Age() > p.cfg.Recent {
		redirect(w, p.path("/reauthenticate")+"?then="+e.String())
		return nil
	}
	return p.end(w, r, s, e)
}

// end carries an ending out, with its entry in the audit.
func (p *pages) end(w http.ResponseWriter, r *http.Request, s session.Session, e ending) error {
	switch e.scope {
	case scopeAll:
		return p.endAll(w, r, s)
	case scopeOthers:
		return p.endSome(w, r, s, session.RevokeOthers(s.Subject(), s.ID()),
			p.cfg.SignIn.Own(visitor.Of(r), s, audit.SessionsRevokedOthers),
			"All your other devices are signed out. Each is refused on its next request.")
	}
	name, err := p.deviceName(r, s, e.id)
	if err != nil {
		return err
	}
	err = p.endSome(w, r, s, session.Revoke(s.Subject(), e.id), p.cfg.SignIn.Revoked(visitor.Of(r), s, e.id),
		name+" is signed out. It is refused on its next request.")
	if errors.Is(err, session.ErrNoSession) {
		return errNoDevice
	}
	return err
}

// endSome leads back to the list, which says what was done.
func (p *pages) endSome(
	w http.ResponseWriter, r *http.Request, s session.Session, change session.Change, record session.Join, done string,
) error {
	if _, err := p.cfg.Sessions.Apply(r.Context(), change, record); err != nil {
		return err
	}
	p.leaveNotice(r, s, done)
	redirect(w, p.path("/account/sessions")+"?done")
	return nil
}

// endAll answers only when every node refuses every session. There is nothing
// left to be signed in with, so that it leads to the sign-in page.
func (p *pages) endAll(w http.ResponseWriter, r *http.Request, s session.Session) error {
	pos, err := p.cfg.Sessions.Apply(r.Context(), session.RevokeAll(s.Subject()),
		p.cfg.SignIn.Own(visitor.Of(r), s, audit.SessionsRevokedAll))
	if err != nil {
		return err
	}
	if err := p.cfg.Sessions.Wait(r.Context(), pos); err != nil {
		return err
	}
	// The session is dead: this does no more than to clear its cookie.
	if err := p.cfg.Sessions.SignOut(w, r); err != nil {
		return err
	}
	p.sayAtSignIn(w, everywhereOut)
	redirect(w, p.path("/sign-in"))
	return nil
}
