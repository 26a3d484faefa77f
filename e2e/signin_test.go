//go:build browser

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// account makes an account on a new server and returns its address.
func account(t *testing.T) (base string) {
	t.Helper()
	base = startServer(t)
	newWindow(t).signUp(base)
	return base
}

func TestWrongPasswordKeepsTheEmailAndTheWayBack(t *testing.T) {
	base := account(t)
	d := newWindow(t)
	d.open(base + "/auth/account/sessions")
	d.at("/auth/sign-in?return_to=%2Fauth%2Faccount%2Fsessions")
	d.fill("email", email, "password", "not the right one")
	d.press("main button:not([type])")
	d.shows("do not belong together")
	d.until(`document.activeElement.id === "password"`)
	if got := read[[]string](d, `[email.value, password.value, document.title]`); got[0] != email ||
		got[1] != "" || !strings.HasPrefix(got[2], "Error: ") {
		t.Fatalf("email, password and title are %q", got)
	}
	d.fill("password", secret)
	d.press("main button:not([type])")
	d.at("/auth/account/sessions")
}

func TestSignInByKeyboardAlone(t *testing.T) {
	base := account(t)
	d := newWindow(t)
	d.open(base + "/auth/sign-in")
	order := []string{}
	focused := func() {
		t.Helper()
		at := read[[]string](d, `(() => { const e = document.activeElement, s = getComputedStyle(e);
			return [e.id || e.name || e.getAttribute("aria-label") || e.innerText, s.outlineStyle, s.outlineWidth]; })()`)
		order = append(order, at[0])
		if at[1] == "none" || at[2] == "0px" {
			t.Errorf("the focus on %q cannot be seen: %q", at[0], at)
		}
	}
	press := func(keys string) { t.Helper(); d.do(chromedp.KeyEvent(keys)) }
	d.until(`document.activeElement.id === "email"`)
	focused()
	press(email + kb.Tab)
	focused()
	press(secret + kb.Tab)
	focused()
	press(kb.Tab)
	focused()
	press(" " + kb.Tab)
	focused()
	if want := []string{"email", "password", "Show password", "remember", "Sign in"}; fmt.Sprint(order) != fmt.Sprint(want) {
		t.Errorf("the keyboard visits %q, want %q", order, want)
	}
	d.leads(chromedp.KeyEvent(kb.Enter))
	d.at("/auth/account")
	d.do(chromedp.KeyEvent(kb.Tab))
	if got := read[string](d, "document.activeElement.innerText"); got != "Skip to content" {
		t.Errorf("the first stop of a page is %q", got)
	}
}

func TestAPasswordCanBeShown(t *testing.T) {
	d := newWindow(t)
	d.open(startServer(t) + "/auth/sign-in")
	d.fill("password", "abc")
	for _, want := range []string{"text", "password"} {
		d.do(chromedp.Click(chromedp.CSS(".reveal")))
		if got := read[string](d, "password.type"); got != want {
			t.Fatalf("the field is of type %q, want %q", got, want)
		}
	}
}

// withoutScripts is a window whose pages run none of their scripts.
func withoutScripts(t *testing.T) *device {
	d := newWindow(t)
	d.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	return d
}

func TestEverythingWorksWithoutJavaScript(t *testing.T) {
	base := startServer(t)
	d := withoutScripts(t)
	d.open(base + "/auth/sign-up")
	if !read[bool](d, `document.querySelector(".reveal").hidden`) {
		t.Error("a button is shown that cannot work")
	}
	d.fill("email", email, "password", secret)
	d.press("main button:not([type])")
	d.at("/auth/account")
	other := newWindow(t)
	other.open(base + "/auth/sign-in")
	other.signIn()
	d.open(base + "/auth/account/sessions")
	d.press(".panel .away")
	d.shows("All your other devices are signed out.")
	other.open(base + "/auth/account")
	other.at("/auth/sign-in?return_to=%2Fauth%2Faccount")
	other.signIn()
	d.open(base + "/auth/account/sessions")
	d.press(`.device form button`)
	d.shows("is signed out. It is refused on its next request.")
	d.open(base + "/auth/account/password")
	d.fill("current_password", "not the right one", "new_password", renewed)
	d.press("main button:not([type])")
	d.shows("This is not the password of your account.")
	d.fill("current_password", secret, "new_password", renewed)
	d.press("main button:not([type])")
	d.shows("Your password was changed.")
	d.open(base + "/auth/account/sessions")
	d.press(`form[action$="/revoke-all"] button`)
	d.shows("You are signed out on all your devices, this one too.")
	d.fill("email", email, "password", renewed)
	d.press("main button:not([type])")
	d.press(".bar button")
	d.shows("You are signed out")
}

func TestSetupAndLinksWorkWithoutJavaScript(t *testing.T) {
	s := startSetup(t)
	admin, d := withoutScripts(t), withoutScripts(t)
	admin.setUp(s)
	newWindow(t).signUp(s.base)
	address := linkTo(t, s.base, email, "reset")
	d.open(address)
	d.fill("new_password", renewed)
	d.press("main button:not([type])")
	d.shows("Your password is set.")
	d.fill("email", email, "password", renewed)
	d.press("main button:not([type])")
	d.at("/auth/account")
	admin.open(address)
	admin.shows("This link no longer works")
}

// Another site, and another port of the same site, whose requests carry the
// cookie, can send every form and change nothing.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	base := account(t)
	d, other := newWindow(t), newWindow(t)
	for _, x := range []*device{d, other} {
		x.open(base + "/auth/sign-in")
		x.signIn()
		x.at("/auth/account")
	}
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<form method="post" action="%s%s"><input name="email" value="%s"><input name="password" value="%s"><button>x</button></form>`,
			base, r.URL.Path, email, secret)
	}))
	defer evil.Close()
	_, port, err := net.SplitHostPort(evil.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		for _, path := range []string{"/auth/account/sessions/revoke-others", "/auth/sign-out", "/auth/sign-in"} {
			d.open("http://" + host + ":" + port + path)
			d.press("button")
			d.shows("The request came from somewhere else", "Nothing was changed")
		}
	}
	visitor := newWindow(t)
	visitor.open(evil.URL + "/auth/sign-in")
	visitor.press("button")
	visitor.shows("The request came from somewhere else")
	for _, x := range []*device{d, other} {
		x.open(base + "/auth/account")
		x.at("/auth/account")
	}
	visitor.open(base + "/auth/account")
	visitor.at("/auth/sign-in?return_to=%2Fauth%2Faccount")
}
