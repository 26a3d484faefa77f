//go:build browser

package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 " +
	"(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"

// TestStory is what the product is for: signed in on two devices, a person
// takes one of them back from the other, at once.
func TestStory(t *testing.T) {
	base := startServer(t)
	desk, phone := newProfile(t), newProfile(t, chromedp.UserAgent(iphone))
	phone.width(390)

	desk.signUp(base)
	desk.shows(name, email, "this device only")

	phone.open(base + "/auth/sign-in")
	phone.signIn()
	phone.at("/auth/account")
	phone.shows(name, email, "this device and one other")

	desk.open(base + "/auth/account/sessions")
	if got := read[[]string](desk, `[...document.querySelectorAll(".device h2")].map(e => e.innerText)`); len(got) != 2 ||
		!strings.Contains(got[0], "This device") || got[1] != "Safari on iPhone" {
		t.Fatalf("the devices are %q", got)
	}

	desk.press(`button[aria-label="Sign out Safari on iPhone"]`)
	desk.at("/auth/account/sessions") // and no longer says in the address what it said once
	desk.shows("Safari on iPhone is signed out. It is refused on its next request.", "Nowhere else")

	phone.open(base + "/auth/account/sessions")
	phone.at("/auth/sign-in?return_to=%2Fauth%2Faccount%2Fsessions")
	phone.shows("Your session on this device has ended")
	phone.hides(name, email)
	phone.signIn()
	phone.at("/auth/account/sessions")

	desk.open(base + "/auth/account")
	desk.press(".bar button")
	desk.at("/auth/sign-out")
	desk.shows("You are signed out")
	desk.back()
	desk.until(`location.pathname === "/auth/sign-in"`)
	desk.hides(name, email)
	desk.at("/auth/sign-in?return_to=%2Fauth%2Faccount")
	phone.open(base + "/auth/account")
	phone.shows(name) // only the one that signed out is
}

// back presses the browser's button.
func (d *device) back() {
	d.t.Helper()
	ctx, stop := context.WithTimeout(d.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.NavigateBack()); err != nil {
		d.t.Fatal(err)
	}
}
