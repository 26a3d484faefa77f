//go:build browser

package e2e

import (
	"strings"
	"testing"
)

const adminEmail = "root@example.com"

// setUp makes the first administrator with the code that the server printed.
func (d *device) setUp(s server) {
	d.t.Helper()
	d.open(s.base + "/auth/setup")
	d.fill("code", strings.ToLower(strings.ReplaceAll(s.code, "-", " ")), "name", "Grace Hopper", "email", adminEmail, "password", secret)
	d.press("main button:not([type])")
	d.at("/auth/account")
}

// TestAnAdministratorLetsAPersonBackIn sets a server up by the code that it
// prints, and gives a person who lost their password a link to a new one.
func TestAnAdministratorLetsAPersonBackIn(t *testing.T) {
	s := startSetup(t)
	admin, person, lost := newWindow(t), newWindow(t), newWindow(t)
	admin.open(s.base + "/auth/setup")
	admin.fill("code", "ABCD-EFGH-JKMN-PQRS-TVWX", "email", adminEmail, "password", secret)
	admin.press("main button:not([type])")
	admin.shows("This is not the code")
	admin.until(`document.activeElement.id === "code"`)
	admin.setUp(s)
	admin.shows("Grace Hopper", "Became administrator with the setup code")
	admin.open(s.base + "/auth/setup")
	admin.shows("This is set up already")

	person.signUp(s.base)
	address := linkTo(t, s.base, email, "reset")
	lost.open(address)
	lost.shows("Choose a new password")
	if got := read[string](lost, "email.value"); got != email {
		t.Errorf("the link is for %q", got)
	}
	lost.fill("new_password", renewed)
	lost.press("main button:not([type])")
	lost.at("/auth/sign-in")
	lost.shows("Your password is set.")
	lost.fill("email", email, "password", renewed)
	lost.press("main button:not([type])")
	lost.at("/auth/account")
	lost.shows("An administrator made a one-time link to your account")
	person.open(s.base + "/auth/account")
	person.at("/auth/sign-in?return_to=%2Fauth%2Faccount")
	for range 2 {
		person.open(address)
		person.shows("This link no longer works")
	}
}
