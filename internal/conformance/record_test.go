package conformance

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRow130WhatHappensIsRecorded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.browser(t).setUp("0000-0000-0000-0000-0000", newEmail()).is(http.StatusForbidden)
	admin := h.administrator(t)
	const agent = "Recorded/1.0"
	b, email := h.member(t)
	id := b.accountID()
	as := set("User-Agent", agent)
	in := object("email", email, "password", goodPassword)
	h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", wrongAnswer), as).is(http.StatusUnauthorized)
	other, third := h.browser(t), h.browser(t)
	other.do("POST", "/v1/sign-in", in, as).is(http.StatusOK)
	third.do("POST", "/v1/sign-in", in, as).is(http.StatusOK)
	b.do("POST", "/v1/reauthenticate", object("password", wrongAnswer), as).is(http.StatusForbidden)
	b.do("POST", "/v1/reauthenticate", object("password", goodPassword), as).is(http.StatusOK)
	b.do("DELETE", "/v1/sessions/"+other.sessionID(), "", as).is(http.StatusNoContent)
	b.do("DELETE", "/v1/sessions", "", as).is(http.StatusNoContent)
	b.do("POST", "/v1/account/password", object("current_password", wrongAnswer, "new_password", newPassword), as).is(http.StatusForbidden)
	b.do("POST", "/v1/account/password", object("current_password", goodPassword, "new_password", newPassword), as).is(http.StatusOK)
	b.do("GET", "/v1/admin/accounts", "", as).is(http.StatusForbidden)
	admin.setRoles(id, "staff")
	b.do("PATCH", "/v1/account", object("name", "Somebody else"), as).is(http.StatusOK)
	token := admin.issueLink(id, "reset")
	h.browser(t).useLink("reset", token, goodPassword).is(http.StatusSeeOther)
	h.browser(t).useLink("reset", token, goodPassword).is(http.StatusGone)
	copied := h.signIn(t, email)
	thief := *copied
	copied.renew().is(http.StatusOK)
	copied.lives(true)
	time.Sleep(11 * time.Second) // the grace in which a lost answer is given again
	thief.renew().is(http.StatusUnauthorized)
	leaving := h.signIn(t, email)
	leaving.do("POST", "/v1/sign-out", "", as).is(http.StatusNoContent)
	admin.do("DELETE", "/v1/admin/accounts/"+id+"/sessions", "").is(http.StatusNoContent)
	admin.setStatus(id, "disabled")
	admin.setStatus(id, "active")
	admin.do("DELETE", "/v1/admin/accounts/"+id, "").is(http.StatusNoContent)
	root := admin.accountID()
	admin.do("POST", "/v1/admin/revoke-everything", "").is(http.StatusNoContent)
	if err := h.stop(); err != nil { // refused attempts are written by then
		t.Fatal(err)
	}
	_, db := h.copied(t)
	rows, err := db.Query(`SELECT event, at, actor, subject, address FROM cloakroom_audit WHERE ? IN (actor, subject)
		OR event IN ('setup.used', 'setup.refused', 'link.refused', 'sessions.revoked_everything')`, id)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := map[string]bool{}
	for rows.Next() {
		var event, actor, subject, address string
		var at int64
		if err := rows.Scan(&event, &at, &actor, &subject, &address); err != nil {
			t.Fatal(err)
		}
		seen[event] = true
		if since := time.Since(time.Unix(at, 0)); since < 0 || since > time.Hour {
			t.Errorf("%s was recorded as of %v ago", event, since)
		}
		if address != "127.0.0.1" && event != "session.reused" || actor == "" && !strings.HasSuffix(event, "refused") && event != "link.used" && event != "session.reused" {
			t.Errorf("%s by %q to %q from %q", event, actor, subject, address)
		}
		if event == "sessions.revoked_everything" && actor != root {
			t.Errorf("%s by %q", event, actor)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	all := documentedEvents(t)
	for _, event := range all {
		if !seen[event] {
			t.Errorf("%s was not recorded", event)
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d kinds of events, and %d are documented: %v", len(seen), len(all), seen)
	}
}

// documentedEvents are those that the contract names.
func documentedEvents(t *testing.T) []string {
	t.Helper()
	var contract struct {
		Components struct {
			Schemas struct{ Event struct{ Enum []string } }
		}
	}
	text := sharedHouse(t).browser(t).do("GET", "/openapi.json", "").is(http.StatusOK).text
	if err := json.Unmarshal([]byte(text), &contract); err != nil {
		t.Fatal(err)
	}
	all := contract.Components.Schemas.Event.Enum
	if len(all) < 20 {
		t.Fatalf("the contract names %d events", len(all))
	}
	return all
}
