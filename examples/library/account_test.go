package main

import (
	"net/http"
	"testing"
)

func TestAChangeOfPasswordEndsTheOtherSessionsAndKeepsTheDraft(t *testing.T) {
	s := newSite(t, nil)
	first, second := s.newBrowser(t), s.newBrowser(t)
	first.signUp("Ada", ada)
	second.signIn(ada, oldPassword)
	first.wants(first.post("/draft", "text", "half a thought"), http.StatusSeeOther, "")
	hash, token := s.one(t, `SELECT hash FROM users`), first.token()
	if !second.signedIn() {
		t.Fatal("the second device is not signed in")
	}

	p := first.post("/account/password", "current", oldPassword, "new", newPassword)
	first.wants(p, http.StatusSeeOther, "")
	if p.location != "/account?done=password" {
		t.Errorf("sent to %s", p.location)
	}

	if second.signedIn() {
		t.Error("the second device is still signed in")
	}
	if !first.signedIn() {
		t.Error("the first device is signed out")
	}
	if first.token() == token {
		t.Error("the first device goes on with the old token")
	}
	first.wants(first.get("/"), http.StatusOK, "half a thought")
	if s.one(t, `SELECT hash FROM users`) == hash {
		t.Error("the hash is the old one")
	}
	if got := s.one(t, `SELECT event FROM audit ORDER BY number DESC LIMIT 1`); got != "changed the password" {
		t.Errorf("the last entry is %q", got)
	}
	first.wants(first.get("/account?done=password"), http.StatusOK, "changed the password")
	second.wants(second.post("/sign-in", "email", ada, "password", oldPassword), http.StatusUnprocessableEntity, "do not belong together")
	second.signIn(ada, newPassword)
}

func TestAnAuditThatFailsChangesNothing(t *testing.T) {
	s := newSite(t, nil)
	first, second := s.newBrowser(t), s.newBrowser(t)
	first.signUp("Ada", ada)
	second.signIn(ada, oldPassword)
	hash, token := s.one(t, `SELECT hash FROM users`), first.token()
	s.write(t, `CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the audit is full'); END`)

	first.wants(first.post("/account/password", "current", oldPassword, "new", newPassword),
		http.StatusServiceUnavailable, "You have not been signed out")
	first.wants(first.post("/account/end-others"), http.StatusServiceUnavailable, "")

	if s.one(t, `SELECT hash FROM users`) != hash {
		t.Error("the hash has changed")
	}
	if !second.signedIn() {
		t.Error("the second device was signed out")
	}
	if first.token() != token || !first.signedIn() {
		t.Error("the first device does not go on as it was")
	}
	third := s.newBrowser(t)
	third.wants(third.post("/sign-up", "name", "Grace", "email", hopper, "password", oldPassword), http.StatusServiceUnavailable, "")
	if n := s.one(t, `SELECT count(*) FROM users`); n != "1" {
		t.Errorf("there are %s users", n)
	}
	s.write(t, `DROP TRIGGER full`)
	first.wants(first.post("/account/password", "current", oldPassword, "new", newPassword), http.StatusSeeOther, "")
}

func TestAWrongOrWeakPasswordChangesNothing(t *testing.T) {
	s := newSite(t, nil)
	first, second := s.newBrowser(t), s.newBrowser(t)
	first.signUp("Ada", ada)
	second.signIn(ada, oldPassword)
	hash := s.one(t, `SELECT hash FROM users`)
	first.wants(first.post("/account/password", "current", newPassword, "new", newPassword),
		http.StatusUnprocessableEntity, "not your current password")
	first.wants(first.post("/account/password", "current", oldPassword, "new", "short"),
		http.StatusUnprocessableEntity, "at least 15 characters")
	if s.one(t, `SELECT hash FROM users`) != hash || !second.signedIn() {
		t.Error("something has changed")
	}
}

func TestTheOtherDevicesCanBeSignedOut(t *testing.T) {
	s := newSite(t, nil)
	first, second := s.newBrowser(t), s.newBrowser(t)
	first.signUp("Ada", ada)
	second.signIn(ada, oldPassword)
	token := first.token()
	first.wants(first.post("/account/end-others"), http.StatusSeeOther, "")
	if second.signedIn() || !first.signedIn() || first.token() != token {
		t.Error("not the others, or not only they, are signed out")
	}
	if got := s.one(t, `SELECT event FROM audit ORDER BY number DESC LIMIT 1`); got != "signed out all other devices" {
		t.Errorf("the last entry is %q", got)
	}
}
