package server

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTheFileOfAnEarlierVersionIsTakenOver: whoever was signed in still is, whoever
// had a password still has it, and what came later works.
func TestTheFileOfAnEarlierVersionIsTakenOver(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/file-of-2026-11-25.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cloakroom.db")
	file, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Exec(string(text)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	start := func() *site {
		return newSite(t, func(o *Options) {
			o.Config.Database = "sqlite:" + path
			o.Now = func() time.Time { return time.Date(2026, 12, 1, 7, 0, 0, 0, time.UTC).Add(time.Since(began)) }
		})
	}
	s := start()
	ada := s.with("cks_KKIloLX0LpzT4T2pj3o8KxovDDY_tkzb1mko3lYojb0Sc6D5M")
	if email := ada.do("GET", "/v1/session", "").is(http.StatusOK).at("account.email"); email != "ada@example.com" {
		t.Errorf("%v is signed in", email)
	}
	eve := s.browser().signIn("eve@example.com")
	s.browser().do("POST", "/v1/sign-in", credentials("eve@example.com", "wrong, and long enough")).problem(http.StatusUnauthorized, "bad-credentials")
	ada.asAdmin()
	ada.do("POST", "/v1/admin/accounts", `{"email":"grace@example.com"}`).is(http.StatusCreated)
	ada.do("POST", "/v1/admin/accounts/"+eve.accountID()+"/links", `{"kind":"reset"}`).is(http.StatusCreated)
	if n := len(ada.do("GET", "/v1/admin/audit", "").is(http.StatusOK).at("entries").([]any)); n < 3 {
		t.Errorf("%d entries", n)
	}
	eve.do("POST", "/v1/account/password", change(goodPassword, nextPassword)).is(http.StatusOK)
	ada.do("DELETE", "/v1/sessions", "").is(http.StatusNoContent)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s = start() // on what is its own file now
	s.with(eve.cookie).do("GET", "/v1/session", "").is(http.StatusOK)
	s.browser().do("POST", "/v1/sign-in", credentials("eve@example.com", nextPassword)).is(http.StatusOK)
}
