package web

import (
	"errors"
	"net/http"

	"cloakroom/internal/account"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/setup"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/internal/visitor"
)

// setupPage is there as long as there is no administrator.
func (p *pages) setupPage(w http.ResponseWriter, r *http.Request) error {
	done, err := p.cfg.Authority.Setup.Done(r.Context())
	if err != nil {
		return err
	}
	if done {
		return setup.ErrDone
	}
	return p.showSetup(w, http.StatusOK, entry{})
}

// setUp makes the first administrator, and signs them in at once.
func (p *pages) setUp(w http.ResponseWriter, r *http.Request) error {
	e := p.readEntry(r)
	outcome, err := p.cfg.Authority.SetUp(r.Context(), visitor.Of(r), r.PostForm.Get("code"),
		e.Email, r.PostForm.Get("password"), e.Name)
	if err == nil {
		_, err = visitor.SignIn(w, r, p.cfg.Sessions, outcome)
	}
	if err == nil {
		redirect(w, p.path("/account"))
		return nil
	}
	e.Problem = "One thing needs another look. No account was made yet."
	status := http.StatusUnprocessableEntity
	input, isInput := errors.AsType[*signin.InputError](err)
	switch {
	case isInput:
		e.Wrong = wrong{input.Field, p.rule(input)}
	case errors.Is(err, setup.ErrWrongCode):
		status = http.StatusForbidden
		e.Wrong = wrong{"code", "This is not the code that the server printed when it was started last."}
	case errors.Is(err, account.ErrTaken):
		status = http.StatusConflict
		e.Wrong = wrong{"email", "There is an account with this address already. Use another one."}
	case errors.Is(err, throttle.ErrThrottled):
		status, e.Problem = throttled(w, err, crowdedText)
	case errors.Is(err, password.ErrBusy):
		status, e.Problem = busy(w), busyText
	default:
		return err
	}
	return p.showSetup(w, status, e)
}

func (p *pages) showSetup(w http.ResponseWriter, status int, e entry) error {
	e.MinLength = p.cfg.SignIn.Passwords.MinLength()
	return p.guest(w, status, "setup", titled("Set up", e.Problem), e)
}

// withAuthority leaves out what there is nobody to decide about.
func (p *pages) withAuthority(next handler) handler {
	if p.cfg.Authority == nil {
		return func(http.ResponseWriter, *http.Request) error { return errNoPage }
	}
	return next
}
