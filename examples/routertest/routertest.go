// Package routertest is what the examples with routers are held to: a visitor is
// let in where anybody is, a session where one is needed, a role where it is
// asked for, and an outage is nobody's sign-out.
package routertest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"cloakroom/session"
	"cloakroom/session/memory"
	"cloakroom/session/sessiontest"
)

// Run sends requests to the routes that make returns.
func Run(t *testing.T, routes func(*session.Manager) http.Handler) {
	sessions, err := session.New(session.Config{Store: memory.New()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := sessions.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer running.Wait()
	defer stop()
	if err := sessions.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	site := routes(sessions)
	ask := func(method, path string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest(method, path, nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		site.ServeHTTP(w, r)
		return w
	}
	signedIn := ask("POST", "/sign-in/ada").Result().Cookies()
	admin := sessiontest.Cookie(t, sessions, "grace", session.Grant{Profile: &session.Profile{Roles: []string{"admin"}}})
	for _, c := range []struct {
		path    string
		cookies []*http.Cookie
		status  int
		text    string
	}{
		{"/", nil, http.StatusOK, "a visitor\n"},
		{"/", signedIn, http.StatusOK, "signed in as ada\n"},
		{"/members", nil, http.StatusUnauthorized, ""},
		{"/members", signedIn, http.StatusOK, "signed in as ada\n"},
		{"/members/admin", signedIn, http.StatusForbidden, ""},
		{"/members/admin", []*http.Cookie{admin}, http.StatusOK, "signed in as grace\n"},
	} {
		if w := ask("GET", c.path, c.cookies...); w.Code != c.status || c.text != "" && w.Body.String() != c.text {
			t.Errorf("GET %s with %d cookies: %d %q, want %d %q", c.path, len(c.cookies), w.Code, w.Body, c.status, c.text)
		}
	}
	stop()
	running.Wait()
	if w := ask("GET", "/members", signedIn...); w.Code != http.StatusServiceUnavailable || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("without a live Run: %d, cookie %q", w.Code, w.Header().Get("Set-Cookie"))
	}
}
