//go:build proxies

package behindaproxy

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cloakroom/internal/product"
)

// running is the example, started as a person would.
type running struct {
	t     *testing.T
	url   string // to open
	ports []string
	ended chan struct{}
	cmd   *exec.Cmd
}

func start(t *testing.T) *running {
	t.Helper()
	r := &running{t: t, ports: freePorts(t), ended: make(chan struct{})}
	r.url = "http://localhost:" + r.ports[0]
	r.cmd = exec.Command("./run", r.ports...)
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	r.cmd.Stdout, r.cmd.Stderr = said, said
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait() // found out about in stop
		close(r.ended)
	}()
	t.Cleanup(func() {
		r.stop()
		if text, err := os.ReadFile(said.Name()); err == nil && t.Failed() {
			t.Logf("./run said:\n%s", text)
		}
		_ = said.Close()
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(said.Name())
		if err == nil && strings.Contains(string(text), "Open "+r.url+"\n") {
			return r
		}
		select {
		case <-r.ended:
			t.Fatal("./run ended")
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("./run does not say what to open")
		}
	}
}

// stop is Ctrl-C, after which nothing is left.
func (r *running) stop() {
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended:
	case <-time.After(20 * time.Second):
		_ = r.cmd.Process.Kill()
		r.t.Error("./run does not stop")
	}
	for _, port := range r.ports {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			_ = c.Close()
			r.t.Errorf("something still listens on port %s", port)
		}
	}
}

func freePorts(t *testing.T) (ports []string) {
	t.Helper()
	for range 200 {
		port := fmt.Sprint(10000 + rand.IntN(9000)) // which connections are given none of
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		defer l.Close() // held until all are found
		if ports = append(ports, port); len(ports) == 3 {
			return ports
		}
	}
	t.Fatal("no ports are free")
	return nil
}

// client follows nothing by itself.
func (r *running) client() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// browse sends what a browser does.
func (r *running) browse(method, where, cookies string, form url.Values) (*http.Response, string) {
	r.t.Helper()
	if strings.HasPrefix(where, "/") {
		where = r.url + where
	}
	q, err := http.NewRequestWithContext(r.t.Context(), method, where, strings.NewReader(form.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Origin": r.url, "Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies,
	} {
		q.Header.Set(name, value)
	}
	response, err := r.client().Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response, string(body)
}

func TestTheExampleGreetsWhoSignsIn(t *testing.T) {
	r := start(t)
	first, _ := r.browse("GET", "/reports?year=2026", "", nil)
	way := first.Header.Get("Location")
	if first.StatusCode != http.StatusSeeOther || !strings.HasPrefix(way, r.url+"/auth/sign-in?return_to=") {
		t.Fatalf("%s to %s", first.Status, way)
	}
	if page, body := r.browse("GET", way, "", nil); page.StatusCode != http.StatusOK || !strings.Contains(body, "<form") {
		t.Fatalf("%s: %s", page.Status, body)
	}
	form := url.Values{
		"email": {"zoe@example.com"}, "name": {"Zoë <b>Ünal</b>"}, "password": {"correct horse battery staple"}, "return_to": {"/reports?year=2026"},
	}
	in, body := r.browse("POST", "/auth/sign-up", "", form)
	if in.StatusCode != http.StatusSeeOther || in.Header.Get("Location") != "/reports?year=2026" {
		t.Fatalf("%s to %s: %s", in.Status, in.Header.Get("Location"), body)
	}
	var cookies []string
	for _, c := range in.Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	page, body := r.browse("GET", in.Header.Get("Location"), strings.Join(cookies, "; "), nil)
	if page.StatusCode != http.StatusOK || !strings.Contains(body, "Hello, Zoë &lt;b&gt;Ünal&lt;/b&gt;!") || !strings.Contains(body, "/reports?year=2026") {
		t.Errorf("%s: %s", page.Status, body)
	}
	// Whoever comes around the proxy is nobody.
	around, err := r.client().Get("http://127.0.0.1:" + r.ports[2] + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer around.Body.Close()
	if around.StatusCode != http.StatusForbidden {
		t.Errorf("around the proxy: %s", around.Status)
	}
}

// shown is a command of a page, and what it is said to print.
type shown struct{ line, prints string }

func commands(t *testing.T, page string) (all []shown) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(text)) {
		switch command, ok := strings.CutPrefix(line, "$ "); {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console\n"
		case inside && ok:
			all = append(all, shown{line: strings.TrimSpace(command)})
		case inside:
			all[len(all)-1].prints += line
		}
	}
	return all
}

// TestThePagesCommandsPrintWhatItShows runs docs/proxies.md against the example.
func TestThePagesCommandsPrintWhatItShows(t *testing.T) {
	all := commands(t, "../../docs/proxies.md")
	if len(all) < 9 {
		t.Fatalf("the page shows %d commands; is it still written in console blocks?", len(all))
	}
	r := start(t)
	dir := t.TempDir()
	if err := product.Build(dir, product.Server); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		shell := exec.CommandContext(ctx, "sh", "-c", strings.ReplaceAll(c.line, "http://localhost:8000", r.url))
		shell.Dir = dir
		shell.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := shell.CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.line, err, out)
		}
		if got := strings.ReplaceAll(string(out), r.url, "http://localhost:8000"); got != c.prints {
			t.Errorf("%s\nprints\n%s\nand not\n%s", c.line, got, c.prints)
		}
	}
}
