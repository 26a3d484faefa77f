//go:build browser

package e2e

import "testing"

const renewed = "another handful of words"

// TestAPersonKeepsTheirAccount changes a password that others may know, sees
// what happened, and signs out everywhere at once.
func TestAPersonKeepsTheirAccount(t *testing.T) {
	base := startServer(t)
	desk, phone := newWindow(t), newWindow(t)
	phone.pretend(iphone)
	phone.width(390)
	desk.signUp(base)
	phone.open(base + "/auth/sign-in")
	phone.signIn()
	phone.at("/auth/account")

	desk.open(base + "/auth/account")
	desk.press(`main a[href="/auth/account/password"]`)
	desk.at("/auth/account/password")
	desk.fill("current_password", "not the right one", "new_password", renewed)
	desk.press("main button:not([type])")
	desk.shows("This is not the password of your account.")
	desk.until(`document.activeElement.id === "current_password"`)
	desk.fill("current_password", secret, "new_password", "ada@example.com!!")
	desk.press("main button:not([type])")
	desk.shows("holds little more than your name, your address")
	desk.until(`document.activeElement.id === "new_password"`)
	desk.fill("current_password", secret, "new_password", renewed)
	desk.press("main button:not([type])")
	desk.at("/auth/account") // and no longer says in the address what it said once
	desk.shows("Your password was changed. All your other devices are signed out.", "this device only")

	phone.open(base + "/auth/account")
	phone.at("/auth/sign-in?return_to=%2Fauth%2Faccount")
	phone.shows("Your session on this device has ended")
	phone.signIn()
	phone.shows("do not belong together")
	phone.fill("password", renewed)
	phone.press("main button:not([type])")
	phone.at("/auth/account")

	desk.press(`main a[href="/auth/account/activity"]`)
	desk.at("/auth/account/activity")
	desk.shows("Account created", "Password changed; all other devices were signed out", "Safari on iPhone", "127.0.0.1")

	before := read[string](desk, `document.querySelector("[name=form_token]").value`)
	desk.open(base + "/auth/reauthenticate?then=revoke-others&return_to=/auth/account")
	desk.shows("To sign out all your other devices, enter your password once more.")
	desk.fill("password", secret) // the old one
	desk.press("main button:not([type])")
	desk.shows("This is not the password of your account.")
	desk.fill("password", renewed)
	desk.press("main button:not([type])")
	desk.at("/auth/account/sessions")
	desk.shows("Nowhere else")
	if read[string](desk, `document.querySelector("[name=form_token]").value`) == before {
		t.Error("the session goes on under the token from before the confirmation")
	}
	phone.open(base + "/auth/account")
	phone.at("/auth/sign-in?return_to=%2Fauth%2Faccount")
	phone.fill("email", email, "password", renewed)
	phone.press("main button:not([type])")
	phone.at("/auth/account")

	desk.open(base + "/auth/account/sessions")
	desk.press(`form[action$="/revoke-all"] button`)
	desk.at("/auth/sign-in")
	desk.shows("You are signed out on all your devices, this one too.")
	desk.open(base + "/auth/sign-in")
	desk.hides("You are signed out on all")
	for _, d := range []*device{desk, phone} {
		d.open(base + "/auth/account")
		d.at("/auth/sign-in?return_to=%2Fauth%2Faccount")
	}
}
