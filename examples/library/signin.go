package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/mail"
	"strings"

	"cloakroom/session"
)

// form is what the pages to sign up and in show.
type form struct {
	Name, Email string
	ReturnTo    string
	Problem     string // what to put right
	Confirm     bool   // of who is signed in already: they were asked again
	MinPassword int
}

func (a *app) signUpForm(w http.ResponseWriter, r *http.Request) error {
	return a.render(w, r, http.StatusOK, "sign-up", form{MinPassword: minPassword})
}

// signUp makes the user, the first session and the entry in one transaction.
func (a *app) signUp(w http.ResponseWriter, r *http.Request) error {
	f := form{Name: strings.TrimSpace(r.PostFormValue("name")), Email: address(r), MinPassword: minPassword}
	password := r.PostFormValue("password")
	profile := session.Profile{Name: f.Name, Email: f.Email}
	switch {
	case f.Name == "" || profile.Validate() != nil:
		f.Problem = "Please give a name, not too long a one."
	case !isAddress(f.Email):
		f.Problem = "That is not an email address."
	case !acceptable(password):
		f.Problem = "The password needs at least 15 characters."
	}
	if f.Problem != "" {
		return a.render(w, r, http.StatusUnprocessableEntity, "sign-up", f)
	}
	err := a.createUser(w, r, profile, password)
	if errors.Is(err, errTaken) {
		// This says who is a member. Not to say it takes a mail to the address.
		f.Problem = "Somebody has signed up with that address."
		return a.render(w, r, http.StatusConflict, "sign-up", f)
	}
	if err != nil {
		return err
	}
	redirect(w, home)
	return nil
}

func (a *app) createUser(w http.ResponseWriter, r *http.Request, profile session.Profile, password string) error {
	// The first to sign up is an editor: here that is whoever tries this out.
	some, err := a.hasUsers(r.Context())
	if err != nil {
		return err
	}
	if !some {
		profile.Roles = []string{editor}
	}
	u := user{id: rand.Text(), email: profile.Email}
	attempt, err := a.sessions.Begin(r.Context(), u.id)
	if err != nil {
		return err
	}
	if u.hash, err = a.passwords.hash(r.Context(), password); err != nil {
		return err
	}
	_, err = a.sessions.SignIn(w, r, attempt, session.Grant{
		Methods: session.Password,
		Profile: &profile,
		Joins:   []session.Join{insertUser(u, !some), record(u.id, u.id, "signed up")},
	})
	return err
}

func (a *app) signInForm(w http.ResponseWriter, r *http.Request) error {
	f := form{ReturnTo: wayBack(r.FormValue("return_to"))}
	s, ok := session.FromContext(r.Context())
	f.Email, f.Confirm = s.Email(), ok
	return a.render(w, r, http.StatusOK, "sign-in", f)
}

func (a *app) signIn(w http.ResponseWriter, r *http.Request) error {
	current, signedIn := session.FromContext(r.Context())
	f := form{Email: address(r), ReturnTo: wayBack(r.PostFormValue("return_to")), Confirm: signedIn}
	attempt, ok, err := a.authenticate(r.Context(), f.Email, r.PostFormValue("password"))
	if err != nil {
		return err
	}
	if !ok {
		f.Problem = "That address and that password do not belong together."
		return a.render(w, r, http.StatusUnprocessableEntity, "sign-in", f)
	}
	grant := session.Grant{
		Methods:  session.Password,
		Remember: r.PostFormValue("remember") != "",
		Joins:    []session.Join{record(attempt.Subject(), attempt.Subject(), "signed in")},
	}
	// Who confirms who they are goes on in the same session, with its draft.
	if signedIn && current.Subject() == attempt.Subject() {
		grant.Replace = current.ID()
	}
	if _, err := a.sessions.SignIn(w, r, attempt, grant); err != nil {
		return err
	}
	redirect(w, f.ReturnTo)
	return nil
}

// authenticate reports whether the address and the password belong together. An
// error means that this could not be decided.
func (a *app) authenticate(ctx context.Context, email, password string) (session.Attempt, bool, error) {
	id, err := a.findUser(ctx, email)
	if errors.Is(err, errNoUser) {
		return session.Attempt{}, false, a.passwords.waste(ctx, password)
	}
	if err != nil {
		return session.Attempt{}, false, err
	}
	return a.verify(ctx, id, password)
}

// verify reports whether the password is the user's. Begin comes before the hash
// is read: whoever verified a password that is changed in the meantime is
// refused by SignIn, with session.ErrMoved.
func (a *app) verify(ctx context.Context, id, password string) (session.Attempt, bool, error) {
	attempt, err := a.sessions.Begin(ctx, id)
	if err != nil {
		return session.Attempt{}, false, err
	}
	hash, err := a.readHash(ctx, id)
	if err != nil {
		return session.Attempt{}, false, err
	}
	ok, err := a.passwords.verify(ctx, hash, password)
	return attempt, ok, err
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request) error {
	var joins []session.Join
	if s, ok := session.FromContext(r.Context()); ok {
		joins = append(joins, record(s.Subject(), s.Subject(), "signed out"))
	}
	if err := a.sessions.SignOut(w, r, joins...); err != nil {
		return err
	}
	redirect(w, home)
	return nil
}

// address is the email address that a form gives, in the spelling that is kept.
func address(r *http.Request) string {
	return strings.ToLower(strings.TrimSpace(r.PostFormValue("email")))
}

func isAddress(email string) bool {
	parsed, err := mail.ParseAddress(email)
	return err == nil && parsed.Address == email
}

// home is where a way back leads that is none.
const home = "/"

// wayBack is the page to go on to after a sign-in.
func wayBack(raw string) string {
	if back := session.ReturnTo(raw); back != "" {
		return back
	}
	return home
}
