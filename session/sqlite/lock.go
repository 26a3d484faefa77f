//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrInUse means that another Store holds the file.
var ErrInUse = errors.New("a database has one writer")

// lockFile takes the lock beside the database. It belongs to the open file, not
// to the process: a second Store in the same process is refused like one in
// another, a process that is killed gives it back, and no child inherits it
// (os.OpenFile sets close-on-exec). It is not taken on the database itself,
// because closing any descriptor of that drops the locks that SQLite holds.
func lockFile(path string) (*os.File, error) {
	name := path + ".lock"
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("sqlite: %s is open already, in another process or in this one, "+
				"which holds %s; %w: stop the other, or give this one a file of its own",
				path, name, ErrInUse)
		}
		return nil, fmt.Errorf("sqlite: lock %s: %w", name, err)
	}
	return f, nil
}
