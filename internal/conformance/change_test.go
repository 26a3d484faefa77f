package conformance

import (
	"net/http"
	"testing"
)

const newPassword = "another horse, another battery"

// changePassword changes it from goodPassword to newPassword.
func (b *browser) changePassword() answer {
	b.t.Helper()
	return b.do("POST", "/v1/account/password", object("current_password", goodPassword, "new_password", newPassword)).is(http.StatusOK)
}

func TestRow004And035AChangeOfPasswordEndsTheOthersAndRenewsThisOne(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	others := []*browser{h.signIn(t, email), h.signIn(t, email)}
	for _, other := range others {
		other.lives(true)
	}
	before, id := b.cookie, b.sessionID()
	b.changePassword()
	b.lives(true)
	if b.cookie == before || b.sessionID() != id {
		t.Error("the token stayed the same, or it is another session")
	}
	for _, ended := range append(others, b.with(before)) {
		ended.lives(false)
	}
	guess := h.browser(t)
	guess.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)).refuses(http.StatusUnauthorized)
	guess.do("POST", "/v1/sign-in", object("email", email, "password", newPassword)).is(http.StatusOK)
}

func TestRow063And068And069APasswordIsChangedByItsOwnerWhoKnowsIt(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	victim, victimsEmail := h.member(t)
	id := victim.do("GET", "/v1/session", "").word("account.id")
	change := func(status int, pairs ...string) answer {
		t.Helper()
		return b.do("POST", "/v1/account/password", object(pairs...)).refuses(status)
	}
	change(http.StatusForbidden, "new_password", newPassword)
	change(http.StatusForbidden, "current_password", "", "new_password", newPassword)
	change(http.StatusForbidden, "current_password", wrongAnswer, "new_password", newPassword)
	for _, key := range []string{"user_id", "account", "id", "email"} {
		for _, whose := range []string{id, victimsEmail} {
			change(http.StatusUnprocessableEntity, "current_password", goodPassword, "new_password", newPassword, key, whose)
		}
	}
	for _, weak := range []string{"vqxzjkwpfmbtnd", "Password12345678", "cloakroom " + email[:26]} {
		a := change(http.StatusUnprocessableEntity, "current_password", goodPassword, "new_password", weak)
		if a.word("field") != "new_password" {
			t.Errorf("refused for %s", a.text)
		}
	}
	h.browser(t).do("POST", "/v1/account/password", object("current_password", goodPassword, "new_password", newPassword)).refuses(http.StatusUnauthorized)
	h.signIn(t, email).lives(true) // nothing was changed
	h.signIn(t, victimsEmail)
	for range guessesAtOnce { // and wrong guesses count
		b.do("POST", "/v1/account/password", object("current_password", wrongAnswer, "new_password", newPassword))
	}
	b.do("POST", "/v1/account/password", object("current_password", goodPassword, "new_password", newPassword)).throttled()
}
