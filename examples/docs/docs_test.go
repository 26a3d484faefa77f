package docs

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"cloakroom/session"
	"cloakroom/session/memory"
	"cloakroom/session/sessiontest"
	"cloakroom/session/sqlite"
)

// ask sends a request as the application's own page would.
func ask(h http.Handler, method, path string, cookie *http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if cookie != nil {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestWhatStartsAlsoEnds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "notes.db")
	sessions, end, err := start(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	cookie := sessiontest.Cookie(t, sessions, "ada", session.Grant{Profile: &session.Profile{Name: "Ada"}})
	if w := ask(routes(sessions), http.MethodGet, "/", cookie); w.Body.String() != "Hello Ada\n" {
		t.Errorf("a member is told %d %s", w.Code, w.Body)
	}
	if w := ask(routes(sessions), http.MethodGet, "/", nil); w.Body.String() != "Hello, whoever you are\n" {
		t.Errorf("a visitor is told %d %s", w.Code, w.Body)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if w := ask(routes(sessions), http.MethodGet, "/account", cookie); w.Code != http.StatusServiceUnavailable {
		t.Errorf("after the end: %d", w.Code)
	}
	sessions, end, err = start(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if w := ask(routes(sessions), http.MethodPost, "/payments", cookie); w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "ada, signed in ") {
		t.Errorf("after a restart: %d %s", w.Code, w.Body)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

func TestStartFailsWhereItCannotOpen(t *testing.T) {
	if _, _, err := start(t.Context(), filepath.Join(t.TempDir(), "nowhere", "notes.db")); err == nil {
		t.Error("no error")
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	if _, _, err := start(gone, filepath.Join(t.TempDir(), "notes.db")); err == nil {
		t.Error("no error after the context has ended")
	}
}

func TestADeviceIsSignedOutByItsOwnerAlone(t *testing.T) {
	sessions := running(t, session.Config{})
	mux := http.NewServeMux()
	mux.Handle("GET /devices", devices(sessions))
	mux.Handle("DELETE /devices/{id}", signOutDevice(sessions))
	site := sessions.Require()(mux)
	phone := sessiontest.Cookie(t, sessions, "ada", session.Grant{Client: session.Client{UserAgent: "phone"}})
	laptop := sessiontest.Cookie(t, sessions, "ada", session.Grant{Client: session.Client{UserAgent: "laptop"}})
	bob := sessiontest.Cookie(t, sessions, "bob", session.Grant{})

	list := ask(site, http.MethodGet, "/devices", laptop).Body.String()
	lines := strings.Split(strings.TrimSpace(list), "\n")
	if len(lines) != 2 || !strings.Contains(list, " true ") {
		t.Fatalf("the list is %q", list)
	}
	ofPhone := lines[0]
	if !strings.HasSuffix(ofPhone, "phone") {
		ofPhone = lines[1]
	}
	id, _, _ := strings.Cut(ofPhone, " ")
	for _, no := range []string{id, "nobodys", session.NewID().String()} {
		if w := ask(site, http.MethodDelete, "/devices/"+no, bob); w.Code != http.StatusNotFound {
			t.Errorf("bob ends %s: %d", no, w.Code)
		}
	}
	if w := ask(site, http.MethodGet, "/devices", phone); w.Code != http.StatusOK {
		t.Errorf("the phone: %d", w.Code)
	}
	if w := ask(site, http.MethodDelete, "/devices/"+id, laptop); w.Code != http.StatusNoContent {
		t.Errorf("its owner ends the phone: %d %s", w.Code, w.Body)
	}
	if w := ask(site, http.MethodGet, "/devices", phone); w.Code != http.StatusUnauthorized {
		t.Errorf("the phone afterwards: %d", w.Code)
	}
	for range 50 {
		sessiontest.Cookie(t, sessions, "ada", session.Grant{})
	}
	if more := ask(site, http.MethodGet, "/devices", laptop).Body.String(); strings.Count(more, "\n") != 51 || !strings.Contains(more, "more: ?after=") {
		t.Errorf("51 sessions are listed as %q", more)
	}
}

func TestABanIsWrittenDownOrDoesNotHappen(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "notes.db"))
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := session.New(session.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sessions.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, store.Close()); err != nil {
			t.Error(err)
		}
	})
	cookie := sessiontest.Cookie(t, sessions, "ada", session.Grant{})
	cannot := errors.New("it cannot be written down")
	err = ban(t.Context(), sessions, "ada", sqlite.Join(func(context.Context, *sql.Tx) error { return cannot }))
	if !errors.Is(err, cannot) || status(t.Context(), sessions, cookie.Value) != http.StatusOK {
		t.Errorf("a ban that cannot be written down: %v, and then %d", err, status(t.Context(), sessions, cookie.Value))
	}
	wrote := false
	err = ban(t.Context(), sessions, "ada", sqlite.Join(func(context.Context, *sql.Tx) error { wrote = true; return nil }))
	if err != nil || !wrote || status(t.Context(), sessions, cookie.Value) != http.StatusUnauthorized {
		t.Errorf("a ban: %v, written %v, and then %d", err, wrote, status(t.Context(), sessions, cookie.Value))
	}
}

func TestAnOutageIsNoRejection(t *testing.T) {
	sessions, err := session.New(session.Config{Store: memory.New()})
	if err != nil {
		t.Fatal(err)
	}
	if got := status(t.Context(), sessions, "cks_"+strings.Repeat("A", 49)); got != http.StatusServiceUnavailable {
		t.Errorf("without Run: %d", got)
	}
	running := running(t, session.Config{})
	if err := running.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := status(t.Context(), running, "nothing"); got != http.StatusUnauthorized {
		t.Errorf("no token: %d", got)
	}
}
