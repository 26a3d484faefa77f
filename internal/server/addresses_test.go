//go:build !race

// Requests that come one after the other, many of them: the race detector has no
// use for them, and the tests of this package are run without it, too.

package server

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// spellings are ways to write one address, which is kept as the first.
var spellings = []string{
	"josé@xn--bcher-kva.example",
	"José@Bücher.Example",
	"JOSÉ@BÜCHER.EXAMPLE",
	"jose\u0301@bu\u0308cher.example", // the accents as characters of their own
	"JOSE\u0301@XN--BCHER-KVA.example",
	"josé@ｂücher.ｅxample", // full-width letters in the host name
	"josé@bücher。example", // an ideographic full stop
}

// TestAnAddressIsOneAccountHoweverItIsWritten: whoever writes it otherwise than
// at the sign-up signs in to the same account, and nobody gets a second one.
func TestAnAddressIsOneAccountHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	for _, first := range spellings {
		made := s.browser().do("POST", "/v1/sign-up", credentials(first, goodPassword)).is(http.StatusCreated)
		id := made.at("account.id")
		if got := made.at("account.email"); got != spellings[0] {
			t.Errorf("%q is kept as %q", first, got)
		}
		for _, other := range spellings {
			a := s.browser().do("POST", "/v1/sign-in", credentials(other, goodPassword)).is(http.StatusOK)
			if a.at("account.id") != id || a.at("account.email") != spellings[0] {
				t.Errorf("signed up as %q, signed in as %q: %s", first, other, a.text)
			}
			s.browser().do("POST", "/v1/sign-up", credentials(other, goodPassword)).problem(http.StatusConflict, "taken")
			root.do("POST", "/v1/admin/accounts", bodyWith(map[string]any{"email": ""}, "email", quoted(other))).problem(http.StatusConflict, "taken")
			list := root.do("GET", "/v1/admin/accounts?email="+url.QueryEscape(other), "").is(http.StatusOK).at("accounts").([]any)
			if len(list) != 1 || list[0].(map[string]any)["id"] != id {
				t.Errorf("%q finds %v", other, list)
			}
		}
		root.do("DELETE", fmt.Sprint("/v1/admin/accounts/", id), "").is(http.StatusNoContent)
		s.exec(`DELETE FROM cloakroom_throttle`) // sign-ups that find an account are counted
	}
}

// TestAnAddressThatOnlyLooksAlikeIsAnotherAccount, to which the password of the
// first opens nothing.
func TestAnAddressThatOnlyLooksAlikeIsAnotherAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const own, others = goodPassword, nextPassword
	ada := s.browser().signUp("ada@example.com")
	ids := map[string]bool{ada.accountID(): true}
	for _, alike := range []string{
		"\u0430da@example.com",                         // a Cyrillic a
		"\uff41da@example.com",                         // a full-width a, before the @
		"ada@ex\u0430mple.com", "ada@example.c\u043em", // Cyrillic letters in the host name
		"a.da@example.com", "ada+x@example.com",
	} {
		s.browser().do("POST", "/v1/sign-in", credentials(alike, own)).problem(http.StatusUnauthorized, "bad-credentials")
		b := s.browser()
		b.do("POST", "/v1/sign-up", credentials(alike, others)).is(http.StatusCreated)
		if id := b.accountID(); ids[id] {
			t.Errorf("%q is the account of another address", alike)
		} else {
			ids[id] = true
		}
		s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", others)).problem(http.StatusUnauthorized, "bad-credentials")
		s.exec(`DELETE FROM cloakroom_throttle`) // guesses are not the subject
		if a := s.browser().do("POST", "/v1/sign-in", credentials(alike, others)).is(http.StatusOK); a.at("account.id") != b.accountID() {
			t.Errorf("%q signs in to %s", alike, a.text)
		}
	}
	if a := s.browser().do("POST", "/v1/sign-in", credentials("ADA@example.com", own)).is(http.StatusOK); a.at("account.id") != ada.accountID() {
		t.Error(a.text)
	}
}
