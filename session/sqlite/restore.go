package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	modernc "modernc.org/sqlite"
)

// Restore makes a database at path of a backup. void is called with the path of
// a copy that was found whole, to revoke everything in it: a session that was
// revoked after the backup must not come back. Restore fails, and changes
// nothing, if the backup is damaged, is no database or was written by a newer
// version, if void fails, if a Store holds the database at path, or if there is
// one and keepAs is "". Otherwise the one that was there is kept as keepAs, in
// the same folder.
func Restore(ctx context.Context, backup, path, keepAs string, void func(copied string) error) error {
	path, err := resolve(path)
	if err != nil {
		return fmt.Errorf("sqlite: restore: %w", err)
	}
	lock, err := lockFile(path)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	_, err = os.Lstat(path)
	there := err == nil
	if there && keepAs == "" {
		return fmt.Errorf("sqlite: restore to %s: %w", path, ErrExists)
	}
	copied := path + ".restoring"
	defer removeDatabase(copied)
	if err := copyFile(copied, backup); err != nil {
		return fmt.Errorf("sqlite: restore: %w", err)
	}
	if err := inspect(ctx, copied); err != nil {
		return fmt.Errorf("sqlite: restore from %s: %w", backup, err)
	}
	if err := void(copied); err != nil {
		return fmt.Errorf("sqlite: restore: %w", err)
	}
	if _, err := os.Lstat(copied + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return errors.New("sqlite: restore: the copy was not closed")
	}
	if there {
		if err := setAside(path, filepath.Join(filepath.Dir(path), filepath.Base(keepAs))); err != nil {
			return fmt.Errorf("sqlite: restore: %w", err)
		}
	}
	if err := os.Rename(copied, path); err != nil {
		return fmt.Errorf("sqlite: restore: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

var errDamaged = errors.New("the backup is damaged, or is no database of this kind")

// inspect opens a copy, which brings its tables up to date or refuses them, and
// reads all of it.
func inspect(ctx context.Context, path string) (err error) {
	if err := hasTables(ctx, path); err != nil {
		return err
	}
	s, err := Open(ctx, path)
	if err != nil {
		return calledDamaged(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var verdict string
	if err := s.Read().QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return calledDamaged(err)
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, verdict)
	}
	return nil
}

// hasTables tells a backup from an empty file, which Open would make a database
// of, and from another program's, to which it would add tables.
func hasTables(ctx context.Context, path string) (err error) {
	connector, err := modernc.NewConnector(dsn(path, "mode", "ro"))
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	var there int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'cloakroom_meta'").Scan(&there); err != nil {
		return calledDamaged(err)
	}
	if there == 0 {
		return errDamaged
	}
	return nil
}

// calledDamaged calls by its name what SQLite finds when it reads.
func calledDamaged(err error) error {
	if damaged(err) {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return err
}

// setAside moves a database, with what SQLite keeps beside it, to where there is
// nothing.
func setAside(path, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s: %w", to, ErrExists)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, to+suffix); err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	return nil
}

func removeDatabase(path string) {
	for _, suffix := range []string{"", "-wal", "-shm", ".lock", ".sock"} {
		_ = os.Remove(path + suffix)
	}
}

// copyFile makes a file that only its owner reads.
func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	removeDatabase(to) // what an attempt that was cut short has left
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
