package web

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"cloakroom/internal/factor/password"
	"cloakroom/internal/link"
	"cloakroom/internal/setup"
	"cloakroom/internal/signin"
	"cloakroom/session"
)

// The refusals of the pages themselves.
var (
	errNoPage   = errors.New("there is no such page")
	errMethod   = errors.New("the page does not take this method")
	errOldForm  = errors.New("the form was not made for this session")
	errNotForm  = errors.New("the request does not carry a form")
	errBadForm  = errors.New("the form cannot be read")
	errTooLarge = errors.New("the form is too large")
	errNoDevice = errors.New("there is no such device")
	errNoPart   = errors.New("there is no such part of the list")
)

// trouble is an error as a person sees it: what happened, what it means and
// what to do.
type trouble struct {
	Status int
	Title  string
	What   string // happened, and what it means
	Do     string // now
	// To and Label are the way on.
	To, Label string
}

// troubles says, for each error that gets a page of its own, what the page
// says. The first that matches counts; anything else is an outage. To is a page
// under the base path.
var troubles = []struct {
	err error
	trouble
}{
	{errNoPage, trouble{http.StatusNotFound, "There is no such page",
		"The address leads nowhere. Nothing was lost or changed.",
		"Check the address, or start from your account.", "/account", "Go to your account"}},
	{errNoDevice, trouble{http.StatusNotFound, "There is no such device",
		"None of your sessions has this name. Nothing was changed.",
		"Look at the list of your devices: it shows all that are signed in now.", "/account/sessions", "See your devices"}},
	{errNoPart, trouble{http.StatusNotFound, "There is no such part of the list",
		"The address of this page is damaged. Nothing was lost or changed.",
		"Start from the latest.", "/account/activity", "See your activity"}},
	{signin.ErrInvitedOnly, trouble{http.StatusForbidden, "Sign-up is by invitation",
		"Nobody makes an account here alone. Nothing was changed.",
		"Ask whoever runs this service to invite you: you get a link that leads to your account.", "/sign-in", "Go to sign-in"}},
	{signin.ErrClosed, trouble{http.StatusForbidden, "Sign-up is closed",
		"No accounts are made here at present. Nothing was changed.",
		"If you have an account, sign in. If you need one, ask whoever runs this service.", "/sign-in", "Go to sign-in"}},
	{setup.ErrDone, trouble{http.StatusNotFound, "This is set up already",
		"There is an administrator, so nobody becomes one here any more. Nothing was changed.",
		"Sign in, or ask an administrator to give you that role.", "/sign-in", "Go to sign-in"}},
	{link.ErrGone, trouble{http.StatusGone, "This link no longer works",
		"Each works once, and for an hour. This one was used, has run out, or is not complete. Nothing was changed.",
		"Check that you opened all of it. If you did, ask whoever sent it to you for a new one.", "/sign-in", "Go to sign-in"}},
	{errMethod, trouble{http.StatusMethodNotAllowed, "This address only takes a form",
		"It was opened in a way that it does not take, for instance as a link. Nothing was changed.",
		"Go to the page that has the button, and press it there.", "/account", "Go to your account"}},
	{errOldForm, trouble{http.StatusForbidden, "This page was out of date",
		"Your session was renewed after the page was opened, in another tab perhaps. Nothing was changed.",
		"Open the page again and repeat what you wanted to do.", "/account/sessions", "See your devices"}},
	{session.ErrOrigin, trouble{http.StatusForbidden, "The request came from somewhere else",
		"Another site sent this form, or your browser did not say who sent it. It was refused, to protect your account. Nothing was changed.",
		"If it was you, open this site directly and try there.", "/account", "Go to your account"}},
	{session.ErrForbidden, trouble{http.StatusForbidden, "You are not allowed to do this",
		"You are signed in, but your account does not permit it. Nothing was changed.",
		"Ask whoever runs this service if you think that it should.", "/account", "Go to your account"}},
	{errTooLarge, trouble{http.StatusRequestEntityTooLarge, "That was too much",
		"The form is larger than anything this page takes. Nothing was changed.",
		"Go back, and enter less.", "/account", "Go to your account"}},
	{errNotForm, trouble{http.StatusUnsupportedMediaType, "This page only takes its own form",
		"The request was not sent by the form of this page. Nothing was changed.",
		"Open the page and use its form. Programs use the JSON API.", "/account", "Go to your account"}},
	{errBadForm, trouble{http.StatusBadRequest, "The form could not be read",
		"What arrived is damaged or incomplete. Nothing was changed.",
		"Open the page again and repeat what you wanted to do.", "/account", "Go to your account"}},
	{session.ErrSessionLimit, trouble{http.StatusConflict, "You are signed in on too many devices",
		"Your account has as many sessions as it may have, all of them better protected than this one would be. You are not signed in here.",
		"Sign out on one of your other devices, then try again.", "/sign-in", "Back to sign-in"}},
	{session.ErrMoved, trouble{http.StatusConflict, "Your account changed meanwhile",
		"While you were signing in, your sessions were ended or your password was changed. You are not signed in.",
		"Sign in again.", "/sign-in", "Sign in again"}},
	{session.ErrUnknownOutcome, trouble{http.StatusServiceUnavailable, "We do not know whether that worked",
		"The answer of the database was lost. Either all of it was done, or nothing. Your session here was left as it is.",
		"Look at the page again. It is safe to repeat what you wanted to do.", "", ""}},
	{password.ErrBusy, trouble{http.StatusServiceUnavailable, "Too many people are signing in",
		"The service protects itself by taking only so many at a time. Nothing was changed, and you have not been signed out.",
		"Wait a few seconds, go back, and send the form again.", "", ""}},
}

// outage is every error that is not a refusal.
var outage = trouble{http.StatusServiceUnavailable, "We cannot tell right now",
	"Something that this service depends on does not answer. You have not been signed out, and nothing you have is lost.",
	"Wait a few seconds and try again.", "", ""}

func troubleOf(err error) trouble {
	for _, known := range troubles {
		if errors.Is(err, known.err) {
			return known.trouble
		}
	}
	return outage
}

// answering is the one place where an error of a handler becomes an answer. It
// never touches the session cookie: above all, an outage leaves it alone.
func (p *pages) answering(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := guarded(h, w, r)
		if err == nil {
			return
		}
		t := troubleOf(err)
		if t.Status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "2")
			p.cfg.Logger.WarnContext(r.Context(), "web: a page could not be answered", "page", r.Pattern, "error", err)
			t.To, t.Label = p.again(r)
		} else {
			t.To = p.path(t.To)
		}
		if err := p.guest(w, t.Status, "trouble", t.Title, t); err != nil {
			p.cfg.Logger.ErrorContext(r.Context(), "web: the page of an error could not be made", "error", err)
			http.Error(w, t.Title, http.StatusServiceUnavailable)
		}
	})
}

// guarded runs a handler and makes an error of a panic: the process lives on. A
// handler writes nothing before it is done, so the answer is still to be made.
func guarded(h handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler { //nolint:errorlint // the sentinel itself is thrown
				panic(v)
			}
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return h(w, r)
}

// again is the way to try once more: the same page, unless it was a form, which
// only the person can send again.
func (p *pages) again(r *http.Request) (to, label string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return p.path("/account"), "Go to your account"
	}
	if to := p.returnTo(r.URL.RequestURI()); to != "" {
		return to, "Try again"
	}
	return r.URL.EscapedPath(), "Try again"
}
