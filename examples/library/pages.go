package main

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"time"

	"cloakroom/session"
)

// maxForm is how long a form may be, in bytes.
const maxForm = 64 << 10

var errForm = errors.New("the form cannot be read")

func parsePages() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{
		"day": func(t time.Time) string { return t.Format("2 January 2006, 15:04 UTC") },
	}).ParseFS(files, "templates/*.html")
}

// view is what every page shows.
type view struct {
	Session  session.Session
	SignedIn bool
	Unknown  bool // who it is: the page offers no way in or out
	Data     any
}

// Editor is here for the link only. What may be seen is decided by Require.
func (v view) Editor() bool { return v.Session.HasRole(editor) }

// page makes a handler of a function that returns what went wrong.
func (a *app) page(f func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		err := r.ParseForm()
		if err != nil {
			err = fmt.Errorf("%w: %w", errForm, err)
		} else {
			err = f(w, r)
		}
		if err != nil {
			a.answer(w, r, err)
		}
	})
}

// render writes a page, whole or not at all.
func (a *app) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) error {
	v := view{Data: data}
	v.Session, v.SignedIn = session.FromContext(r.Context())
	v.Unknown = status == http.StatusServiceUnavailable
	var page bytes.Buffer
	if err := a.pages.ExecuteTemplate(&page, name, v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // a client that has gone is nobody to tell
	return nil
}

// redirect ends what was done: a reload does not do it again. The path is one of
// our own or has been through wayBack.
func redirect(w http.ResponseWriter, path string) {
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusSeeOther)
}

// answer is the one place where an error becomes an answer: of the handlers, and
// of Load and Require (session.Config.Answer).
func (a *app) answer(w http.ResponseWriter, r *http.Request, err error) {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if reads && (errors.Is(err, session.ErrNoSession) || errors.Is(err, session.ErrNotRecent)) {
		session.RedirectTo("/sign-in")(w, r, err)
		return
	}
	p := explain(err)
	if p.status == http.StatusServiceUnavailable {
		log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
		w.Header().Set("Retry-After", "1")
	}
	if err := a.render(w, r, p.status, "problem", p); err != nil {
		log.Printf("the page for an error: %v", err)
		http.Error(w, p.Text, p.status)
	}
}

// problem is an error as a person is told of it.
type problem struct {
	status int
	Text   string
	SignIn bool // whether signing in is the way on
}

// explain tells errors apart. What it does not know is an outage, never a wrong
// password and never a visitor.
func explain(err error) problem {
	switch {
	case errors.Is(err, errForm), errors.Is(err, session.ErrInvalid):
		return problem{status: http.StatusBadRequest, Text: "The form that you sent cannot be used."}
	case errors.Is(err, session.ErrNoSession):
		return problem{status: http.StatusUnauthorized, SignIn: true, Text: "You are signed out. Nothing was changed."}
	case errors.Is(err, session.ErrNotRecent):
		return problem{status: http.StatusForbidden, SignIn: true, Text: "This needs your password once more. Nothing was changed."}
	case errors.Is(err, session.ErrForbidden):
		return problem{status: http.StatusForbidden, Text: "This is not open to you."}
	case errors.Is(err, session.ErrOrigin):
		return problem{status: http.StatusForbidden, Text: "That came from a page of another site. Nothing was changed."}
	case errors.Is(err, session.ErrMoved), errors.Is(err, session.ErrDeleted):
		return problem{status: http.StatusConflict, Text: "Something else was changed first. Please try again."}
	case errors.Is(err, errNoUser):
		return problem{status: http.StatusNotFound, Text: "There is no such member."}
	case errors.Is(err, session.ErrUnknownOutcome):
		return problem{status: http.StatusServiceUnavailable,
			Text: "It is not known whether that was done. Please look, and try again if it was not."}
	default:
		return problem{status: http.StatusServiceUnavailable,
			Text: "This does not work at the moment. You have not been signed out. Please try again shortly."}
	}
}
