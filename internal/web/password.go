package web

import (
	"errors"
	"net/http"

	"cloakroom/internal/factor/password"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/internal/visitor"
	"cloakroom/session"
)

// newSecret is what a form for a new password shows. It never holds one.
type newSecret struct {
	Email     string // whose password it is: what a password manager files it under
	Token     string // of the one-time link that the form came by, if it did
	Problem   string // with the form as a whole
	Wrong     wrong  // with one field
	FormToken string
	MinLength int
}

func (p *pages) passwordPage(w http.ResponseWriter, r *http.Request, s session.Session) error {
	return p.showPassword(w, r, s, http.StatusOK, newSecret{})
}

// changePassword ends all other sessions, and continues this one under a new
// token.
func (p *pages) changePassword(w http.ResponseWriter, r *http.Request, s session.Session) error {
	outcome, err := p.cfg.SignIn.ChangePassword(r.Context(), visitor.Of(r), s,
		r.PostForm.Get("current_password"), r.PostForm.Get("new_password"))
	if err == nil {
		s, err = visitor.SignIn(w, r, p.cfg.Sessions, outcome)
	}
	if err == nil {
		p.leaveNotice(r, s, "Your password was changed. All your other devices are signed out.")
		redirect(w, p.path("/account")+"?done")
		return nil
	}
	status, form, err := p.refusedSecret(w, err, guessedText)
	if err != nil {
		return err
	}
	return p.showPassword(w, r, s, status, form)
}

// refusedSecret says what is wrong with what was entered. Any other error is
// returned as it is.
func (p *pages) refusedSecret(w http.ResponseWriter, err error, tooOften string) (status int, form newSecret, _ error) {
	input, isInput := errors.AsType[*signin.InputError](err)
	switch {
	case isInput:
		form.Wrong = wrong{"new_password", p.rule(input)}
		return http.StatusUnprocessableEntity, form, nil
	case errors.Is(err, signin.ErrBadCredentials):
		form.Wrong = wrong{"current_password", "This is not the password of your account. Try again."}
		return http.StatusForbidden, form, nil
	case errors.Is(err, signin.ErrDisabled):
		form.Problem = disabledText
		return http.StatusForbidden, form, nil
	case errors.Is(err, throttle.ErrThrottled):
		status, form.Problem = throttled(w, err, tooOften)
		return status, form, nil
	case errors.Is(err, password.ErrBusy):
		form.Problem = busyText
		return busy(w), form, nil
	}
	return 0, newSecret{}, err
}

func (p *pages) showPassword(w http.ResponseWriter, r *http.Request, s session.Session, status int, form newSecret) error {
	form.Email, form.MinLength = s.Email(), p.cfg.SignIn.Passwords.MinLength()
	form.FormToken = p.cfg.Sessions.FormToken(r)
	return p.forMember(w, r, status, "/account", "password", titled("Change your password", form.problem()), form)
}

// problem is whatever is wrong, for the title.
func (n newSecret) problem() string { return n.Problem + n.Wrong.Text }
