package server

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestADamagedFileIsAnOutageAndNoSignOut: a page of the file is overwritten
// between two runs, as a bad disk does it. Either the server says so and does
// not start, or it answers what it still knows, or 503. It takes nobody for a
// visitor.
func TestADamagedFileIsAnOutageAndNoSignOut(t *testing.T) {
	t.Parallel()
	const page = 4096
	path := filepath.Join(t.TempDir(), "cloakroom.db")
	file := func(o *Options) { o.Config.Database = "sqlite:" + path }
	s := newSite(t, file)
	cookie, second := s.browser().signUp("ada@example.com").cookie, s.browser().signIn("ada@example.com")
	id := second.sessionID()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	told, undecided := 0, 0
	for at := page; at+page <= len(whole); at += page {
		damaged := append([]byte(nil), whole...)
		copy(damaged[at:], strings.Repeat("\xff", page))
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := startSite(t, file)
		if err != nil {
			if told++; !strings.Contains(err.Error(), "database: "+path) {
				t.Errorf("page %d: %v", at/page, err)
			}
			continue
		}
		for _, wrong := range again.damaged(cookie, second.cookie, id, &undecided) {
			t.Errorf("page %d: %s", at/page, wrong)
		}
		_ = again.stop()
	}
	if told == 0 || undecided == 0 {
		t.Errorf("of %d pages %d were missed at the start, %d by a request", len(whole)/page-1, told, undecided)
	}
}

// damaged asks who is signed in, for a page, for a sign-in, and ends another
// session, and says what is wrong with the answers: each is the right one, or 503
// and nobody is signed out, which is counted.
func (s *site) damaged(cookie, second, id string, undecided *int) (wrong []string) {
	s.t.Helper()
	ended := 0
	for _, ask := range []struct {
		what string
		of   func() answer
		want int
	}{
		{"whose session it is", func() answer { return s.with(cookie).do("GET", "/v1/session", "") }, http.StatusOK},
		{"the page", func() answer { return s.with(cookie).do("GET", "/account", "") }, http.StatusOK},
		{"a sign-in", func() answer {
			return s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword))
		}, http.StatusOK},
		{"a revocation", func() answer { return s.with(cookie).do("DELETE", "/v1/sessions/"+id, "") }, http.StatusNoContent},
	} {
		a := ask.of()
		if a.status == http.StatusServiceUnavailable {
			*undecided++
			a.setsNoCookie()
		} else if a.status != ask.want {
			wrong = append(wrong, fmt.Sprintf("%s was answered with %d: %s", ask.what, a.status, a.text))
		}
		ended = a.status
	}
	switch a := s.with(second).do("GET", "/v1/session", ""); {
	case a.status == http.StatusServiceUnavailable:
	case ended == http.StatusNoContent && a.status != http.StatusUnauthorized, ended != http.StatusNoContent && a.status != http.StatusOK:
		wrong = append(wrong, fmt.Sprintf("after the revocation was answered with %d the session is answered with %d", ended, a.status))
	}
	return wrong
}
