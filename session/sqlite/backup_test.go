package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/session"
)

// sessionsIn counts the sessions in a file.
func sessionsIn(t *testing.T, path string) (n int) {
	t.Helper()
	if err := openAt(t, path).Read().QueryRow("SELECT count(*) FROM cloakroom_sessions").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestABackupIsWhatWasThereAtOneMoment(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, filepath.Join(dir, "c.db"))
	for range 50 {
		sign(t, s, creation("ada"))
	}
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	for range 4 {
		writing.Go(func() { // while it is written
			for ctx.Err() == nil {
				if _, err := s.Create(t.Context(), time.Now(), creation("eve"), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	path := filepath.Join(dir, "copy.db")
	last := int64(0)
	if err := Backup(t.Context(), s, path, func(written, total int64) { last = written }); err != nil {
		t.Fatal(err)
	}
	stop()
	writing.Wait()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != last {
		t.Errorf("%v, told %d bytes, %v", info, last, err)
	}
	if n := sessionsIn(t, path); n < 50 {
		t.Errorf("%d sessions", n)
	}
	if left, _ := filepath.Glob(path + ".part*"); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestABackupThatIsCutShortLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, filepath.Join(dir, "c.db"))
	sign(t, s, creation("ada"))
	path := filepath.Join(dir, "copy.db")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Backup(ctx, s, path, func(int64, int64) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := Backup(t.Context(), s, filepath.Join(dir, "nowhere", "copy.db"), func(int64, int64) {}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(path + "*"); left != nil {
		t.Errorf("left behind: %v", left)
	}
	for _, there := range []string{path, path + ".part"} {
		if err := os.WriteFile(there, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Backup(t.Context(), s, path, func(int64, int64) {}); !errors.Is(err, ErrExists) {
			t.Errorf("over %s: %v", there, err)
		}
		if text, err := os.ReadFile(there); string(text) != "precious" {
			t.Errorf("%s holds %q, %v", there, text, err)
		}
		if err := os.Remove(there); err != nil {
			t.Fatal(err)
		}
	}
	if err := Backup(t.Context(), s, path, func(int64, int64) {}); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

// backedUp is a backup of one session, and a path where nothing is.
func backedUp(t *testing.T) (backup, path string) {
	t.Helper()
	dir := t.TempDir()
	s := openAt(t, filepath.Join(dir, "c.db"))
	sign(t, s, creation("ada"))
	backup = filepath.Join(dir, "copy.db")
	if err := Backup(t.Context(), s, backup, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	return backup, filepath.Join(t.TempDir(), "restored.db")
}

func nothing(string) error { return nil }

func TestARestoredDatabaseIsVoidedBeforeAnybodyOpensIt(t *testing.T) {
	backup, path := backedUp(t)
	void := func(copied string) error {
		if copied == path {
			t.Error("it is in its place already")
		}
		s := openAt(t, copied)
		_, err := s.Apply(t.Context(), time.Now(), session.RevokeEverything(), nil)
		return errors.Join(err, s.Close())
	}
	if err := Restore(t.Context(), backup, path, "", void); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, path)
	var live int
	err := s.Read().QueryRow(`SELECT count(*) FROM cloakroom_sessions, cloakroom_meta
		WHERE cloakroom_sessions.global_epoch = cloakroom_meta.global_epoch`).Scan(&live)
	if err != nil || live != 0 {
		t.Errorf("%d sessions live, %v", live, err)
	}
}

// TestARestoreBeginsANewIncarnation: a restored store counts again, so that the same
// number could be of something else. Whoever stands anywhere in the log of before is
// told to begin anew.
func TestARestoreBeginsANewIncarnation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	s := openAt(t, path)
	sign(t, s, creation("ada"))
	backup := filepath.Join(t.TempDir(), "copy.db")
	if err := Backup(t.Context(), s, backup, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	revoke := func(s *Store) session.Position {
		t.Helper()
		position, err := s.Apply(t.Context(), time.Now(), session.RevokeEverything(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return position
	}
	before := []session.Position{revoke(s)} // not in the backup
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for i, keepAs := range []string{"first.db", "second.db"} {
		if err := Restore(t.Context(), backup, path, keepAs, nothing); err != nil {
			t.Fatal(err)
		}
		s := openAt(t, path)
		now := revoke(s)
		for _, p := range before {
			if p.Incarnation == now.Incarnation || p.Number != now.Number {
				t.Errorf("restore %d: the same number is of %x now and was of %x; the numbers are %d and %d",
					i, now.Incarnation, p.Incarnation, now.Number, p.Number)
			}
			if b, err := s.Tick(t.Context(), p, 10); err != nil || !b.Reset || len(b.Entries) != 0 {
				t.Errorf("restore %d: whoever was at %v goes on with %+v, %v", i, p, b, err)
			}
		}
		if b, err := s.Tick(t.Context(), now, 10); err != nil || b.Reset {
			t.Errorf("restore %d: whoever is there now begins anew: %+v, %v", i, b, err)
		}
		before = append(before, now)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARestoreThatFailsChangesNothing(t *testing.T) {
	backup, path := backedUp(t)
	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	current := openAt(t, path)
	sign(t, current, creation("eve"))
	sign(t, current, creation("eve"))
	fails := func(what, backup, keepAs string, void func(string) error, want string) {
		t.Helper()
		if err := Restore(t.Context(), backup, path, keepAs, void); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
		if left, _ := filepath.Glob(path + ".restoring*"); left != nil {
			t.Errorf("%s: left behind: %v", what, left)
		}
	}
	fails("over one that is open", backup, "kept.db", nothing, "is open already")
	if err := current.Close(); err != nil {
		t.Fatal(err)
	}
	damage := func(name string, change func([]byte) []byte) string {
		t.Helper()
		damaged := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(damaged, change(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		return damaged
	}
	fails("over one that is there", backup, "", nothing, ErrExists.Error())
	fails("what is not there", backup+"x", "kept.db", nothing, "no such file")
	fails("cut short", damage("short", func(b []byte) []byte { return b[:len(b)/2] }), "kept.db", nothing, "damaged")
	fails("empty", damage("empty", func([]byte) []byte { return nil }), "kept.db", nothing, "damaged")
	fails("another program's", foreign(t), "kept.db", nothing, "damaged, or is no database of this kind")
	fails("of another kind", damage("text", func([]byte) []byte { return []byte("not a database, but long enough to be looked at") }), "kept.db", nothing, "damaged")
	fails("bits flipped", damage("flipped", func(b []byte) []byte {
		for i := len(b) / 2; i < len(b)-8; i += 64 {
			b[i] ^= 0xff
		}
		return b
	}), "kept.db", nothing, "damaged")
	fails("what cannot be voided", backup, "kept.db", func(string) error { return errors.New("no") }, "no")
	if n := sessionsIn(t, path); n != 2 {
		t.Errorf("%d sessions are left", n)
	}
}

// foreign is a whole database of another program.
func foreign(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("CREATE TABLE coats (hook INTEGER)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatWasThereIsKept(t *testing.T) {
	backup, path := backedUp(t)
	current := openAt(t, path)
	sign(t, current, creation("eve"))
	sign(t, current, creation("eve"))
	if err := current.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Restore(t.Context(), backup, path, "kept.db", nothing); err != nil {
		t.Fatal(err)
	}
	if now, before := sessionsIn(t, path), sessionsIn(t, filepath.Join(filepath.Dir(path), "kept.db")); now != 1 || before != 2 {
		t.Errorf("%d sessions, and %d before", now, before)
	}
	if err := Restore(t.Context(), backup, path, "kept.db", nothing); err == nil {
		t.Error("what was kept is written over")
	}
}
