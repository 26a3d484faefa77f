//go:build browser

package e2e

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"testing"
	"time"
)

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	return free.Addr().String()
}

// newFrontEnd serves the script of docs/api.md and the built server under one
// host, as a reverse proxy does. stop takes the server away.
func newFrontEnd(t *testing.T) (base string, stop func()) {
	t.Helper()
	address := freeAddress(t)

	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("../examples/docs/frontend")))
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address})
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	mux.Handle("/auth/", proxy)
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	base = front.URL

	cmd := exec.Command(binary, "serve", "--listen", address, "--ops.listen", "127.0.0.1:0", "--public-url", base)
	cmd.Dir = t.TempDir() // where cloakroom.db will be
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(stop)
	client := http.Client{Timeout: time.Second}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		answer, err := client.Get(base + "/auth/v1/session")
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusUnauthorized {
				return base, stop
			}
		}
		if time.Now().After(end) {
			t.Fatalf("the server does not answer: %v", err)
		}
	}
}

// TestTheScriptOfTheDocumentationWorks in a page of the application's own.
func TestTheScriptOfTheDocumentationWorks(t *testing.T) {
	base, stop := newFrontEnd(t)
	d := newWindow(t)
	d.open(base + "/")
	// run evaluates the body of a function that has the script as api, and the
	// name of a problem's type for what it throws.
	run := func(body string) string {
		t.Helper()
		return read[string](d, `(async () => {
			const api = await import("/session.js")
			try { return String(await (async () => { `+body+` })()) }
			catch (problem) { return "threw " + problem.status + " " + problem.type + " " + (problem.field ?? "") }
		})()`)
	}
	const credentials = `"` + email + `", "` + secret + `"`
	for _, step := range []struct{ body, want string }{
		{`return await api.whoIsThere()`, "null"},
		{`return await api.signIn(` + credentials + `)`, "threw 401 bad-credentials "},
		{`return (await api.ask("POST", "/sign-up", {email: "` + email + `", password: "` + secret + `"})).account.email`, email},
		{`return (await api.whoIsThere()).account.email`, email},
		{`return document.cookie + localStorage.length`, "0"},
		{`return await api.ask("PATCH", "/account", {Name: "Ada"})`, "threw 422 invalid Name"},
		{`return (await api.ask("PATCH", "/account", {name: "Ada"})).name`, "Ada"},
		{`await api.signOut(); return await api.whoIsThere()`, "null"},
		{`await api.signIn(` + credentials + `, true); return (await api.whoIsThere()).account.name`, "Ada"},
		{`let tries = 0
		  const act = async () => { if (++tries === 1) throw {type: "not-recent"}; return api.ask("DELETE", "/sessions") }
		  const before = (await api.whoIsThere()).session.id
		  await api.sure(act, async () => "` + secret + `")
		  return tries + " " + (before === (await api.whoIsThere()).session.id)`, "2 true"},
		{`return await api.sure(async () => { throw {type: "not-recent"} }, async () => "not the right one")`, "threw 403 wrong-password "},
	} {
		if got := run(step.body); got != step.want {
			t.Errorf("%s\nis %q, want %q", step.body, got, step.want)
		}
	}
	stop()
	if got := run(`return await api.whoIsThere()`); got != "threw 502  " {
		t.Errorf("an outage is %q", got)
	}
}
