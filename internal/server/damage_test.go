package server

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloakroom/internal/config"
	"cloakroom/internal/factor/password"
)

// TestADamagedFileIsAnOutageAndNoSignOut: a page of the file is overwritten
// between two runs, as a bad disk does it. Either the server says so and does
// not start, or it answers what it still knows, or 503. It takes nobody for a
// visitor.
func TestADamagedFileIsAnOutageAndNoSignOut(t *testing.T) {
	const page = 4096
	path := filepath.Join(t.TempDir(), "cloakroom.db")
	file := func(o *Options) { o.Config.Database = "sqlite:" + path }
	s := newSite(t, file)
	cookie := s.browser().signUp("ada@example.com").cookie
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
		o := Options{Config: config.Config{Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0"}, Passwords: password.Config{Params: cheap}}
		file(&o)
		srv, err := New(t.Context(), o)
		if err != nil {
			if told++; !strings.Contains(err.Error(), "database: "+path) {
				t.Errorf("page %d: %v", at/page, err)
			}
			continue
		}
		if err := srv.Close(); err != nil {
			t.Errorf("page %d: %v", at/page, err)
		}
		again := newSite(t, file)
		switch a := again.with(cookie).do("GET", "/v1/session", "").setsNoCookie(); a.status {
		case http.StatusServiceUnavailable:
			undecided++
		case http.StatusOK:
		default:
			t.Errorf("page %d: whose session it is was answered with %d", at/page, a.status)
		}
		_ = again.stop()
	}
	if told == 0 || undecided == 0 {
		t.Errorf("of %d pages %d were missed at the start, %d by a check", len(whole)/page-1, told, undecided)
	}
}
