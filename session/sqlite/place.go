package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// lookEvery is how often an idle writer looks whether its file is still there.
const lookEvery = time.Second

// errMoved says that a database is not where it was opened.
var errMoved = errors.New("was moved, deleted or replaced while it was in use; put it back, with the files that lay beside it")

// place is where a database was opened. SQLite goes on when its file is moved or
// deleted: it has it open, and nobody would find again what it acknowledges.
type place struct {
	path      string
	main, wal fs.FileInfo // that the path, and path + "-wal", led to
}

// placeOf is for a database that is open and was written to.
func placeOf(path string) (p place, err error) {
	p.path = path
	if p.main, err = os.Stat(path); err != nil {
		return place{}, err
	}
	p.wal, err = os.Stat(path + "-wal")
	return p, err
}

// kept returns nil while the database is where it was opened.
func (p place) kept() error {
	if err := same(p.path, p.main); err != nil {
		return err
	}
	return same(p.path+"-wal", p.wal)
}

func same(name string, was fs.FileInfo) error {
	is, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !os.SameFile(was, is):
		return fmt.Errorf("%s %w", name, errMoved)
	case err != nil:
		return fmt.Errorf("%s %w: %w", name, errMoved, err)
	}
	return nil
}

// leadsBack reports whether the path leads to the file that was opened. Another
// one is not taken in its place, nor is one made: sessions would come back that
// have ended, or all would be gone. That is for a start, or for Restore.
func (p place) leadsBack() bool {
	is, err := os.Stat(p.path)
	return err == nil && os.SameFile(p.main, is)
}

// abandoned returns an error if there is no database at path, and beside it what
// had not been copied into one yet: SQLite would throw that away.
func abandoned(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return fmt.Errorf("there is no database, but %s-wal, which belongs to one; the database was moved or deleted; put it back, or move %s-wal away", path, path)
	}
	return nil
}

// guarded opens connections to one database only, whatever the path has come to
// lead to meanwhile.
type guarded struct {
	driver.Connector
	place place
}

func (g guarded) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := g.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := g.place.kept(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}
