package sessiontest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"cloakroom/session"
	"cloakroom/session/memory"
	"cloakroom/session/sessiontest"
)

// greet is an application's handler.
func greet(w http.ResponseWriter, r *http.Request) {
	s, ok := session.FromContext(r.Context())
	if !ok {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	fmt.Fprintf(w, "hello %s, level %d", s.Subject(), s.Level())
}

func TestCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sessions, err := session.New(session.Config{Store: memory.New(), Cookie: session.Cookie{Name: "__Host-mine"}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer stop()
		go func() { _ = sessions.Run(ctx) }() // Cookie waits until it runs

		cookie := sessiontest.Cookie(t, sessions, "alice", session.Grant{Level: 2})
		for _, c := range []struct {
			cookie *http.Cookie
			status int
			body   string
		}{
			{cookie, http.StatusOK, "hello alice, level 2"},
			{nil, http.StatusUnauthorized, "sign in first\n"},
		} {
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
			if c.cookie != nil {
				r.AddCookie(c.cookie)
			}
			sessions.Load(http.HandlerFunc(greet)).ServeHTTP(w, r)
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, c.status, c.body)
			}
		}
	})
}
