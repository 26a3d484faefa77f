//go:build browser

package e2e

import (
	"testing"
	"time"
)

// TestWhoComesBackGetsToThePage: the token has ended, which nobody notices whose
// browser runs scripts, and others press a button.
func TestWhoComesBackGetsToThePage(t *testing.T) {
	t.Parallel()
	base := startSetup(t, "--sessions.token-lifetime", "5s").base
	desk := newWindow(t)
	desk.signUp(base)
	session := func() string {
		t.Helper()
		desk.open(base + "/auth/v1/session")
		return read[string](desk, `JSON.parse(document.body.innerText).session.id`)
	}
	id := session()
	for range 2 {
		time.Sleep(6 * time.Second)
		desk.open(base + "/auth/account/sessions?page=1")
		desk.until(`location.pathname + location.search === "/auth/account/sessions?page=1"`)
		desk.shows("This device")
		if session() != id {
			t.Fatal("it is another session")
		}
	}

	plain := withoutScripts(t)
	plain.open(base + "/auth/sign-in")
	plain.signIn()
	plain.at("/auth/account")
	time.Sleep(6 * time.Second)
	plain.open(base + "/auth/account/activity")
	plain.at("/auth/sign-in?return_to=%2Fauth%2Faccount%2Factivity")
	plain.shows("Welcome back", "You are still signed in on this device.")
	plain.press("main button")
	plain.at("/auth/account/activity")

	time.Sleep(6 * time.Second)
	plain.open(base + "/auth/account")
	plain.press("main a.plain")
	plain.at("/auth/sign-in?anew&return_to=%2Fauth%2Faccount")
	plain.signIn()
	plain.at("/auth/account")
}
