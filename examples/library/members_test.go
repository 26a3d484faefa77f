package main

import (
	"net/http"
	"testing"
)

func TestARoleHoldsAtOnceAndWithoutANewSignIn(t *testing.T) {
	s := newSite(t, nil)
	first, second := s.newBrowser(t), s.newBrowser(t)
	first.signUp("Ada", ada)
	second.signUp("Grace", hopper)
	id := s.one(t, `SELECT id FROM users WHERE email = ?`, hopper)
	token := second.token()

	second.wants(second.get("/members"), http.StatusForbidden, "not open to you")
	second.wants(second.post("/members/"+id, "editor", "yes"), http.StatusForbidden, "not open to you")
	first.wants(first.post("/members/"+id, "editor", "yes"), http.StatusSeeOther, "")
	second.wants(second.get("/members"), http.StatusOK, ada)
	first.wants(first.post("/members/"+id, "editor", "no"), http.StatusSeeOther, "")
	second.wants(second.get("/members"), http.StatusForbidden, "not open to you")
	if second.token() != token {
		t.Error("the second member had to sign in again")
	}
	if got := s.one(t, `SELECT group_concat(event, ', ' ORDER BY number) FROM audit
		WHERE user = ? AND actor <> user`, id); got != "is an editor, is no editor any more" {
		t.Errorf("the entries are %q", got)
	}
}

func TestTheLastEditorStaysOne(t *testing.T) {
	s := newSite(t, nil)
	b := s.newBrowser(t)
	b.signUp("Ada", ada)
	b.wants(b.post("/members/"+s.one(t, `SELECT id FROM users`), "editor", "no"), http.StatusForbidden, "not open to you")
	b.wants(b.post("/members/nobody", "editor", "yes"), http.StatusNotFound, "no such member")
	b.wants(b.get("/members"), http.StatusOK, ada)
}
