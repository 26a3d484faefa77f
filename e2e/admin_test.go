//go:build browser

package e2e

import (
	"slices"
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
	lost.until(`location.search === ""`) // the token is in no history
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

// TestAnAdministratorInvitesAPersonAndSendsThemAway invites somebody who has no
// account, gives them a role, and disables the account in the middle of its use.
func TestAnAdministratorInvitesAPersonAndSendsThemAway(t *testing.T) {
	s := startSetup(t)
	admin, person := newWindow(t), newWindow(t)
	person.width(390)
	admin.setUp(s)
	program := adminProgram(t, s.base)
	var invited struct{ Link struct{ URL string } }
	program.call("POST", "/auth/v1/admin/accounts", `{"email":"kay@example.com","name":"Kay","roles":["editor"]}`, &invited)

	person.open(invited.Link.URL)
	person.until(`email.value === "kay@example.com" && location.search === ""`)
	person.fill("new_password", renewed)
	person.press("main button:not([type])")
	person.at("/auth/sign-in")
	signIn := func() {
		t.Helper()
		person.fill("email", "kay@example.com", "password", renewed)
		person.press("main button:not([type])")
	}
	signIn()
	person.at("/auth/account")
	person.shows("Kay", "An administrator created your account")
	person.open(s.base + "/auth/v1/session") // what a front end is told
	person.shows(`"roles":["editor"]`)

	var changed struct{ Account struct{ Status string } }
	status := func(status string) {
		t.Helper()
		program.call("PUT", program.path("kay@example.com")+"/status", `{"status":"`+status+`"}`, &changed)
		if changed.Account.Status != status {
			t.Fatalf("the account is %s", changed.Account.Status)
		}
	}
	status("disabled")
	person.open(s.base + "/auth/account")
	person.at("/auth/sign-in?return_to=%2Fauth%2Faccount")
	signIn()
	person.shows("This account has been disabled. Ask whoever runs this service.")
	status("active")
	signIn()
	person.at("/auth/account")
	person.shows("An administrator disabled your account", "An administrator enabled your account again")
}

// TestAnAdministratorTakesBackWhatTheyGave revokes a device, then a role, then
// everybody's sessions, and in the end the account; the record tells of each.
func TestAnAdministratorTakesBackWhatTheyGave(t *testing.T) {
	s := startSetup(t)
	admin, person, phone := newWindow(t), newWindow(t), newWindow(t)
	admin.setUp(s)
	person.signUp(s.base)
	phone.open(s.base + "/auth/sign-in")
	phone.signIn()
	phone.at("/auth/account")
	isOut := func(d *device) {
		t.Helper()
		d.open(s.base + "/auth/account")
		d.at("/auth/sign-in?return_to=%2Fauth%2Faccount")
	}
	isIn := func(d *device) { t.Helper(); d.open(s.base + "/auth/account"); d.at("/auth/account") }

	program := adminProgram(t, s.base)
	account := program.path(email)
	var of struct{ Sessions []struct{ ID string } }
	program.call("GET", account+"/sessions", "", &of)
	if len(of.Sessions) != 2 {
		t.Fatalf("the person has %d sessions", len(of.Sessions))
	}
	person.open(s.base + "/auth/v1/session")
	phones := of.Sessions[0].ID // made within one second they have no order
	if read[string](person, `JSON.parse(document.body.innerText).session.id`) == phones {
		phones = of.Sessions[1].ID
	}
	program.call("DELETE", account+"/sessions/"+phones+"?strict=true", "", &struct{}{})
	isOut(phone)
	isIn(person)
	person.shows("An administrator signed one of your devices out")

	var changed struct {
		Account struct{ Roles []string }
	}
	roles := func(of string) {
		t.Helper()
		var is struct{ Account struct{ Version string } }
		program.call("GET", account, "", &is)
		program.version = is.Account.Version
		program.call("PUT", account+"/profile", `{"name":"Ada Lovelace","roles":[`+of+`],"attributes":null,"email_verified":false}`, &changed)
		program.version = ""
		person.open(s.base + "/auth/v1/session")
		person.shows(`"roles":[` + of + `]`)
	}
	roles(`"editor"`)
	roles("")

	program.call("POST", "/auth/v1/admin/revoke-everything?strict=true", "", &struct{}{})
	isOut(person)
	isOut(admin)

	program = adminProgram(t, s.base)
	person.signIn()
	person.at("/auth/account")
	program.call("DELETE", account, "", nil)
	isOut(person)
	person.signIn()
	person.shows("do not belong together")

	var record struct{ Entries []struct{ Event string } }
	program.call("GET", "/auth/v1/admin/audit", "", &record)
	var events []string
	for _, e := range record.Entries {
		events = append(events, e.Event)
	}
	for _, want := range []string{"session.revoked", "account.roles_changed", "sessions.revoked_everything", "account.deleted"} {
		if !slices.Contains(events, want) {
			t.Errorf("the record has no %s: %v", want, events)
		}
	}
}
