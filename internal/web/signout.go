package web

import (
	"net/http"

	"cloakroom/internal/audit"
	"cloakroom/internal/visitor"
	"cloakroom/session"
)

// signOutPage asks, or says that it is done: a link never signs anybody out.
func (p *pages) signOutPage(w http.ResponseWriter, r *http.Request) error {
	s, signedIn, err := p.visitor(r)
	if err != nil {
		return err
	}
	if !signedIn {
		return p.guest(w, http.StatusOK, "signed-out", "You are signed out", nil)
	}
	return p.guest(w, http.StatusOK, "sign-out", "Sign out", struct{ Who, FormToken string }{
		s.Email(), p.cfg.Sessions.FormToken(r),
	})
}

// signOut needs no live session: one that is dead already is signed out of, and
// its cookie cleared. If the session's end cannot be known, the cookie stays.
func (p *pages) signOut(w http.ResponseWriter, r *http.Request) error {
	s, signedIn, err := p.visitor(r)
	if err != nil {
		return err
	}
	var record []session.Join
	if signedIn {
		if err := p.checkFormToken(r); err != nil {
			return err
		}
		record = append(record, p.cfg.SignIn.Own(visitor.Of(r), s, audit.SessionSignedOut))
	}
	if err := p.cfg.Sessions.SignOut(w, r, record...); err != nil {
		return err
	}
	redirect(w, p.path("/sign-out"))
	return nil
}
