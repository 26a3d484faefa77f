package server

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"
)

const nextPassword = "velvet anchor prairie tunic"

// change is a body of POST /v1/account/password.
func change(current, next string) string {
	text, _ := json.Marshal(map[string]string{"current_password": current, "new_password": next})
	return string(text)
}

func TestAPasswordChangeEndsAllOtherSessionsAndRenewsThisOne(t *testing.T) {
	s := newSite(t)
	laptop := s.browser().signUp("ada@example.com")
	phone := s.browser().signIn("ada@example.com")
	before, id := s.with(laptop.cookie), laptop.sessionID()
	laptop.do("POST", "/v1/account/password", change(goodPassword, nextPassword)).is(http.StatusOK)
	if laptop.sessionID() != id {
		t.Error("the session goes on under another id")
	}
	phone.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
	before.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusUnauthorized, "bad-credentials")
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", nextPassword)).is(http.StatusOK)
}

func TestAPasswordIsChangedByWhoKnowsItAndToAGoodOne(t *testing.T) {
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	other := s.browser().signIn("ada@example.com")
	for _, body := range []string{change(wrongAnswer, nextPassword), change("", nextPassword), `{"new_password":"` + nextPassword + `"}`} {
		b.do("POST", "/v1/account/password", body).problem(http.StatusForbidden, "wrong-password")
	}
	for _, next := range []string{"too short", "password123456789", "ada@example.com", ""} {
		a := b.do("POST", "/v1/account/password", change(goodPassword, next)).problem(http.StatusUnprocessableEntity, "invalid")
		if a.at("field") != "new_password" {
			t.Errorf("%q: the field at fault is %v", next, a.at("field"))
		}
	}
	b.do("POST", "/v1/account/password", `{"new_password":"`+nextPassword+`","account":"somebody else"}`).is(http.StatusUnprocessableEntity)
	other.do("GET", "/v1/session", "").is(http.StatusOK) // nothing has happened
	s.browser().signIn("ada@example.com")
}

// TestASignInWithTheOldPasswordDoesNotOutliveItsChange races them: whenever the
// old password was verified, no session comes of it that lives after the change.
func TestASignInWithTheOldPasswordDoesNotOutliveItsChange(t *testing.T) {
	s := newSite(t)
	owner := s.browser().signUp("ada@example.com")
	var thieves sync.WaitGroup
	begun := make(chan struct{}, 8)
	in := make([]*browser, cap(begun))
	for i := range in {
		in[i] = s.browser()
		in[i].device = owner.device // not throttled
		thieves.Go(func() {
			begun <- struct{}{}
			in[i].do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword))
		})
	}
	<-begun
	owner.do("POST", "/v1/account/password", change(goodPassword, nextPassword)).is(http.StatusOK)
	thieves.Wait()
	for _, thief := range in {
		if thief.cookie != "" {
			thief.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
		}
	}
	owner.do("GET", "/v1/session", "").is(http.StatusOK)
}

func TestGuessesAreCountedForTheAccountWhetherThereIsOneOrNot(t *testing.T) {
	s := newSite(t)
	s.browser().signUp("ada@example.com")
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		for range 10 {
			s.browser().do("POST", "/v1/sign-in", credentials(email, wrongAnswer)).problem(http.StatusUnauthorized, "bad-credentials")
		}
		refused := s.browser().do("POST", "/v1/sign-in", credentials(email, goodPassword)).problem(http.StatusTooManyRequests, "throttled")
		if wait, err := time.ParseDuration(refused.header.Get("Retry-After") + "s"); err != nil || wait < time.Second || wait > time.Minute {
			t.Errorf("Retry-After: %q", refused.header.Get("Retry-After"))
		}
	}
}

func TestStrangersCannotLockTheOwnerOut(t *testing.T) {
	s := newSite(t)
	owner := s.browser().signUp("ada@example.com")
	eve := s.browser().signUp("eve@example.com")
	for range 11 {
		s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", wrongAnswer))
	}
	eve.do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusTooManyRequests, "throttled")
	owner.do("POST", "/v1/sign-out", "").is(http.StatusNoContent)
	owner.do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).is(http.StatusOK)
}

func TestRightPasswordsAreNotCounted(t *testing.T) {
	s := newSite(t)
	s.browser().signUp("ada@example.com")
	for range 15 {
		s.browser().signIn("ada@example.com")
	}
}

// TestEveryWayToGuessCountsTogether: whoever has taken over a session does not
// get more guesses at its password by asking elsewhere.
func TestEveryWayToGuessCountsTogether(t *testing.T) {
	s := newSite(t)
	thief := s.with(s.browser().signUp("ada@example.com").cookie) // the session's cookie, and not the device's
	for range 4 {
		thief.do("POST", "/v1/reauthenticate", `{"password":"`+wrongAnswer+`"}`).problem(http.StatusForbidden, "wrong-password")
		thief.do("POST", "/v1/account/password", change(wrongAnswer, nextPassword)).problem(http.StatusForbidden, "wrong-password")
	}
	for range 2 {
		s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", wrongAnswer)).problem(http.StatusUnauthorized, "bad-credentials")
	}
	thief.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`).problem(http.StatusTooManyRequests, "throttled")
	thief.do("POST", "/v1/account/password", change(goodPassword, nextPassword)).problem(http.StatusTooManyRequests, "throttled")
}

func TestManyAccountsAreNotTriedFromOneAddress(t *testing.T) {
	s := newSite(t)
	refused := 0
	for i := range 70 {
		email := "user" + time.Duration(i).String() + "@example.com"
		if s.browser().do("POST", "/v1/sign-in", credentials(email, wrongAnswer)).status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 5 {
		t.Errorf("%d of 70 were refused", refused)
	}
}

// TestSignUpsThatFindAccountsAreCounted: the answer 409 tells who has an
// account, and is not to be had a thousand times.
func TestSignUpsThatFindAccountsAreCounted(t *testing.T) {
	s := newSite(t)
	s.browser().signUp("ada@example.com")
	last := 0
	for range 70 {
		last = s.browser().do("POST", "/v1/sign-up", credentials("ada@example.com", goodPassword)).status
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the last of 70 was answered with %d", last)
	}
}
