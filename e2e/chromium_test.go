//go:build browser

package e2e

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// errNoChromium fails a test: one that is skipped for want of a browser has
// shown nothing.
var errNoChromium = errors.New("the browser tests need Chromium, and there is none in PATH: " +
	"install it (on Debian: apt-get install chromium)")

func findChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoChromium
}

// patience is how long one step may take on a machine that is busy.
const patience = 20 * time.Second

// startBrowser starts a browser with the empty profile in dir.
func startBrowser(dir string, options ...chromedp.ExecAllocatorOption) (context.Context, func(), error) {
	path, err := findChromium()
	if err != nil {
		return nil, nil, err
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(dir),
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-sync", true),
		chromedp.WindowSize(1280, 900),
	)
	allocated, free := chromedp.NewExecAllocator(context.Background(), append(flags, options...)...)
	ctx, cancel := chromedp.NewContext(allocated)
	stop := func() {
		limited, done := context.WithTimeout(ctx, patience)
		defer done()
		_ = chromedp.Cancel(limited) // waits until the browser is gone
		cancel()
		free()
	}
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as this context
		stop()
		return nil, nil, err
	}
	return ctx, stop, nil
}

// device is one browser window of somebody's.
type device struct {
	t       *testing.T
	ctx     context.Context
	console *console
}

// console is what the browser complains of: errors, and what the policies of
// the page kept from happening.
type console struct {
	mu   sync.Mutex // guards what follows
	said []string
}

func newDevice(ctx context.Context, t *testing.T) *device {
	d := &device{t, ctx, &console{}}
	messages := chromedp.Console(ctx) // from here on
	go func() {
		for message, err := range messages {
			if err != nil {
				return // the window was closed
			}
			d.console.mu.Lock()
			d.console.said = append(d.console.said, string(message.Type)+": "+message.Text)
			d.console.mu.Unlock()
		}
	}()
	return d
}

// said returns what the browser complained of, once.
func (d *device) said() []string {
	d.console.mu.Lock()
	defer d.console.mu.Unlock()
	said := d.console.said
	d.console.said = nil
	return said
}

// in is the same device for a part of the test.
func (d *device) in(t *testing.T) *device { return &device{t, d.ctx, d.console} }

// newProfile starts a browser of its own, with a profile of its own: another
// machine, as far as a server can tell.
func newProfile(t *testing.T, options ...chromedp.ExecAllocatorOption) *device {
	t.Helper()
	ctx, stop, err := startBrowser(t.TempDir(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return newDevice(ctx, t)
}

// newWindow opens a window without cookies in the browser that all tests share.
func newWindow(t *testing.T) *device {
	t.Helper()
	browser, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	ctx, closeWindow := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(closeWindow)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return newDevice(ctx, t)
}

// do carries out steps, one after the other.
func (d *device) do(steps ...chromedp.Action[chromedp.Void]) {
	d.t.Helper()
	ctx, stop := context.WithTimeout(d.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		d.t.Fatalf("%v; the page is\n%s", err, d.text())
	}
}

// read evaluates an expression in the page.
func read[T any](d *device, expression string) T {
	d.t.Helper()
	ctx, stop := context.WithTimeout(d.ctx, patience)
	defer stop()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		d.t.Fatalf("%.200s: %v", expression, err)
	}
	return v
}

// text is the address and what the page shows.
func (d *device) text() string {
	ctx, stop := context.WithTimeout(d.ctx, patience)
	defer stop()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return "the page cannot be read: " + err.Error()
	}
	return text
}

// open goes to an address.
func (d *device) open(address string) { d.t.Helper(); d.do(chromedp.Navigate(address)) }

// press clicks what the selector finds first and waits for the page that it
// leads to.
func (d *device) press(selector string) {
	d.t.Helper()
	d.leads(chromedp.Click(chromedp.CSS(selector)))
}

// leads carries out a step that leads to another page, and waits for that one.
func (d *device) leads(step chromedp.Action[chromedp.Void]) {
	d.t.Helper()
	ctx, stop := context.WithTimeout(d.ctx, patience)
	defer stop()
	if _, err := chromedp.RunResponse(ctx, step); err != nil {
		d.t.Fatalf("%v; the page is\n%s", err, d.text())
	}
}

// fill puts text into fields, by id, the way pasting does.
func (d *device) fill(fields ...string) {
	d.t.Helper()
	for i := 0; i < len(fields); i += 2 {
		d.do(chromedp.Clear(chromedp.CSS("#"+fields[i])), chromedp.Focus(chromedp.CSS("#"+fields[i])), insert(fields[i+1]))
	}
}

func insert(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	})
}

// at fails unless the page's path and query are these.
func (d *device) at(path string) {
	d.t.Helper()
	if got := read[string](d, "location.pathname + location.search"); got != path {
		d.t.Fatalf("at %s, want %s:\n%s", got, path, d.text())
	}
}

// until waits for an expression to become true, also in a tab that is not looked at:
// for what a browser does a moment after a page was loaded, such as moving the focus.
func (d *device) until(expression string) {
	d.t.Helper()
	ctx, stop := context.WithTimeout(d.ctx, patience)
	defer stop()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(20*time.Millisecond))); err != nil {
		d.t.Fatalf("%s: %v; the page is\n%s", expression, err, d.text())
	}
}

func (d *device) shows(texts ...string) {
	d.t.Helper()
	page := d.text()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			d.t.Fatalf("the page does not show %q:\n%s", text, page)
		}
	}
}

func (d *device) hides(texts ...string) {
	d.t.Helper()
	page := d.text()
	for _, text := range texts {
		if strings.Contains(page, text) {
			d.t.Fatalf("the page shows %q:\n%s", text, page)
		}
	}
}

// prefer makes the browser prefer the scheme "light" or "dark".
func (d *device) prefer(scheme string) {
	d.t.Helper()
	d.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// width gives the page a width; below 600 it is a phone.
func (d *device) width(w int64) {
	d.t.Helper()
	if w < 600 {
		d.do(chromedp.EmulateViewport(w, 844, chromedp.EmulateMobile))
		return
	}
	d.do(chromedp.EmulateViewport(w, 860))
}

// pretend makes the window say that it is another browser.
func (d *device) pretend(agent string) {
	d.t.Helper()
	d.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent})
		return err
	}))
}

// signUp makes an account and leaves the device signed in.
func (d *device) signUp(base string) {
	d.t.Helper()
	d.open(base + "/auth/sign-up")
	d.fill("name", name, "email", email, "password", secret)
	d.press("main button:not([type])")
	d.at("/auth/account")
}

// signIn signs in on the page that is open.
func (d *device) signIn() {
	d.t.Helper()
	d.fill("email", email, "password", secret)
	d.press("main button:not([type])")
}

const (
	name   = "Ada Lovelace"
	email  = "ada@example.com"
	secret = "four plain words here"
)
