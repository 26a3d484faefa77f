package web

import (
	"errors"
	"net/http"

	"cloakroom/internal/account"
	"cloakroom/internal/authority"
	"cloakroom/internal/link"
	"cloakroom/internal/visitor"
)

// linkKind says what the page of a kind of link says.
type linkKind struct {
	kind                link.Kind
	Title, Lede, Button string
}

// Path is the last part of the page's address.
func (k linkKind) Path() string { return k.kind.String() }

var (
	resetLink = linkKind{link.Reset, "Choose a new password",
		"Whatever is signed in to this account now is signed out when you do.", "Set the new password"}
	inviteLink = linkKind{link.Invite, "Welcome",
		"An account was made for you. Choose a password, then sign in with it.", "Set the password"}
)

// linkBody is what the page of a link shows.
type linkBody struct {
	linkKind
	newSecret
}

// linkPage shows the form, and uses nothing up: mail scanners open links.
func (p *pages) linkPage(kind linkKind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		return p.showLink(w, r, http.StatusOK, kind, r.URL.Query().Get("token"), newSecret{})
	}
}

// useLink needs no session, and begins none: whoever has the link shows that
// they know the password by signing in with it.
func (p *pages) useLink(kind linkKind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		text := r.PostForm.Get("token")
		token, ok := link.ParseToken(text)
		if !ok {
			return link.ErrGone
		}
		device, err := p.cfg.Authority.SetPasswordByLink(r.Context(), visitor.Of(r), token, kind.kind, r.PostForm.Get("new_password"))
		if err == nil {
			visitor.Remember(w, device)
			p.sayAtSignIn(w, passwordSet)
			redirect(w, p.path("/sign-in"))
			return nil
		}
		if errors.Is(err, authority.ErrDisabled) {
			return link.ErrGone
		}
		status, form, err := p.refusedSecret(w, err, crowdedText)
		if err != nil {
			return err
		}
		return p.showLink(w, r, status, kind, text, form)
	}
}

func (p *pages) showLink(w http.ResponseWriter, r *http.Request, status int, kind linkKind, token string, form newSecret) error {
	owner, err := p.linkOwner(r, kind.kind, token)
	if err != nil {
		return err
	}
	form.Email, form.Token, form.MinLength = owner, token, p.cfg.SignIn.Passwords.MinLength()
	return p.guest(w, status, "link", titled(kind.Title, form.problem()), linkBody{kind, form})
}

// linkOwner returns the address of the account that the link is for, and
// link.ErrGone for whatever kind of link cannot be used: they all look alike.
func (p *pages) linkOwner(r *http.Request, kind link.Kind, text string) (email string, err error) {
	token, ok := link.ParseToken(text)
	if !ok {
		return "", link.ErrGone
	}
	found, err := p.cfg.Authority.Links.Find(r.Context(), token.Hash(), p.cfg.Now())
	if err == nil && found.Kind != kind {
		return "", link.ErrGone
	}
	if err != nil {
		return "", err
	}
	owner, _, err := p.cfg.Authority.Find(r.Context(), found.Account)
	if errors.Is(err, account.ErrNotFound) || err == nil && owner.Status != account.Active {
		return "", link.ErrGone
	}
	return owner.Email, err
}

// unreferred keeps the link's secret from whatever the page leads to. Browsers
// then send "Origin: null" with the form, beside the "Sec-Fetch-Site" by which
// it passes.
func unreferred(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Referrer-Policy", "no-referrer")
		return next(w, r)
	}
}
