package session

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// problem is a problem document (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// problems says, for each sentinel, what a client is told. The first that
// matches counts; anything else is the last.
var problems = []struct {
	err error
	problem
}{
	{ErrTwoTokens, problem{"urn:cloakroom:problem:two-tokens", "Two tokens", http.StatusBadRequest,
		"The request carries a session cookie and a bearer token. Send one of them."}},
	{ErrTokenEnded, problem{"urn:cloakroom:problem:token-ended", "The token has ended", http.StatusUnauthorized,
		"The session goes on. Renew its token and try again."}},
	{ErrNoSession, problem{"urn:cloakroom:problem:signed-out", "Not signed in", http.StatusUnauthorized,
		"This needs a session. Sign in and try again."}},
	{ErrNotRecent, problem{"urn:cloakroom:problem:not-recent", "Sign-in is not recent enough", http.StatusForbidden,
		"This needs a recent sign-in. Confirm who you are and try again."}},
	{ErrForbidden, problem{"urn:cloakroom:problem:forbidden", "Not allowed", http.StatusForbidden,
		"Your account is not allowed to do this."}},
	{ErrOrigin, problem{"urn:cloakroom:problem:origin", "Request from another site", http.StatusForbidden,
		"The request did not prove that it comes from this site. " +
			"A script should send the header \"Sec-Fetch-Site: same-origin\"."}},
	{ErrMoved, problem{"urn:cloakroom:problem:moved", "Changed in the meantime", http.StatusConflict,
		"Something changed while this was under way, and nothing was done. Look again and repeat it."}},
	{ErrDeleted, problem{"urn:cloakroom:problem:deleted", "Account deleted", http.StatusConflict,
		"This account was deleted. It cannot be signed in to."}},
	{ErrSessionLimit, problem{"urn:cloakroom:problem:session-limit", "Signed in too often", http.StatusConflict,
		"This account has as many sessions as it may have. Sign out on another device first."}},
	{ErrTooLarge, problem{"urn:cloakroom:problem:too-large", "Too large", http.StatusRequestEntityTooLarge,
		"This is more than a session may keep. Nothing was stored."}},
	{ErrInvalid, problem{"urn:cloakroom:problem:invalid", "Not acceptable", http.StatusUnprocessableEntity,
		"Something in the request breaks a limit. Nothing was done."}},
	{ErrUnknownOutcome, problem{"urn:cloakroom:problem:unknown-outcome", "Outcome unknown", http.StatusServiceUnavailable,
		"Whether this was done cannot be known at the moment. It is safe to repeat it."}},
	{ErrUnavailable, problem{"urn:cloakroom:problem:unavailable", "Try again shortly", http.StatusServiceUnavailable,
		"This cannot be decided at the moment, and nothing was done. You have not been signed out."}},
}

// Problem answers with a problem document (RFC 9457). An error that is none of
// this package's is an outage, 503: never 401.
func Problem(w http.ResponseWriter, _ *http.Request, err error) {
	p := problems[len(problems)-1].problem
	for _, known := range problems {
		if errors.Is(err, known.err) {
			p = known.problem
			break
		}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that has gone is nobody to tell
}

// RedirectTo returns an Answer for applications with pages: a page load without
// a session, or without a recent one, is sent to the sign-in page, with the
// page that was asked for in the query's return_to (a path on this host).
// Everything else gets a Problem.
func RedirectTo(signIn string) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		if !isPageLoad(r) || !errors.Is(err, ErrNoSession) && !errors.Is(err, ErrNotRecent) {
			Problem(w, r, err)
			return
		}
		target := signIn
		if back := r.URL.RequestURI(); strings.HasPrefix(back, "/") && !strings.HasPrefix(back, "//") {
			target += "?return_to=" + url.QueryEscape(back)
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, target, http.StatusSeeOther)
	}
}

// isPageLoad reports whether a browser is going to a page, as opposed to a
// script or a picture asking for something.
func isPageLoad(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
