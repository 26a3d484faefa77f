//go:build proxies

package deploy_test

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// check stands in for Cloakroom: it answers as it is told, also what Cloakroom
// never would, and remembers the question.
type check struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	asked  *http.Request
	body   string
}

// startCheck listens on a socket at path, or on a port if that is "".
func startCheck(t *testing.T, path string) *check {
	t.Helper()
	c := &check{}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		c.asked, c.body = r, string(body)
		answer := c.answer
		c.mu.Unlock()
		answer(w, r)
	}))
	c.Config.ErrorLog = log.New(io.Discard, "", 0)
	if path != "" {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o666); err != nil { // whoever the proxy runs as
			t.Fatal(err)
		}
		c.Listener = l
	}
	c.Start()
	t.Cleanup(c.CloseClientConnections)
	t.Cleanup(c.Close)
	return c
}

func (c *check) answers(f http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = f
}

// status answers so, with these headers.
func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

// raw answers with a text instead of HTTP, and hangs up.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, text) // whoever asks may have gone
		_ = conn.Close()
	}
}

func TestNothingButA200LetsAnybodyIn(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			c := startCheck(t, "")
			h := emptyHouse(t, k)
			k.start(t, h.addr, []string{
				"--listen=" + strings.TrimPrefix(c.URL, "http://"), "--public-url=http://" + h.host, "--app=" + h.app.addr(),
				"--policies=" + policies, "--policy=staff", "--base-path=/sign/on",
			})
			t.Run("answers", func(t *testing.T) { takesNoOtherAnswer(t, h, c) })
			t.Run("without identity", func(t *testing.T) {
				c.answers(status(200))
				nobody := map[string]string{}
				for name := range h.adaIs() {
					nobody[name] = ""
				}
				identified(t, h.get(t, "/", "Remote-User: forged", "Remote_User: forged"), nobody)
			})
			t.Run("question", func(t *testing.T) { asksTheWholeQuestion(t, h, c) })
			t.Run("no application", func(t *testing.T) {
				h.app.CloseClientConnections()
				h.app.Close()
				// Not what stands for a check that failed; HAProxy says 503 of both.
				if a := h.get(t, "/", script...); a.status != http.StatusBadGateway && (k.name != "haproxy" || a.status != http.StatusServiceUnavailable) {
					t.Errorf("%d", a.status)
				}
			})
		})
	}
}

// emptyHouse is one without Cloakroom.
func emptyHouse(t *testing.T, k kind) *house {
	t.Helper()
	h := &house{kind: k, addr: "127.0.0.1:" + freePort(t), app: startApplication(t)}
	h.host = strings.Replace(h.addr, "127.0.0.1", "localhost", 1)
	return h
}

func TestACheckIsAskedOverASocket(t *testing.T) {
	t.Parallel()
	for _, k := range kinds[:3] { // Traefik's is an error of the command's
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "s") // a longer one is no socket's
			c := startCheck(t, path)
			h := emptyHouse(t, k)
			k.start(t, h.addr, []string{"--listen=unix:" + path, "--public-url=http://" + h.host, "--app=" + h.app.addr()})
			c.answers(status(401))
			before := h.app.reached.Load()
			if a := h.get(t, "/", script...); a.status != http.StatusUnauthorized {
				t.Errorf("refused: %d", a.status)
			}
			refused(t, h, "over a socket", before)
			c.answers(status(200, "Remote-User", "u-1"))
			identified(t, h.get(t, "/", script...), map[string]string{"Remote-User": "u-1"})
			if a := h.get(t, "/auth/sign-in", page...); a.app != nil || a.status != http.StatusOK {
				t.Errorf("what is Cloakroom's: %d", a.status)
			}
		})
	}
}

func takesNoOtherAnswer(t *testing.T, h *house, c *check) {
	identity := []string{"Remote-User", "u-1", "Location", "http://" + h.host + "/sign/on/sign-in"}
	for _, way := range []struct {
		name   string
		answer http.HandlerFunc
		status int // of what a script gets, or 0 for any that lets nobody in
	}{
		{"401", status(401, identity...), 401}, {"403", status(403, "Remote-User", "u-1"), 403}, {"503", status(503, "Retry-After", "1"), 503},
		{"401 without a way", status(401), 401}, {"403 with a way", status(403, identity...), 403},
		{"302", status(302, identity...), 0}, {"304", status(304), 0}, {"400", status(400), 0}, {"404", status(404), 0}, {"429", status(429), 0},
		{"500", status(500, identity...), 0}, {"504", status(504), 0},
		{"nothing", raw(""), h.kind.down}, {"half a line", raw("HTTP/1.1 2"), h.kind.down}, {"no HTTP", raw("Remote-User: u-1\r\n\r\n"), h.kind.down},
	} {
		c.answers(way.answer)
		before := h.app.reached.Load()
		for _, headers := range [][]string{script, page} {
			a := h.get(t, "/", headers...)
			if way.status != 0 && headers[0] == script[0] && a.status != way.status || a.status >= 200 && a.status < 300 {
				t.Errorf("%s: %d %v", way.name, a.status, a.header)
			}
		}
		refused(t, h, way.name, before)
	}
	// nginx leads to the page that asks for the password again by itself; others ask
	// for the answer that does.
	c.answers(status(403, "Location", "http://"+h.host+"/sign/on/reauthenticate"))
	if a := h.get(t, "/", page...); h.kind.name == "nginx" && (a.status != 303 || !strings.HasSuffix(a.header.Get("Location"), "/reauthenticate")) {
		t.Errorf("a page load that needs the password again: %d %v", a.status, a.header)
	}
}

// asksTheWholeQuestion: what decides about a redirect, from the client's request
// and not from what it says about forwarding.
func asksTheWholeQuestion(t *testing.T, h *house, c *check) {
	lies := []string{"X-Forwarded-Host: evil.example", "X-Forwarded-Uri: /evil", "X-Forwarded-Method: GET", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: ftp"}
	c.answers(status(200, "Remote-User", "u-1"))
	headers := with(page, with(lies, "Cookie: __Host-session=one; a=b", "Content-Type: text/plain")...)
	a := send(t, h.addr, lines("POST", "/x/../y?q=1&r=%2F", h.host, "the body", headers...))
	if a.app == nil || a.app.Bytes != int64(len("the body")) || a.app.Method != "POST" {
		t.Errorf("%d %+v", a.status, a.app)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		t.Fatal("the check was not asked")
	}
	path := "/sign/on/forward/staff"
	if h.kind.name == "nginx" {
		path = "/sign/on/check/staff"
	}
	if c.asked.URL.Path != path || c.asked.Method != http.MethodGet || c.body != "" {
		t.Errorf("asked %s %s with %q", c.asked.Method, c.asked.URL.Path, c.body)
	}
	if h.kind.name != "caddy" && c.asked.Header["Content-Type"] != nil { // Caddy cannot choose
		t.Errorf("the check is sent more than it looks at: %v", c.asked.Header)
	}
	for name, want := range map[string]string{
		"X-Forwarded-Method": "POST", "X-Forwarded-Host": h.host, "X-Forwarded-Uri": "/x/../y?q=1&r=%2F", "X-Forwarded-For": "127.0.0.1",
		"X-Forwarded-Proto": "http", "Cookie": "__Host-session=one; a=b", "Sec-Fetch-Mode": "navigate", "Accept": "text/html,application/xhtml+xml",
	} {
		if got := strings.Join(c.asked.Header[name], " and "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
