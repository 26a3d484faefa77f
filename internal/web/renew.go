package web

import (
	"errors"
	"net/http"
	"net/url"

	"cloakroom/internal/visitor"
	"cloakroom/session"
)

// renewal is what the page shows whose form renews the session.
type renewal struct {
	Action   string
	ReturnTo string
	Anew     string // the way to sign in instead
}

// offerRenewal is for who comes back when the token has ended and the session has not.
// The script of the page sends its form at once; without scripts it has a button.
func (p *pages) offerRenewal(w http.ResponseWriter, back string) error {
	return p.guest(w, http.StatusOK, "renew", "Welcome back", renewal{
		Action: p.path(visitor.RenewPath), ReturnTo: back, Anew: p.signInAnew(back),
	})
}

// renew goes on to where the person was going. If there is nothing to renew they sign
// in, and are not sent here again.
func (p *pages) renew(w http.ResponseWriter, r *http.Request) error {
	back := p.returnTo(r.PostForm.Get("return_to"))
	_, err := p.cfg.Sessions.RenewRequest(w, r)
	if errors.Is(err, session.ErrNoSession) {
		redirect(w, p.signInAnew(back))
		return nil
	}
	if err != nil {
		return err
	}
	redirect(w, p.orAccount(back))
	return nil
}

// signInAnew is the sign-in page that offers no renewal.
func (p *pages) signInAnew(back string) string {
	to := p.path("/sign-in") + "?anew"
	if back != "" {
		to += "&return_to=" + url.QueryEscape(back)
	}
	return to
}
