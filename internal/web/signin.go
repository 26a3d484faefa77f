package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/internal/visitor"
	"cloakroom/session"
)

// entry is what the forms of sign-in and sign-up show: what was entered, but
// never a password, and what was wrong with it.
type entry struct {
	Email, Name string
	Remember    bool
	ReturnTo    string
	Problem     string // with the form as a whole
	Taken       bool   // there is an account with this address
	Wrong       wrong  // with one field
	Note        string
	Done        string // what was done, and led here
	MinLength   int
	NoSignUp    bool // nobody makes an account alone
}

// wrong is what is wrong with one field.
type wrong struct{ Field, Text string }

// At returns what is wrong with the field, or "".
func (w wrong) At(field string) string {
	if w.Field != field {
		return ""
	}
	return w.Text
}

// readEntry takes over what was entered. The way back is judged each time.
func (p *pages) readEntry(r *http.Request) entry {
	return entry{
		Email: r.PostForm.Get("email"), Name: r.PostForm.Get("name"),
		Remember: r.PostForm.Get("remember") == "on",
		ReturnTo: p.returnTo(r.PostForm.Get("return_to")),
	}
}

func (p *pages) signInPage(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	back := p.returnTo(query.Get("return_to"))
	s, err := p.cfg.Sessions.CheckRequest(r, session.Cached)
	switch {
	case errors.Is(err, session.ErrTokenEnded) && !query.Has("anew"):
		return p.offerRenewal(w, back)
	case err != nil && !errors.Is(err, session.ErrNoSession):
		return err
	}
	done := p.heardAtSignIn(w, r)
	if err == nil {
		return p.alreadyIn(w, r, s, back, done)
	}
	e := entry{ReturnTo: back, Done: done}
	switch {
	case done != "":
	case p.cfg.Sessions.FormToken(r) != "": // a cookie, and nothing behind it
		e.Note = "Your session on this device has ended. Sign in to go on."
	case back != "":
		e.Note = "Sign in to go on to the page that you asked for."
	}
	return p.showSignIn(w, http.StatusOK, e)
}

// alreadyIn does not lead on by itself: a page that sends people here although
// they are signed in would send them in circles.
func (p *pages) alreadyIn(w http.ResponseWriter, r *http.Request, s session.Session, back, done string) error {
	return p.guest(w, http.StatusOK, "already", "You are signed in", struct{ Who, To, FormToken, Done string }{
		s.Email(), p.orAccount(back), p.cfg.Sessions.FormToken(r), done,
	})
}

func (p *pages) signIn(w http.ResponseWriter, r *http.Request) error {
	e := p.readEntry(r)
	outcome, err := p.cfg.SignIn.WithPassword(r.Context(), visitor.Of(r), e.Email, r.PostForm.Get("password"), e.Remember)
	if err == nil {
		_, err = visitor.SignIn(w, r, p.cfg.Sessions, outcome)
	}
	if err == nil {
		redirect(w, p.orAccount(e.ReturnTo))
		return nil
	}
	status := http.StatusUnauthorized
	switch {
	case errors.Is(err, signin.ErrBadCredentials), errors.Is(err, session.ErrDeleted):
		e.Problem = "This email and password do not belong together. Check both and try again."
	case errors.Is(err, signin.ErrDisabled):
		status = http.StatusForbidden
		e.Problem = disabledText
	case errors.Is(err, session.ErrMoved):
		status = http.StatusConflict
		e.Problem = "Your account was changed while you were signing in. Sign in again."
	case errors.Is(err, throttle.ErrThrottled):
		status, e.Problem = throttled(w, err, guessedText)
	case errors.Is(err, password.ErrBusy):
		status = busy(w)
		e.Problem = busyText
	default:
		return err
	}
	return p.showSignIn(w, status, e)
}

func (p *pages) showSignIn(w http.ResponseWriter, status int, e entry) error {
	e.NoSignUp = p.cfg.SignIn.Policy.AdmitsVisitors() != nil
	return p.guest(w, status, "sign-in", titled("Sign in", e.Problem), e)
}

const disabledText = "This account has been disabled. Ask whoever runs this service."

const busyText = "Too many people are signing in at this moment. Wait a few seconds and send this again."

func busy(w http.ResponseWriter) (status int) {
	w.Header().Set("Retry-After", "2")
	return http.StatusServiceUnavailable
}

// What was tried too often. Each stands before how long to wait.
const (
	guessedText = "Too many passwords were tried. Nobody is locked out: wait %s and try again, " +
		"or use a device that you signed in on before."
	crowdedText = "Too many attempts came from your network. Wait %s and try again."
)

// throttled says how long to wait after too many attempts.
func throttled(w http.ResponseWriter, err error, text string) (status int, _ string) {
	wait := time.Minute
	if e, ok := errors.AsType[*throttle.Error](err); ok {
		wait = e.RetryAfter
	}
	seconds := int((wait + time.Second - 1) / time.Second)
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return http.StatusTooManyRequests, fmt.Sprintf(text, inSeconds(seconds))
}

func inSeconds(n int) string {
	switch {
	case n == 1:
		return "a second"
	case n > 90:
		return fmt.Sprintf("%d minutes", (n+59)/60)
	}
	return fmt.Sprintf("%d seconds", n)
}

// titled says in the title, which is read out first, that something is wrong.
func titled(title, problem string) string {
	if problem == "" {
		return title
	}
	return "Error: " + title
}

// rule says in words which rule an input breaks.
func (p *pages) rule(e *signin.InputError) string {
	switch {
	case errors.Is(e, password.ErrTooShort):
		return "This password is too short. Use at least " + p.minLength() + " characters: a few words do well."
	case errors.Is(e, password.ErrTooLong):
		return "This password is too long. Use at most 256 characters."
	case errors.Is(e, password.ErrCharacters):
		return "This password holds characters that cannot be typed again. Use letters, digits, signs and spaces."
	case errors.Is(e, password.ErrCommon):
		return "This password is easy to guess: it is made of a common word or two, or of a pattern. Put together four words that have nothing to do with each other."
	case errors.Is(e, password.ErrContextual):
		return "This password holds little more than your name, your address or the name of this service. Put together four words that have nothing to do with you."
	case errors.Is(e, account.ErrInvalidEmail):
		return "This is not an email address that we can use. It should look like name@example.com."
	case errors.Is(e, signin.ErrInvalidName):
		return "This name is too long, or holds characters that cannot be shown."
	}
	return "This cannot be used."
}
