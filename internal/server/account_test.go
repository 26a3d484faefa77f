package server

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"cloakroom/internal/authority"
	"cloakroom/session"
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

func TestAReauthenticationTakesAPasswordAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	before := b.cookie
	for _, body := range []string{`{}`, `{"password":1}`, `{"password":"` + goodPassword + `","email":"eve@example.com"}`} {
		b.do("POST", "/v1/reauthenticate", body).problem(http.StatusUnprocessableEntity, "invalid")
	}
	if b.do("GET", "/v1/session", "").is(http.StatusOK); b.cookie != before {
		t.Error("the session goes on under another token")
	}
}

// TestOfTwoChangesOfANameOneLooksAgain: an administrator was quicker.
func TestOfTwoChangesOfANameOneLooksAgain(t *testing.T) {
	t.Parallel()
	s, store, cookie, _ := newFaultySite(t)
	b := s.with(cookie)
	id := b.accountID()
	var once atomic.Bool
	store.set(func(ctx context.Context) error {
		if !once.CompareAndSwap(false, true) {
			return nil
		}
		_, err := s.authority.SetProfile(ctx, authority.Operator(), id, session.Profile{Name: "Ada King"}, 0)
		return err
	})
	b.do("PATCH", "/v1/account", `{"name":"Eve"}`).problem(http.StatusConflict, "moved")
	if name := b.do("GET", "/v1/account", "").is(http.StatusOK).at("name"); name != "Ada King" {
		t.Errorf("the name is %v", name)
	}
}
