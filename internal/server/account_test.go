package server

import (
	"net/http"
	"strings"
	"testing"
)

func TestOnesOwnNameIsChangedAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	other := s.browser().signIn("ada@example.com")
	before := b.do("GET", "/v1/account", "").is(http.StatusOK)
	changed := b.do("PATCH", "/v1/account", `{"name":"Ada King"}`).is(http.StatusOK)
	if changed.at("name") != "Ada King" || changed.at("id") != before.at("id") || changed.at("email") != before.at("email") {
		t.Errorf("from %s to %s", before.text, changed.text)
	}
	if name := other.do("GET", "/v1/session", "").is(http.StatusOK).at("account.name"); name != "Ada King" {
		t.Errorf("another session of hers shows %v", name)
	}
	for _, body := range []string{
		`{"name":"Eve","roles":["admin"]}`, `{"name":"Eve","email":"eve@example.com"}`, `{"name":"Eve","email_verified":true}`,
		`{"name":"Eve","status":"active"}`, `{"name":"Eve\u0007"}`, `{"name":"` + strings.Repeat("a", 300) + `"}`, `{}`,
	} {
		b.do("PATCH", "/v1/account", body).problem(http.StatusUnprocessableEntity, "invalid")
	}
	b.do("PATCH", "/v1/account", `{"name":"Eve"}`, set("Sec-Fetch-Site", "cross-site")).problem(http.StatusForbidden, "origin")
	if name := b.do("GET", "/v1/account", "").is(http.StatusOK).at("name"); name != "Ada King" {
		t.Errorf("the name is %v", name)
	}
	s.browser().do("GET", "/v1/account", "").problem(http.StatusUnauthorized, "signed-out")
}
