package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestNoConnectionIsMadeToAnotherDatabase: another file has come to the path, and
// nobody has looked since. Half of the checks would be answered from it.
func TestNoConnectionIsMadeToAnotherDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	held, err := s.Read().Conn(context.Background()) // the one that there is
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Rename(name, name+".elsewhere"); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Read().Conn(context.Background()); !errors.Is(err, errMoved) {
		t.Errorf("a connection to another file: %v", err)
		_ = c.Close()
	}
}
