package server

import (
	"context"
	"database/sql"
	"net/http"
	"testing"
)

// TestAFileThatAnotherProgramHoldsIsAnOutageAndNoSignOut: what has to be written
// is 503 and not done, what can be read is answered, and all of it works again
// once the other program lets go.
func TestAFileThatAnotherProgramHoldsIsAnOutageAndNoSignOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.exec(`PRAGMA busy_timeout = 50`) // instead of five seconds for each that waits
	c := s.newCast("it")
	before := s.everything()
	db, err := sql.Open("sqlite", s.Database())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	for _, d := range changing(t) {
		if a := c.carryOut(d).problem(http.StatusServiceUnavailable, "unavailable"); a.header.Get("Retry-After") == "" {
			t.Errorf("%s: there is no Retry-After", d)
		}
	}
	for _, path := range []string{
		"/account", "/account/sessions", "/account/activity", "/account/password", "/v1/account", "/v1/session", "/v1/sessions", "/check",
	} {
		c.ada.do("GET", path, "").is(http.StatusOK).setsNoCookie()
	}
	c.root.do("GET", "/v1/admin/accounts", "").is(http.StatusOK)
	if _, err := other.ExecContext(context.WithoutCancel(t.Context()), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if after := s.everything(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	c.live()
	for _, d := range changing(t) {
		if d.id == "signIn" || d.id == "revokeSession" {
			if a := c.carryOut(d); a.status >= 300 {
				t.Errorf("%s: %d %s", d, a.status, a.text)
			}
		}
	}
}
