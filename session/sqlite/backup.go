package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrExists means that there is something already where a file should be made.
var ErrExists = errors.New("there is something already")

// Backup writes a copy of the database to path, as it is at one moment, while it
// is in use. Nothing may be at the path before, and there is nothing unless the
// whole copy is: it grows beside it, as path + ".part". progress is called now
// and then with the bytes that are written and about how many there will be.
func Backup(ctx context.Context, s *Store, path string, progress func(written, total int64)) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("sqlite: back up to %s: %w", path, ErrExists)
	}
	part := path + ".part"
	made, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // or SQLite makes it readable by others
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("sqlite: back up to %s: another backup is being written there, or was cut short; remove %s: %w", path, part, ErrExists)
	}
	if err != nil {
		return fmt.Errorf("sqlite: back up: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	defer func() { _ = made.Close() }()
	total, err := s.pages(ctx)
	if err != nil {
		return fmt.Errorf("sqlite: back up: %w", err)
	}
	watched, stop := context.WithCancel(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		reportGrowth(watched, made, total, progress)
	}()
	err = s.copyTo(ctx, part)
	stop()
	<-watching
	if err != nil {
		return fmt.Errorf("sqlite: back up: %w", err)
	}
	if err := made.Sync(); err != nil {
		return fmt.Errorf("sqlite: back up: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("sqlite: back up: %w", err)
	}
	if info, err := made.Stat(); err == nil {
		progress(info.Size(), info.Size())
	}
	return syncFolder(filepath.Dir(path))
}

// copyTo reads the database in one transaction of a connection of its own: those
// of the pool write nothing at all.
func (s *Store) copyTo(ctx context.Context, path string) (err error) {
	connector, err := s.connect(dsn(s.path, "mode", "ro", "_busy_timeout", "5000"))
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", path)
	return err
}

// pages is how large the database is, in bytes.
func (s *Store) pages(ctx context.Context) (bytes int64, err error) {
	err = s.Read().QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&bytes)
	return bytes, err
}

// reportGrowth reports how a file grows until ctx ends.
func reportGrowth(ctx context.Context, f *os.File, total int64, progress func(written, total int64)) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if info, err := f.Stat(); err == nil {
				progress(info.Size(), max(total, info.Size()))
			}
		}
	}
}

func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return nil
}
