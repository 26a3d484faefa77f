package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRow130WhatHappensIsRecorded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
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
	token := admin.issueLink(id, "reset")
	h.browser(t).useLink("reset", token, goodPassword).is(http.StatusSeeOther)
	leaving := h.signIn(t, email)
	leaving.do("POST", "/v1/sign-out", "", as).is(http.StatusNoContent)
	admin.do("DELETE", "/v1/admin/accounts/"+id+"/sessions", "").is(http.StatusNoContent)
	admin.setStatus(id, "disabled")
	admin.setStatus(id, "active")
	admin.do("DELETE", "/v1/admin/accounts/"+id, "").is(http.StatusNoContent)
	if err := h.stop(); err != nil { // refused attempts are written by then
		t.Fatal(err)
	}
	_, db := h.copied(t)
	rows, err := db.Query("SELECT event, at, actor, subject, address FROM cloakroom_audit WHERE ? IN (actor, subject) OR event = 'setup.used'", id)
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
		if address != "127.0.0.1" || actor == "" && !strings.HasSuffix(event, "refused") && event != "link.used" {
			t.Errorf("%s by %q to %q from %q", event, actor, subject, address)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{
		"account.created", "session.issued", "session.reauthenticated", "session.revoked", "sessions.revoked_others", "session.signed_out",
		"account.password_changed", "account.roles_changed", "account.disabled", "account.enabled", "account.deleted", "sessions.revoked_all",
		"link.issued", "link.used", "setup.used", "signin.refused", "reauthentication.refused", "password_change.refused", "admin.refused",
	} {
		if !seen[event] {
			t.Errorf("%s was not recorded", event)
		}
	}
}
