package web

import (
	"errors"
	"net/http"
	"net/url"

	"cloakroom/internal/factor/password"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/internal/visitor"
	"cloakroom/session"
)

// ending is which sessions a person wants to end: one, or all others. The zero
// ending is none.
type ending struct {
	id     session.ID
	others bool
}

const (
	endOthers = "revoke-others"
	endOne    = "revoke-" // and the session's id
)

// String returns the ending as an address carries it. It names nothing secret.
func (e ending) String() string {
	switch {
	case e.others:
		return endOthers
	case !e.id.IsZero():
		return endOne + e.id.String()
	}
	return ""
}

// parseEnding is the inverse; anything else is no ending.
func parseEnding(s string) ending {
	if s == endOthers {
		return ending{others: true}
	}
	if len(s) > len(endOne) && s[:len(endOne)] == endOne {
		if id, err := session.ParseID(s[len(endOne):]); err == nil {
			return ending{id: id}
		}
	}
	return ending{}
}

// confirmation is what the page that asks for the password again shows.
type confirmation struct {
	Email     string
	Then      string // the ending, as an address carries it
	Purpose   string // what it is, in words
	Button    string
	ReturnTo  string
	Cancel    string // the way back without it
	Problem   string
	FormToken string
}

func (p *pages) reauthenticatePage(w http.ResponseWriter, r *http.Request, s session.Session) error {
	query := r.URL.Query()
	return p.showConfirmation(w, r, s, http.StatusOK, query, "")
}

// reauthenticate renews the session, under a new token, and then carries out
// what it was asked for. The page said what that is, and took a password for
// it: nobody is led into it by a link.
func (p *pages) reauthenticate(w http.ResponseWriter, r *http.Request, s session.Session) error {
	outcome, err := p.cfg.SignIn.Reauthenticate(r.Context(), visitor.Of(r), s, r.PostForm.Get("password"))
	switch {
	case errors.Is(err, signin.ErrBadCredentials):
		return p.showConfirmation(w, r, s, http.StatusUnauthorized, r.PostForm,
			"This is not the password of your account. Try again.")
	case errors.Is(err, signin.ErrDisabled):
		return p.showConfirmation(w, r, s, http.StatusForbidden, r.PostForm,
			"This account has been disabled. Ask whoever runs this service.")
	case errors.Is(err, throttle.ErrThrottled):
		status, text := throttled(w, err)
		return p.showConfirmation(w, r, s, status, r.PostForm, text)
	case errors.Is(err, password.ErrBusy):
		return p.showConfirmation(w, r, s, busy(w), r.PostForm, busyText)
	case err != nil:
		return err
	}
	renewed, err := visitor.SignIn(w, r, p.cfg.Sessions, outcome)
	if errors.Is(err, session.ErrNoSession) { // it has ended meanwhile
		redirect(w, p.path("/sign-in"))
		return nil
	}
	if err != nil {
		return err
	}
	if then := parseEnding(r.PostForm.Get("then")); then != (ending{}) {
		return p.end(w, r, renewed, then)
	}
	redirect(w, p.orAccount(p.returnTo(r.PostForm.Get("return_to"))))
	return nil
}

func (p *pages) showConfirmation(
	w http.ResponseWriter, r *http.Request, s session.Session, status int, asked url.Values, problem string,
) error {
	then, back := parseEnding(asked.Get("then")), p.returnTo(asked.Get("return_to"))
	c := confirmation{
		Email: s.Email(), Then: then.String(), Button: "Confirm", ReturnTo: back,
		Cancel: p.orAccount(back), Problem: problem, FormToken: p.cfg.Sessions.FormToken(r),
	}
	switch {
	case then.others:
		c.Purpose, c.Button = "sign out all your other devices", "Confirm and sign them out"
		c.Cancel = p.path("/account/sessions")
	case then != ending{}:
		name, err := p.deviceName(r, s, then.id)
		if err != nil {
			return err
		}
		c.Purpose, c.Button = "sign out "+lowerThe(name), "Confirm and sign it out"
		c.Cancel = p.path("/account/sessions")
	}
	return p.guest(w, status, "reauthenticate", titled("Confirm that it is you", problem), c)
}

// lowerThe puts a name into the middle of a sentence.
func lowerThe(name string) string {
	if name == "The device" {
		return "the device"
	}
	return name
}
