package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/internal/config"
	"cloakroom/internal/factor/password"
)

// cheap is what a password costs where its cost is not the subject.
var cheap = password.Params{Memory: 64, Time: 1, Threads: 1}

const (
	goodPassword = "correct horse battery staple"
	wrongAnswer  = "incorrect horse battery staple"
)

// site is a whole server: on real listeners, with a real file.
type site struct {
	*Server
	t    *testing.T
	logs *buffer
	stop func() error // once it has returned, the server has stopped
}

// newSite starts a server, which stops with the test.
func newSite(t *testing.T, adjust ...func(*Options)) *site {
	t.Helper()
	s, err := startSite(t, adjust...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// startSite is newSite where a server may say that it cannot start.
func startSite(t *testing.T, adjust ...func(*Options)) (*site, error) {
	t.Helper()
	logs := new(buffer)
	o := Options{
		Config: config.Config{
			Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0",
			Database: "sqlite:" + filepath.Join(t.TempDir(), "cloakroom.db"), SignUp: "open",
		},
		Logger:    slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Passwords: password.Config{Params: cheap},
	}
	for _, f := range adjust {
		f(&o)
	}
	srv, err := New(t.Context(), o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	for !srv.ready.Load() && ctx.Err() == nil && len(ended) == 0 {
		time.Sleep(time.Millisecond)
	}
	stop := sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", logs)
		}
	})
	return &site{srv, t, logs, stop}, nil
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// browser keeps the session cookie and sends what a page's script would.
type browser struct {
	*site
	cookie string // the value of the session cookie, or ""
	device string // that of the device cookie
	// refresh is the refresh token, which goes where browsers send it; bearer one for
	// the Authorization header.
	refresh, bearer string
}

func (s *site) browser() *browser { return &browser{site: s} }

const (
	cookieName  = "__Host-session"
	refreshName = "__Secure-refresh"
	deviceName  = "__Host-device"
)

// answer is a response that was read to its end.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	text   string
}

// edit changes a request before it is sent.
type edit func(*http.Request)

// set replaces a header; without values it is not sent.
func set(name string, values ...string) edit {
	return func(r *http.Request) {
		if len(values) == 0 {
			r.Header.Del(name)
			return
		}
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
}

// do sends a request to a path under the base path. A body is JSON, as it is.
// Whatever is sent and answered must be what the contract says.
func (b *browser) do(method, path, body string, edits ...edit) answer {
	b.t.Helper()
	return b.to(method, basePath+path, body, edits...)
}

// to is do with a path from the root.
func (b *browser) to(method, path, body string, edits ...edit) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, "http://"+b.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range map[string]string{cookieName: b.cookie, deviceName: b.device} {
		if value != "" {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	if b.refresh != "" && path == basePath+"/v1/session/renew" {
		r.AddCookie(&http.Cookie{Name: refreshName, Value: b.refresh})
	}
	if b.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+b.bearer)
	}
	for _, e := range edits {
		e(r)
	}
	// Not DisableKeepAlives, which browsers do not ask for: a server that is told
	// so closes under a client that still sends.
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	checkContract(b.t, r, body, response, text)
	for _, c := range response.Cookies() {
		switch c.Name {
		case cookieName:
			b.cookie = c.Value
		case refreshName:
			b.refresh = c.Value
		case deviceName:
			b.device = c.Value
		}
	}
	return answer{b.t, response.StatusCode, response.Header, string(text)}
}

// is fails the test unless the status is this one.
func (a answer) is(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.text)
	}
	return a
}

// problem fails the test unless the answer is this problem and nothing more: a
// document with the headers of one, and no cookie.
func (a answer) problem(status int, name string) answer {
	a.t.Helper()
	a.is(status)
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.Unmarshal([]byte(a.text), &p); err != nil {
		a.t.Fatalf("%v: %s", err, a.text)
	}
	if p.Type != "urn:cloakroom:problem:"+name || p.Status != status || p.Title == "" || p.Detail == "" {
		a.t.Errorf("problem %+v, want %s with status %d", p, name, status)
	}
	for header, want := range map[string]string{
		"Content-Type": "application/problem+json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := a.header.Get(header); got != want {
			a.t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	a.setsNoCookie()
	return a
}

func (a answer) setsNoCookie() answer {
	a.t.Helper()
	if got := a.header["Set-Cookie"]; got != nil {
		a.t.Errorf("the answer sets a cookie: %s", got)
	}
	return a
}

// at returns a value of the JSON body by its path, such as "session.id".
func (a answer) at(path string) any {
	a.t.Helper()
	var v any
	if err := json.Unmarshal([]byte(a.text), &v); err != nil {
		a.t.Fatalf("%v: %s", err, a.text)
	}
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			a.t.Fatalf("no %s in %s", path, a.text)
		}
		v = object[name]
	}
	return v
}

// credentials are a body of sign-up and sign-in.
func credentials(email, password string) string {
	text, _ := json.Marshal(map[string]string{"email": email, "password": password})
	return string(text)
}

func (b *browser) signUp(email string) *browser {
	b.t.Helper()
	b.do("POST", "/v1/sign-up", credentials(email, goodPassword)).is(http.StatusCreated)
	return b
}

func (b *browser) signIn(email string) *browser {
	b.t.Helper()
	b.do("POST", "/v1/sign-in", credentials(email, goodPassword)).is(http.StatusOK)
	return b
}

// with is another browser that presents this cookie.
func (s *site) with(cookie string) *browser { return &browser{site: s, cookie: cookie} }

func (b *browser) sessionID() string {
	b.t.Helper()
	id, _ := b.do("GET", "/v1/session", "").is(http.StatusOK).at("session.id").(string)
	return id
}

// basePath is where everything public stands unless it is configured.
const basePath = "/auth"
