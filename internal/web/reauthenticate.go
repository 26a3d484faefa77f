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
		return p.showConfirmation(w, r, s, http.StatusForbidden, r.PostForm, disabledText)
	case errors.Is(err, throttle.ErrThrottled):
		status, text := throttled(w, err, guessedText)
		return p.showConfirmation(w, r, s, status, r.PostForm, text)
	case errors.Is(err, password.ErrBusy):
		return p.showConfirmation(w, r, s, busy(w), r.PostForm, busyText)
	case err != nil:
		return err
	}
	renewed, err := visitor.SignIn(w, r, p.cfg.Sessions, outcome)
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
	if then != (ending{}) {
		c.Cancel = p.path("/account/sessions")
	}
	switch {
	case then.scope == scopeOthers:
		c.Purpose, c.Button = "sign out all your other devices", "Confirm and sign them out"
	case then.scope == scopeAll:
		c.Purpose, c.Button = "sign out everywhere, on this device too", "Confirm and sign out everywhere"
	case then.scope == scopeOne:
		name, err := p.deviceName(r, s, then.id)
		if err != nil {
			return err
		}
		c.Purpose, c.Button = "sign out "+lowerThe(name), "Confirm and sign it out"
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
