package docs

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
	"cloakroom/session/sessiontest"
)

// running returns a Manager that runs until the test ends.
func running(t *testing.T, cfg session.Config) *session.Manager {
	t.Helper()
	cfg.Store = memory.New()
	sessions, err := session.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sessions.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return sessions
}

func TestMembersAreForEditors(t *testing.T) {
	sessions := running(t, session.Config{})
	site := routes(sessions)
	editor := session.Grant{Profile: &session.Profile{Roles: []string{"editor"}}}

	for want, cookie := range map[int]*http.Cookie{
		http.StatusOK:           sessiontest.Cookie(t, sessions, "ada", editor),
		http.StatusForbidden:    sessiontest.Cookie(t, sessions, "bob", session.Grant{}),
		http.StatusUnauthorized: {Name: "another", Value: "cookie"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/members", nil)
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("got %d, want %d", w.Code, want)
		}
	}
}

func TestAnUnusedSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sessions := running(t, session.Config{Idle: time.Hour})
		site := routes(sessions)
		r := httptest.NewRequest(http.MethodGet, "/account", nil)
		r.AddCookie(sessiontest.Cookie(t, sessions, "ada", session.Grant{}))

		time.Sleep(59 * time.Minute)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Errorf("used in time: %d", w.Code)
		}
		time.Sleep(61 * time.Minute)
		w = httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("not used for an hour: %d", w.Code)
		}
	})
}
