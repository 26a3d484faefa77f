package server

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloakroom/session/sqlite"
)

// SQLite itself goes on when its file is moved or deleted: it has it open, and
// what it acknowledges goes where nobody will look for it. So the server looks
// itself, after each commit and once a second.

// beside are the names of all that belongs to a database.
func beside(path string) []string { return []string{path, path + "-wal", path + "-shm"} }

// moving are ways to take a database away, and how each is undone, if it can be.
var moving = map[string]struct {
	away func(path string) error
	back func(path string) error // nil: not at all
}{
	"the file is moved": {
		func(p string) error { return os.Rename(p, p+".elsewhere") },
		func(p string) error { return os.Rename(p+".elsewhere", p) },
	},
	"the folder is moved": {
		func(p string) error { return os.Rename(filepath.Dir(p), filepath.Dir(p)+".elsewhere") },
		func(p string) error { return os.Rename(filepath.Dir(p)+".elsewhere", filepath.Dir(p)) },
	},
	"all of it is deleted": {
		func(p string) error {
			for _, name := range beside(p) {
				if err := os.Remove(name); err != nil {
					return err
				}
			}
			return nil
		}, nil,
	},
	"another database is put in its place": {
		func(p string) error {
			for _, name := range beside(p) {
				if err := os.Rename(name, name+".elsewhere"); err != nil {
					return err
				}
			}
			other, err := os.ReadFile(filepath.Join(filepath.Dir(p), "other.db"))
			if err != nil {
				return err
			}
			return os.WriteFile(p, other, 0o600)
		},
		func(p string) error {
			for _, name := range beside(p) {
				if err := os.Rename(name+".elsewhere", name); err != nil {
					return err
				}
			}
			return nil
		},
	},
}

// otherDatabase makes a database in which nobody has an account, beside the one
// at path.
func otherDatabase(t *testing.T, path string) {
	t.Helper()
	empty := newSite(t)
	if err := empty.stop(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(empty.Database())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "other.db"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// signsUp tries to make an account, as often as it takes, until it is answered
// with the status, and returns the addresses of those that were made.
func (s *site) signsUp(name string, until int) (made []string) {
	s.t.Helper()
	for n, deadline := 0, time.Now().Add(20*time.Second); ; n++ {
		email := name + strings.Repeat("x", n) + "@example.com"
		a := s.browser().do("POST", "/v1/sign-up", credentials(email, goodPassword))
		switch a.status {
		case http.StatusCreated:
			made = append(made, email)
		case http.StatusServiceUnavailable:
		default:
			s.t.Fatalf("a sign-up is answered with %d: %s", a.status, a.text)
		}
		if a.status == until {
			return made
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no sign-up is answered with %d", until)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestAFileThatIsMovedOrDeletedIsAnOutageAndNoSignOut(t *testing.T) {
	for name, how := range moving {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			otherDatabase(t, s.Database())
			ada, eve := s.browser().signUp("ada@example.com"), s.browser().signUp("eve@example.com")
			eve.do("POST", "/v1/sign-out", "").is(http.StatusNoContent)
			path := s.Database()
			if err := how.away(path); err != nil {
				t.Fatal(err)
			}
			if made := s.signsUp("lost", http.StatusServiceUnavailable); len(made) > 0 {
				t.Errorf("acknowledged where nobody will look for it: %q", made)
			}
			for range 20 { // more than there are connections
				ada.do("GET", "/v1/sessions", "").problem(http.StatusServiceUnavailable, "unavailable")
				ada.do("GET", "/check", "").problem(http.StatusServiceUnavailable, "unavailable")
			}
			ada.do("POST", "/v1/sign-out", "").problem(http.StatusServiceUnavailable, "unavailable")
			if status, text := s.ops("/readyz"); status != http.StatusServiceUnavailable {
				t.Errorf("/readyz: %d %s", status, text)
			}
			// Of the file and its log whichever is missed first is named.
			named := strings.NewReplacer(path+"-wal was", path+" was", path+"-shm was", path+" was").Replace(s.logs.String())
			if !strings.Contains(named, path+" was moved, deleted or replaced") || !strings.Contains(named, "put it back") {
				t.Error("the log does not say so")
			}
			if how.back == nil {
				if _, err := os.Lstat(path); err == nil {
					t.Error("an empty database is made in the place of the one that was deleted")
				}
				return
			}
			if err := how.back(path); err != nil {
				t.Fatal(err)
			}
			s.signsUp("again", http.StatusCreated)
			ada.do("GET", "/v1/sessions", "").is(http.StatusOK)
			ada.do("GET", "/check", "").is(http.StatusOK)
			eve.do("GET", "/check", "").is(http.StatusUnauthorized)
		})
	}
}

// TestAFileThatIsPutBackAfterTheServerEndedHasEverythingThatWasAcknowledged: what
// was committed and not yet copied into the file lies beside where it was.
func TestAFileThatIsPutBackAfterTheServerEndedHasEverythingThatWasAcknowledged(t *testing.T) {
	s := newSite(t)
	ada := s.browser().signUp("ada@example.com")
	path := s.Database()
	if err := os.Rename(path, path+".elsewhere"); err != nil {
		t.Fatal(err)
	}
	made := s.signsUp("new", http.StatusServiceUnavailable)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	switch store, err := sqlite.Open(t.Context(), path); {
	case err == nil:
		_ = store.Close()
		t.Fatal("an empty database is made over what is left of the one that was moved")
	case !strings.Contains(err.Error(), "put it back"):
		t.Error(err)
	}
	if err := os.Rename(path+".elsewhere", path); err != nil {
		t.Fatal(err)
	}
	again := newSite(t, func(o *Options) { o.Config.Database = "sqlite:" + path })
	again.with(ada.cookie).do("GET", "/check", "").is(http.StatusOK)
	for _, email := range made {
		again.browser().signIn(email)
	}
}

// TestWhatLiesBesideTheFileMayGoWithoutLoss: SQLite has it open, and writes all
// of it into the file when that is opened anew.
func TestWhatLiesBesideTheFileMayGoWithoutLoss(t *testing.T) {
	s := newSite(t)
	ada := s.browser().signUp("ada@example.com")
	for _, name := range beside(s.Database())[1:] {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	s.signsUp("first", http.StatusServiceUnavailable)
	made := s.signsUp("second", http.StatusCreated)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	again := newSite(t, func(o *Options) { o.Config.Database = "sqlite:" + s.Database() })
	again.with(ada.cookie).do("GET", "/check", "").is(http.StatusOK)
	for _, email := range made {
		again.browser().signIn(email)
	}
}
