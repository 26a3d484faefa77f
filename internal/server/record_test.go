//go:build !race

// Requests that come one after the other, many of them: the race detector has no
// use for them, and the tests of this package are run without it, too.

package server

import (
	"net/http"
	"testing"
)

// The record of what is done cannot be written while there is this trigger.
const (
	noRecord = `CREATE TRIGGER no_record BEFORE INSERT ON cloakroom_audit BEGIN SELECT RAISE(ABORT, 'the record cannot be written'); END`
	mended   = `DROP TRIGGER no_record`
)

// TestNothingIsDoneThatCannotBeRecorded, whatever the contract lets anybody do:
// it is an outage, after which all is as before and nobody is signed in or out.
func TestNothingIsDoneThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, d := range acting(t) {
		t.Run(d.id, func(t *testing.T) {
			c := s.newCast(d.id)
			before := s.everything()
			s.exec(noRecord)
			refused := c.carryOut(d)
			after := s.everything()
			c.live()
			s.exec(mended)
			if refused.problem(http.StatusServiceUnavailable, "unavailable"); refused.header.Get("Retry-After") == "" {
				t.Error("there is no Retry-After")
			}
			if after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
			if done := c.carryOut(d); done.status >= 300 || s.everything() == before {
				t.Errorf("once it can be recorded it is answered %d: %s", done.status, done.text)
			}
		})
	}
}

// TestAnOutageOfTheRecordUsesUpNobodysAttempts: the password was right each time.
func TestAnOutageOfTheRecordUsesUpNobodysAttempts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	s.exec(noRecord)
	for range 15 {
		s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusServiceUnavailable, "unavailable")
		b.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`).problem(http.StatusServiceUnavailable, "unavailable")
	}
	s.exec(mended)
	s.browser().signIn("ada@example.com")
	b.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`).is(http.StatusOK)
}
