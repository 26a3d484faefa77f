package docs

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"cloakroom/session"
	"cloakroom/session/sessiontest"
	"cloakroom/session/sqlite"
)

func TestARestoredDatabaseSignsEverybodyOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.db")
	sessions, end, err := start(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	cookie := sessiontest.Cookie(t, sessions, "ada", session.Grant{})
	if err := end(); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	err = sqlite.Backup(t.Context(), store, backup, func(int64, int64) {})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}

	if err := restore(t.Context(), backup, path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".before"); err != nil {
		t.Error("what was there is not kept:", err)
	}
	sessions, end, err = start(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if got := status(t.Context(), sessions, cookie.Value); got != http.StatusUnauthorized {
		t.Errorf("a session of the backup: %d", got)
	}
	sessiontest.Cookie(t, sessions, "ada", session.Grant{})
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if err := restore(t.Context(), filepath.Join(t.TempDir(), "none.db"), path); err == nil {
		t.Error("no error without a backup")
	}
}
