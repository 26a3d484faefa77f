package conformance

import (
	"net/http"
	"net/url"
)

// waysIn are all ways to sign in to the account with this address.
func waysIn(email string) map[string]func(*browser) {
	return map[string]func(*browser){
		"API": func(b *browser) {
			b.t.Helper()
			b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)).is(http.StatusOK)
		},
		"page": func(b *browser) {
			b.t.Helper()
			b.form("/sign-in", url.Values{"email": {email}, "password": {goodPassword}}).is(http.StatusSeeOther)
		},
		"sign-up by the API": func(b *browser) {
			b.t.Helper()
			b.do("POST", "/v1/sign-up", object("email", newEmail(), "password", goodPassword)).is(http.StatusCreated)
		},
		"sign-up by the page": func(b *browser) {
			b.t.Helper()
			b.form("/sign-up", url.Values{"email": {newEmail()}, "password": {goodPassword}}).is(http.StatusSeeOther)
		},
	}
}

// waysToProve are all ways to prove again who one is.
var waysToProve = map[string]func(*browser){
	"API": func(b *browser) {
		b.t.Helper()
		b.reauthenticate()
	},
	"page": func(b *browser) {
		b.t.Helper()
		b.form("/reauthenticate", url.Values{"form_token": {b.formToken("/account")}, "password": {goodPassword}}).is(http.StatusSeeOther)
	},
}

// waysOut are all ways to sign out.
var waysOut = map[string]func(*browser) answer{
	"API": func(b *browser) answer {
		b.t.Helper()
		return b.do("POST", "/v1/sign-out", "").is(http.StatusNoContent)
	},
	"page": func(b *browser) answer {
		b.t.Helper()
		return b.form("/sign-out", url.Values{"form_token": {b.formToken("/account")}}).is(http.StatusSeeOther)
	},
}
