package web

import (
	"crypto/rand"
	"net/http"
)

// secure sets what every answer carries, redirects and errors included. A page
// replaces the policy by its own (policy).
//
// Referrer-Policy is same-origin rather than no-referrer, under which browsers
// send "Origin: null" with our own forms.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Cookie")
}

// policy is the content security policy of a page. Styles and scripts pass by
// nonce, not by 'self': the application shares this host, and a file that it
// lets people upload must not become a script here.
func policy(nonce string) string {
	return "default-src 'none'; style-src 'nonce-" + nonce + "'; script-src 'nonce-" + nonce + "'; img-src 'self'; " +
		"form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
}

func newNonce() string { return rand.Text() }

// redirect ends whatever was done: a reload repeats nothing. The location is
// one of our own pages or has been through returnTo; http.Redirect would clean
// paths, and let "//host" pass.
func redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
}
