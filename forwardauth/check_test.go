package forwardauth

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloakroom/session"
	"cloakroom/session/memory"
)

const (
	signInURL         = "https://example.com/auth/sign-in"
	reauthenticateURL = "https://example.com/auth/reauthenticate"
)

// door is a check and the session manager behind it.
type door struct{ Handler }

// newDoor returns a check with a session manager that runs until the test ends.
func newDoor(tb testing.TB) door {
	tb.Helper()
	sessions, err := session.New(session.Config{
		Store: memory.New(), Origins: []string{"https://example.com"}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sessions.Run(ctx) }()
	tb.Cleanup(func() { cancel(); <-ended })
	if err := sessions.Ready(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return door{Handler{Sessions: sessions, SignInURL: signInURL, ReauthenticateURL: reauthenticateURL}}
}

// signIn returns the token of a new session.
func (d door) signIn(tb testing.TB, subject string, p session.Profile) string {
	tb.Helper()
	attempt, err := d.Sessions.Begin(tb.Context(), subject)
	if err != nil {
		tb.Fatal(err)
	}
	token, _, err := d.Sessions.Issue(tb.Context(), attempt, session.Grant{Methods: session.Password, Level: 2, Profile: &p})
	if err != nil {
		tb.Fatal(err)
	}
	return token.Reveal()
}

func request(method, cookie string) *http.Request {
	r := httptest.NewRequest(method, "/auth/check?level=9&user=eve", strings.NewReader("a body"))
	r.Header.Set("Cookie", "other=1; __Host-session="+cookie)
	return r
}

func (d door) ask(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

var identityHeaders = []string{"Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups", "X-Session-Id", "X-Session-Level"}

func TestASessionIsLetThroughWithWhoItIs(t *testing.T) {
	d := newDoor(t)
	token := d.signIn(t, "u-1", session.Profile{Name: "Zoë Ünal", Email: "zoe@example.com", EmailVerified: true, Roles: []string{"admin", "staff"}})
	s, err := d.Sessions.Check(t.Context(), token, session.Cached)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
		w := d.ask(request(method, token))
		if w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Fatalf("%s: %d %s", method, w.Code, w.Body)
		}
		for header, want := range map[string]string{
			"Remote-User": "u-1", "Remote-Name": "Zoë Ünal", "Remote-Email": "zoe@example.com", "Remote-Groups": "admin,staff",
			"X-Session-Id": s.ID().String(), "X-Session-Level": "2", "Cache-Control": "no-store", "Vary": "Cookie, Authorization",
		} {
			if got := w.Header()[header]; len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s: %q, want %q", method, header, got, want)
			}
		}
		if w.Header()["Set-Cookie"] != nil {
			t.Errorf("%s: sets a cookie", method)
		}
	}
}

func TestEveryHeaderIsThereEvenWithNothingToSayAndWhateverTheClientSent(t *testing.T) {
	d := newDoor(t)
	r := request("GET", d.signIn(t, "u-1", session.Profile{Email: "unverified@example.com"}))
	for _, header := range identityHeaders {
		r.Header.Set(header, "admin")
	}
	w := d.ask(r)
	for _, header := range identityHeaders {
		if got := w.Header()[header]; len(got) != 1 || got[0] == "admin" {
			t.Errorf("%s: %q", header, got)
		}
	}
	if got := w.Header().Get("Remote-Email"); got != "" {
		t.Errorf("an address that was not verified is passed on: %s", got)
	}
}

func TestWhoIsNotSignedInIsShownTheWay(t *testing.T) {
	d := newDoor(t)
	anonymous := httptest.NewRequest("GET", "/auth/check", nil)
	for name, r := range map[string]*http.Request{
		"no cookie": anonymous, "malformed": request("GET", "x"), "invented": request("POST", "cks_"+strings.Repeat("A", 49)),
	} {
		w := d.ask(r)
		if w.Code != http.StatusUnauthorized || w.Header().Get("Location") != signInURL || w.Header()["Set-Cookie"] != nil {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		for _, header := range identityHeaders {
			if w.Header()[header] != nil {
				t.Errorf("%s: %s: %s", name, header, w.Header()[header])
			}
		}
		if w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(w.Body.String(), "signed-out") {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
}

func TestARevokedSessionIsRefusedOnTheNextRequest(t *testing.T) {
	d := newDoor(t)
	token := d.signIn(t, "u-1", session.Profile{})
	if w := d.ask(request("GET", token)); w.Code != http.StatusOK {
		t.Fatal(w.Code)
	}
	if _, err := d.Sessions.Apply(t.Context(), session.RevokeAll("u-1")); err != nil {
		t.Fatal(err)
	}
	if w := d.ask(request("GET", token)); w.Code != http.StatusUnauthorized {
		t.Error(w.Code)
	}
}

func TestWhatCannotBeDecidedIsNotLetThroughNorSignedOut(t *testing.T) {
	d := newDoor(t)
	stopped, err := session.New(session.Config{Store: memory.New(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	token := d.signIn(t, "u-1", session.Profile{})
	w := door{Handler{Sessions: stopped, SignInURL: signInURL}}.ask(request("GET", token))
	if w.Code != http.StatusServiceUnavailable || w.Header()["Location"] != nil || w.Header()["Set-Cookie"] != nil || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func FuzzCookie(f *testing.F) {
	d := newDoor(f)
	token := d.signIn(f, "u-1", session.Profile{})
	for _, seed := range []string{"", "__Host-session", "__Host-session=", "__Host-session=x; __Host-session=y", "a=b; __Host-session=\"x\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "/auth/check", nil)
		r.Header["Cookie"] = []string{header}
		if w := d.ask(r); w.Code != http.StatusUnauthorized {
			t.Errorf("%q: %d", header, w.Code)
		}
		if strings.Contains(header, "__Host-session") {
			return
		}
		// Whatever else stands before the one cookie of the name, that decides.
		r.Header["Cookie"] = []string{header + "; __Host-session=" + token}
		if w := d.ask(r); w.Code != http.StatusOK {
			t.Errorf("%q before the cookie: %d", header, w.Code)
		}
	})
}

// discard is a ResponseWriter that costs what net/http's would of its own.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

func BenchmarkCheck(b *testing.B) {
	d := newDoor(b)
	r := request("GET", d.signIn(b, "01a20fd8-a1f3-7b3b-9c84-0cbf1fbff3e1", session.Profile{Name: "Ada", Email: "a@b.c", EmailVerified: true, Roles: []string{"admin"}}))
	b.Run("checked", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.ServeHTTP(discard{make(http.Header)}, r)
		}
	})
	b.Run("unchecked", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h := make(http.Header)
			for _, name := range identityHeaders {
				h.Set(name, "value")
			}
			h.Set("Cache-Control", "no-store")
			h.Set("Vary", "Cookie")
			discard{h}.WriteHeader(http.StatusOK)
		}
	})
}
