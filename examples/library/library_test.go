package main

import (
	"context"
	"database/sql"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloakroom/session/sqlite"
)

const (
	ada, hopper = "ada@example.com", "grace@example.com"
	oldPassword = "correct horse battery"
	newPassword = "staple correct horse"
)

// site is the application while it runs.
type site struct {
	*app
	server *httptest.Server
}

// newSite runs the application on an empty file. A cheap cost keeps the tests
// quick.
func newSite(t *testing.T, change func(*app)) *site {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "library.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() }) // some tests closed it
	a, err := newApp(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	a.passwords.cost.memory = 64
	if change != nil {
		change(a)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.sessions.Run(ctx) }()
	// TLS, for the jar of net/http sends no Secure cookie without it.
	s := &site{a, httptest.NewTLSServer(a.handler())}
	t.Cleanup(func() {
		s.server.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	s.waitUntilItRuns(t)
	return s
}

func (s *site) waitUntilItRuns(t *testing.T) {
	t.Helper()
	for began := time.Now(); s.newBrowser(t).get("/").status == http.StatusServiceUnavailable; time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the sessions do not start")
		}
	}
}

// one returns the one value that a query on the application's file gives.
func (s *site) one(t *testing.T, query string, args ...any) (value string) {
	t.Helper()
	if err := s.store.Read().QueryRowContext(t.Context(), query, args...).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// write changes the file behind the application's back.
func (s *site) write(t *testing.T, statement string) {
	t.Helper()
	err := s.store.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// browser is a client with cookies of its own. It follows no redirect.
type browser struct {
	t      *testing.T
	base   string
	client http.Client
}

// page is an answer.
type page struct {
	status         int
	location, body string
	header         http.Header
}

func (s *site) newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, s.server.URL, http.Client{
		Transport:     s.server.Client().Transport,
		Jar:           jar,
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (b *browser) get(path string) page {
	b.t.Helper()
	return b.send(http.MethodGet, path, nil, "none")
}

func (b *browser) post(path string, pairs ...string) page {
	b.t.Helper()
	form := make(url.Values)
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.send(http.MethodPost, path, form, "same-origin")
}

func (b *browser) send(method, path string, form url.Values, site string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", site)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{answer.StatusCode, answer.Header.Get("Location"), string(body), answer.Header}
}

// token is the session cookie's value, or "".
func (b *browser) token() string {
	u, _ := url.Parse(b.base)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "__Host-session" {
			return c.Value
		}
	}
	return ""
}

func (b *browser) signUp(name, email string) {
	b.t.Helper()
	b.wants(b.post("/sign-up", "name", name, "email", email, "password", oldPassword), http.StatusSeeOther, "")
}

func (b *browser) signIn(email, password string) {
	b.t.Helper()
	b.wants(b.post("/sign-in", "email", email, "password", password), http.StatusSeeOther, "")
}

// wants fails the test unless the answer is of this status and shows the text.
func (b *browser) wants(p page, status int, text string) {
	b.t.Helper()
	if p.status != status || !strings.Contains(p.body, text) {
		b.t.Fatalf("got %d %s, want %d with %q:\n%s", p.status, p.location, status, text, p.body)
	}
}

// signedIn reports whether the next request finds a session.
func (b *browser) signedIn() bool {
	b.t.Helper()
	p := b.get("/account")
	switch {
	case p.status == http.StatusOK:
		return true
	case p.status == http.StatusSeeOther && p.location == "/sign-in?return_to=%2Faccount":
		return false
	}
	b.t.Fatalf("the account page: %d %s", p.status, p.location)
	return false
}
