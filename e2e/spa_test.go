//go:build browser

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"cloakroom/internal/product"
)

// notes is the example application: its API on the library, whose tokens live for five
// seconds, and the built front end.
type notes struct {
	t       *testing.T
	base    string
	command func() *exec.Cmd
	running *exec.Cmd
}

func newNotes(t *testing.T) *notes {
	t.Helper()
	front, err := filepath.Abs("../examples/spa/web/dist")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(front, "index.html")); err != nil {
		t.Fatalf("the front end is not built; `make client` does it: %v", err)
	}
	dir := t.TempDir()
	if err := product.Build(dir, "cloakroom/examples/spa"); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	n := &notes{t: t, base: "http://" + address, command: func() *exec.Cmd {
		cmd := exec.Command(filepath.Join(dir, "spa"), "-listen", address, "-database", filepath.Join(dir, "notes.db"),
			"-web", front, "-token-lifetime", "5s")
		cmd.Stderr = os.Stderr
		return cmd
	}}
	n.start()
	t.Cleanup(n.stop)
	return n
}

func (n *notes) start() {
	n.t.Helper()
	n.running = n.command()
	if err := n.running.Start(); err != nil {
		n.t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		answer, err := http.Get(n.base + "/auth/v1/session")
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusUnauthorized {
				return
			}
		}
		if time.Now().After(end) {
			n.t.Fatalf("the API does not answer: %v", err)
		}
	}
}

func (n *notes) stop() {
	if n.running != nil {
		_ = n.running.Process.Kill()
		_ = n.running.Wait()
	}
	n.running = nil
}

const (
	inside  = `document.querySelector("#who")?.textContent === "` + email + `"`
	outside = `!!document.querySelector("input[type=password]")`
)

// enter signs up or in.
func (d *device) enter(base, button string) {
	d.t.Helper()
	d.open(base)
	d.until(outside)
	d.do(chromedp.Focus(chromedp.CSS("[name=email]")), insert(email), chromedp.Focus(chromedp.CSS("[name=password]")), insert(secret),
		chromedp.Click(chromedp.CSS("[name="+button+"]")))
	d.until(inside)
}

// keep writes a note, and sees it in the list.
func (d *device) keep(text string) {
	d.t.Helper()
	d.do(chromedp.Focus(chromedp.CSS("[name=text]")), insert(text), chromedp.Click(chromedp.CSS("form button")))
	d.until(fmt.Sprintf(`[...document.querySelectorAll("#list li")].some(e => e.textContent === %q)`, text))
}

// tab opens another tab beside, with the same cookies.
func (d *device) tab() *device {
	d.t.Helper()
	ctx, closeTab := chromedp.NewContext(d.ctx)
	d.t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		d.t.Fatal(err)
	}
	return newDevice(ctx, d.t)
}

// sleeps has the tab do nothing at all, as on a laptop that is shut, and wake.
func (d *device) sleeps(state string) {
	d.t.Helper()
	d.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateState(state)})
		return err
	}))
}

// TestTheSinglePageApplicationStaysSignedIn for many lifetimes of its token, on two
// tabs, through a sleep and an outage, and until it is signed out elsewhere.
func TestTheSinglePageApplicationStaysSignedIn(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	one := newWindow(t)
	one.enter(n.base, "up")
	one.keep("the first")
	if got := read[string](one, `document.cookie + Object.keys(localStorage) + Object.keys(sessionStorage)`); got != "" {
		t.Errorf("a script can read %q", got)
	}
	two := one.tab()
	two.open(n.base)
	two.until(inside)

	time.Sleep(12 * time.Second) // two lifetimes, in which it renews by itself
	one.keep("after two lifetimes")
	two.keep("and in the other tab")
	one.hides("Sign up")

	for _, d := range []*device{one, two} {
		d.sleeps("frozen")
	}
	time.Sleep(8 * time.Second)
	for _, d := range []*device{one, two} {
		d.sleeps("active")
	}
	one.keep("after a sleep")
	two.keep("after a sleep, too")

	n.stop()
	time.Sleep(7 * time.Second)
	if !read[bool](one, inside) || read[bool](one, outside) {
		t.Fatalf("an outage has signed out:\n%s", one.text())
	}
	n.start()
	one.keep("after an outage")
	if devices := read[int](one, `document.querySelectorAll("#devices li").length`); devices != 1 {
		t.Errorf("%d sessions", devices)
	}

	phone := newWindow(t)
	phone.enter(n.base, "in")
	phone.until(`document.querySelectorAll("#devices button").length === 1`)
	phone.do(chromedp.Click(chromedp.CSS("#devices button")))
	phone.until(`document.querySelectorAll("#devices li").length === 1`)
	for _, d := range []*device{one, two} { // each notices when it asks next, at the latest when it renews
		d.until(outside)
	}
	if !read[bool](phone, inside) {
		t.Error("the one that signed them out is out as well")
	}
}

// TestTheApplicationRunsAsItsPageShows, docs/single-page-app.md, in a fresh clone: its
// two commands, with Vite's server in between as somebody has it who works on the page.
// Only ports and the lifetime of a token are others.
func TestTheApplicationRunsAsItsPageShows(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/single-page-app.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile("(?m)^```sh\n(.+)\n```$").FindAllStringSubmatch(string(text), -1)
	if len(lines) != 2 || !strings.HasSuffix(lines[0][1], "go run .") || !strings.HasSuffix(lines[1][1], "npm run dev") {
		t.Fatalf("the page shows %q", lines)
	}
	dir := t.TempDir()
	if said, err := exec.Command("git", "clone", "--quiet", "..", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	api, page := freeAddress(t), freeAddress(t)
	_, port, _ := strings.Cut(page, ":")
	runs(t, dir, lines[0][1]+" -listen "+api+" -token-lifetime 5s")
	runs(t, dir, lines[1][1]+" -- --host 127.0.0.1 --port "+port+" --strictPort", "API=http://"+api, "npm_config_ignore_scripts=true")
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get("http://" + page + "/auth/v1/session") // by the page's server, from the API
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusUnauthorized {
				break
			}
		}
		if time.Now().After(end) {
			t.Fatalf("it does not run: %v", err)
		}
	}
	desk, phone := newWindow(t), newWindow(t)
	desk.enter("http://"+page, "up")
	time.Sleep(12 * time.Second)
	desk.keep("after two lifetimes")
	phone.enter("http://"+page, "in")
	phone.until(`document.querySelectorAll("#devices button").length === 1`)
	phone.do(chromedp.Click(chromedp.CSS("#devices button")))
	desk.until(outside)
}

// runs has a shell run a command until the test ends.
func runs(t *testing.T, dir, line string, environment ...string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), environment...), os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a shell and npm have children
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait() // ended by us
	})
}

// TestASignOutIsSeenInTheOtherTabWithinASecond, and a sign-in too.
func TestASignOutIsSeenInTheOtherTabWithinASecond(t *testing.T) {
	t.Parallel()
	n := newNotes(t)
	one := newWindow(t)
	one.enter(n.base, "up")
	two := one.tab()
	two.open(n.base)
	two.until(inside)
	for range 2 {
		if err := two.watch(outside); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		one.do(chromedp.Click(chromedp.CSS("#out")))
		one.until(outside)
		two.until(outside)
		if took := read[float64](two, `window.seenAt`) - float64(began.UnixMilli()); took > 1000 {
			t.Errorf("it took %.0f ms", took)
		}
		one.enter(n.base, "in")
		two.until(inside)
	}
}

// watch notes in the page when an expression becomes true.
func (d *device) watch(expression string) error {
	return chromedp.Do(d.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(new MutationObserver((_, o) => {
			if (`+expression+`) { window.seenAt = Date.now(); o.disconnect(); }
		}).observe(document.body, {childList: true, subtree: true}), true)`))
		return err
	}))
}

// TestTheClientIsSmall: at most 4 KB as it is sent, and it needs nothing else.
func TestTheClientIsSmall(t *testing.T) {
	text, err := os.ReadFile("../clients/typescript/dist/index.js")
	if err != nil {
		t.Fatalf("the client is not built; `make client` does it: %v", err)
	}
	var sent bytes.Buffer
	w, _ := gzip.NewWriterLevel(&sent, gzip.BestCompression)
	if _, err := w.Write(text); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	if sent.Len() > 4096 || sent.Len() < 500 {
		t.Errorf("the client has %d bytes", sent.Len())
	}
	if bytes.Contains(text, []byte("import")) || bytes.Contains(text, []byte("require(")) {
		t.Error("the client needs something else")
	}
}
