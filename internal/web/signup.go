package web

import (
	"errors"
	"net/http"
	"strconv"

	"cloakroom/internal/account"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/internal/visitor"
)

func (p *pages) signUpPage(w http.ResponseWriter, r *http.Request) error {
	s, signedIn, err := p.visitor(r)
	if err != nil {
		return err
	}
	back := p.returnTo(r.URL.Query().Get("return_to"))
	if signedIn {
		return p.alreadyIn(w, r, s, back, "")
	}
	if err := p.cfg.SignIn.Policy.AdmitsVisitors(); err != nil {
		return err
	}
	return p.showSignUp(w, http.StatusOK, entry{ReturnTo: back})
}

// signUp makes an account, and signs its owner in at once.
func (p *pages) signUp(w http.ResponseWriter, r *http.Request) error {
	e := p.readEntry(r)
	outcome, err := p.cfg.SignIn.SignUp(r.Context(), visitor.Of(r), e.Email, r.PostForm.Get("password"), e.Name, e.Remember)
	if err == nil {
		_, err = visitor.SignIn(w, r, p.cfg.Sessions, outcome)
	}
	if err == nil {
		redirect(w, p.orAccount(e.ReturnTo))
		return nil
	}
	status := http.StatusUnprocessableEntity
	input, isInput := errors.AsType[*signin.InputError](err)
	switch {
	case isInput:
		e.Wrong = wrong{input.Field, p.rule(input)}
		e.Problem = "One thing needs another look. No account was made yet."
	case errors.Is(err, account.ErrTaken):
		status = http.StatusConflict
		e.Taken = true
		e.Problem = "There is an account with this address already."
	case errors.Is(err, throttle.ErrThrottled):
		status, e.Problem = throttled(w, err, crowdedText)
	case errors.Is(err, password.ErrBusy):
		status = busy(w)
		e.Problem = busyText
	default:
		return err
	}
	return p.showSignUp(w, status, e)
}

func (p *pages) showSignUp(w http.ResponseWriter, status int, e entry) error {
	e.MinLength = p.cfg.SignIn.Passwords.MinLength()
	return p.guest(w, status, "sign-up", titled("Create an account", e.Problem), e)
}

func (p *pages) minLength() string { return strconv.Itoa(p.cfg.SignIn.Passwords.MinLength()) }
