package server

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"cloakroom/internal/factor/password"
)

// TestManyRightSignInsAtOnce are no guesses, however many there are: a guess is
// on the count only while it is hashed.
func TestManyRightSignInsAtOnce(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Passwords.Slots, o.Passwords.Queue, o.Passwords.Wait = 2, 100, time.Minute })
	s.browser().signUp("ada@example.com")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if a := s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)); a.status != http.StatusOK {
				t.Errorf("status %d: %s", a.status, a.text)
			}
		})
	}
	all.Wait()
}

// TestAFloodGivesWay is the attack: so many guess that nobody else has a turn.
// A known device goes before all of them.
func TestAFloodGivesWay(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Passwords.Slots, o.Passwords.Queue, o.Passwords.Wait = 1, 1, 5*time.Second })
	owner := s.browser().signUp("ada@example.com")
	guess := func(email string) answer {
		return s.browser().do("POST", "/v1/sign-in", credentials(email, wrongAnswer))
	}
	guess("nobody@example.com").is(http.StatusUnauthorized) // its network has guessed from now on
	turn, err := s.signin.Passwords.Turn(t.Context(), password.Place{Rank: password.First})
	if err != nil {
		t.Fatal(err)
	}
	flood := make(chan answer, 2)
	for range cap(flood) {
		go func() { flood <- guess("nobody@example.com") }()
	}
	(<-flood).problem(http.StatusServiceUnavailable, "busy") // the other one waits
	signedIn := make(chan answer, 1)
	go func() {
		signedIn <- owner.do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword))
	}()
	(<-flood).problem(http.StatusServiceUnavailable, "busy")
	turn.End()
	(<-signedIn).is(http.StatusOK)
}
