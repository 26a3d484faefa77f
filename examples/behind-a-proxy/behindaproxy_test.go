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
	"regexp"
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

// proxies are those that the example runs behind.
var proxies = []string{"nginx", "caddy", "haproxy"}

func start(t *testing.T, proxy string) *running {
	t.Helper()
	r := &running{t: t, ports: freePorts(t), ended: make(chan struct{})}
	r.url = "http://localhost:" + r.ports[0]
	r.cmd = exec.Command("./run", r.ports...)
	r.cmd.Env = append(os.Environ(), "PROXY="+proxy)
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

// leads is whether a page load is led elsewhere: by nginx with the one, by Cloakroom's
// own answer with the other.
func leads(a *http.Response) bool {
	return a.StatusCode == http.StatusSeeOther || a.StatusCode == http.StatusFound
}

// device is a browser that has signed in: its cookies.
type device string

func deviceOf(in *http.Response) device {
	var cookies []string
	for _, c := range in.Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	return device(strings.Join(cookies, "; "))
}

func TestTheExampleGreetsWhoSignsIn(t *testing.T) {
	for _, proxy := range proxies {
		t.Run(proxy, func(t *testing.T) {
			t.Parallel()
			greets(t, start(t, proxy))
		})
	}
}

func greets(t *testing.T, r *running) {
	t.Helper()
	first, _ := r.browse("GET", "/reports?year=2026", "", nil)
	way := first.Header.Get("Location")
	if !leads(first) || !strings.HasPrefix(way, r.url+"/auth/sign-in?return_to=") {
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
	page, body := r.browse("GET", in.Header.Get("Location"), string(deviceOf(in)), nil)
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

// TestADeviceThatIsRevokedIsTurnedAwayOnItsNextRequest: of two devices one ends the
// other's session on the page of devices, and only that one is turned away.
func TestADeviceThatIsRevokedIsTurnedAwayOnItsNextRequest(t *testing.T) {
	for _, proxy := range proxies {
		t.Run(proxy, func(t *testing.T) {
			t.Parallel()
			r := start(t, proxy)
			up, body := r.browse("POST", "/auth/sign-up", "", url.Values{"email": {"ada@example.com"}, "name": {"Ada"}, "password": {secret}})
			if up.StatusCode != http.StatusSeeOther {
				t.Fatalf("%s: %s", up.Status, body)
			}
			in, body := r.browse("POST", "/auth/sign-in", "", url.Values{"email": {"ada@example.com"}, "password": {secret}})
			if in.StatusCode != http.StatusSeeOther {
				t.Fatalf("%s: %s", in.Status, body)
			}
			here, lost := deviceOf(up), deviceOf(in)
			for range 3 { // whoever remembers an answer remembers it now
				r.greeted(t, here)
				r.greeted(t, lost)
			}
			r.revokeTheOther(t, here)
			r.turnedAway(t, lost)
			r.greeted(t, here)
		})
	}
}

const secret = "correct horse battery staple"

// greeted fails unless the application's page is for Ada.
func (r *running) greeted(t *testing.T, d device) {
	t.Helper()
	if page, body := r.browse("GET", "/reports", string(d), nil); page.StatusCode != http.StatusOK || !strings.Contains(body, "Hello, Ada!") {
		t.Fatalf("a device that is signed in: %s: %s", page.Status, body)
	}
}

// turnedAway fails unless a page load is led to the sign-in page, and a script told.
func (r *running) turnedAway(t *testing.T, d device) {
	t.Helper()
	page, body := r.browse("GET", "/reports", string(d), nil)
	if way := page.Header.Get("Location"); !leads(page) || !strings.HasPrefix(way, r.url+"/auth/sign-in?return_to=") || strings.Contains(body, "Hello") {
		t.Errorf("a page load of a device that was revoked: %s to %q: %s", page.Status, way, body)
	}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/reports", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Cookie", string(d))
	told, err := r.client().Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer told.Body.Close()
	if told.StatusCode != http.StatusUnauthorized {
		t.Errorf("a script of a device that was revoked: %s", told.Status)
	}
}

var revokes = regexp.MustCompile(`action="(/auth/account/sessions/[a-z2-7]{26}/revoke)">\s*<input type="hidden" name="form_token" value="([^"]+)"`)

// revokeTheOther presses the button that stands beside every device but one's own.
func (r *running) revokeTheOther(t *testing.T, d device) {
	t.Helper()
	page, body := r.browse("GET", "/auth/account/sessions", string(d), nil)
	buttons := revokes.FindAllStringSubmatch(body, -1)
	if page.StatusCode != http.StatusOK || len(buttons) != 1 {
		t.Fatalf("the page of devices has %d buttons: %s: %s", len(buttons), page.Status, body)
	}
	done, body := r.browse("POST", buttons[0][1], string(d), url.Values{"form_token": {buttons[0][2]}})
	if done.StatusCode != http.StatusSeeOther {
		t.Fatalf("the button answers %s: %s", done.Status, body)
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

// pages are those whose commands are run, with how many there are at least and, if
// they ask something of the example, the proxies that it is to be behind.
var pages = []struct {
	name   string
	least  int
	behind []string
}{
	{"index.md", 8, proxies},
	{"nginx.md", 3, nil}, {"caddy.md", 2, nil}, {"haproxy.md", 3, nil}, {"traefik.md", 1, nil},
}

// TestThePagesCommandsPrintWhatTheyShow runs the pages of docs/proxies against the
// example.
func TestThePagesCommandsPrintWhatTheyShow(t *testing.T) {
	programs := t.TempDir()
	if err := product.Build(programs, product.Server); err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		all := commands(t, "../../docs/proxies/"+page.name)
		if len(all) < page.least {
			t.Errorf("%s shows %d commands; is it still written in console blocks?", page.name, len(all))
		}
		if page.behind == nil {
			runShown(t, all, programs, "")
		}
		for _, proxy := range page.behind {
			t.Run(proxy, func(t *testing.T) {
				t.Parallel()
				runShown(t, all, programs, start(t, proxy).url)
			})
		}
	}
}

// runShown runs commands in a new folder, against the example if it is somewhere.
func runShown(t *testing.T, all []shown, programs, url string) {
	t.Helper()
	dir := t.TempDir()
	for _, c := range all {
		line := c.line
		if url != "" {
			line = strings.ReplaceAll(line, "http://localhost:8000", url)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		shell := exec.CommandContext(ctx, "sh", "-c", line)
		shell.Dir = dir
		shell.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"))
		out, err := shell.CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.line, err, out)
		}
		got := string(out)
		if url != "" {
			got = strings.ReplaceAll(got, url, "http://localhost:8000")
		}
		if got != c.prints {
			t.Errorf("%s\nprints\n%s\nand not\n%s", c.line, got, c.prints)
		}
	}
}
