package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestADraftIsPostedOnce(t *testing.T) {
	s := newSite(t, nil)
	b, visitor := s.newBrowser(t), s.newBrowser(t)
	b.signUp("Ada", ada)
	b.wants(b.post("/draft", "text", "<b>hello</b>"), http.StatusSeeOther, "")
	if strings.Contains(visitor.get("/").body, "hello") {
		t.Error("a visitor sees the draft")
	}
	for range 2 {
		b.wants(b.post("/notes"), http.StatusSeeOther, "")
	}
	if n := s.one(t, `SELECT count(*) FROM notes`); n != "1" {
		t.Errorf("there are %s notes", n)
	}
	visitor.wants(visitor.get("/"), http.StatusOK, "&lt;b&gt;hello&lt;/b&gt;")
}

func TestADraftThatCannotBePostedIsNotLost(t *testing.T) {
	s := newSite(t, nil)
	b := s.newBrowser(t)
	b.signUp("Ada", ada)
	b.wants(b.post("/draft", "text", "half a thought"), http.StatusSeeOther, "")
	s.write(t, `CREATE TRIGGER full BEFORE INSERT ON notes BEGIN SELECT RAISE(ABORT, 'the board is full'); END`)
	b.wants(b.post("/notes"), http.StatusServiceUnavailable, "")
	b.wants(b.get("/"), http.StatusOK, "half a thought")
	b.wants(b.post("/draft", "text", strings.Repeat("x", maxNote+1)), http.StatusUnprocessableEntity, "too long")
	b.wants(b.post("/draft", "text", strings.Repeat("x", maxForm)), http.StatusBadRequest, "cannot be used")
}
