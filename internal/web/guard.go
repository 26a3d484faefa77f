package web

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"

	"cloakroom/internal/account"
	"cloakroom/internal/visitor"
	"cloakroom/session"
)

// maxBody bounds a form. The longest input that is accepted is a password of
// 1024 bytes, of which encoding makes three times as many.
const maxBody = 64 << 10

// anyone lets a request through that comes from this site and whose form can be
// read. Sign-in and sign-up have no session that a form token could belong to;
// that another site cannot send them, to sign a person in as somebody else, is
// the origin check's promise.
func (p *pages) anyone(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := p.cfg.Sessions.CheckOrigin(r); err != nil {
			return err
		}
		if err := readForm(r); err != nil {
			return err
		}
		return next(w, r)
	}
}

// member lets a request through that anyone lets through, that has a live
// session, and whose form, if it acts, was made for that session. A page asked
// for without a session leads to sign-in with a way back, and so does, without
// one, what finds that the session has ended meanwhile.
func (p *pages) member(next memberHandler) handler {
	return p.anyone(func(w http.ResponseWriter, r *http.Request) error {
		s, err := p.cfg.Sessions.CheckRequest(r, session.Cached)
		if errors.Is(err, session.ErrNoSession) {
			redirect(w, p.signInURL(r))
			return nil
		}
		if err != nil {
			return err
		}
		if err := p.checkFormToken(r); err != nil {
			return err
		}
		err = next(w, r, s)
		if errors.Is(err, session.ErrNoSession) || errors.Is(err, session.ErrDeleted) || errors.Is(err, account.ErrNotFound) {
			redirect(w, p.path("/sign-in"))
			return nil
		}
		return err
	})
}

// visitor returns the request's session, if there is one.
func (p *pages) visitor(r *http.Request) (s session.Session, signedIn bool, err error) {
	s, err = p.cfg.Sessions.CheckRequest(r, session.Cached)
	if errors.Is(err, session.ErrNoSession) {
		return session.Session{}, false, nil
	}
	return s, err == nil, err
}

func (p *pages) checkFormToken(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	want := p.cfg.Sessions.FormToken(r)
	if want == "" || subtle.ConstantTimeCompare([]byte(r.PostForm.Get("form_token")), []byte(want)) != 1 {
		return errOldForm
	}
	return nil
}

// signInURL is the way to the sign-in page and back to what was asked for. What
// was asked by a form is not sent again.
func (p *pages) signInURL(r *http.Request) string {
	if r.Method != http.MethodGet {
		return p.path("/sign-in")
	}
	return p.path("/sign-in") + "?return_to=" + url.QueryEscape(r.URL.RequestURI())
}

// readForm reads the form that a POST carries into r.PostForm.
func readForm(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil ||
		kind != "application/x-www-form-urlencoded" {
		return errNotForm
	}
	text, err := visitor.Body(r, maxBody)
	if errors.Is(err, visitor.ErrTooLarge) {
		return errTooLarge
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errBadForm, err)
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", errBadForm, err)
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return fmt.Errorf("%w: a field stands twice", errBadForm)
		}
	}
	return nil
}
