package sessiontest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"cloakroom/session"
)

// patience is how long Cookie waits for a Manager whose Run was just started.
const patience = 5 * time.Second

// Cookie signs the subject in on a running Manager and returns the cookie that
// its browser would hold, for the requests of a handler's test:
//
//	r := httptest.NewRequest("GET", "/account", nil)
//	r.AddCookie(sessiontest.Cookie(t, sessions, "alice", session.Grant{}))
//	sessions.Load(handler).ServeHTTP(w, r)
//
// A request that is not GET or HEAD also needs the header a browser sends:
//
//	r.Header.Set("Sec-Fetch-Site", "same-origin")
func Cookie(t testing.TB, m *session.Manager, subject string, g session.Grant) *http.Cookie {
	t.Helper()
	attempt, err := m.Begin(t.Context(), subject)
	for began := time.Now(); errors.Is(err, session.ErrUnavailable) && time.Since(began) < patience; {
		time.Sleep(time.Millisecond)
		attempt, err = m.Begin(t.Context(), subject)
	}
	if err != nil {
		t.Fatalf("sessiontest: begin: %v", err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	if _, err := m.SignIn(w, r, attempt, g); err != nil {
		t.Fatalf("sessiontest: sign in: %v", err)
	}
	return w.Result().Cookies()[0]
}
