package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"cloakroom/internal/migrate"
	"cloakroom/session/sqlite"
)

// openStore opens the database; its errors name the file and what to do.
func openStore(ctx context.Context, path string) (*sqlite.Store, error) {
	store, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, explainDatabase(path, err)
	}
	return store, nil
}

func explainDatabase(path string, err error) error {
	if newer, ok := errors.AsType[*migrate.NewerSchemaError](err); ok {
		return fmt.Errorf("database: %s was written by a newer version of Cloakroom: %w", path, newer)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("database: the directory of %s does not exist; make it, or choose another file with --database", path)
	case errors.Is(err, fs.ErrPermission), code(err, sqlite3.SQLITE_READONLY), code(err, sqlite3.SQLITE_PERM):
		return fmt.Errorf("database: %s may not be read and written by this user; "+
			"change its owner, or choose another file with --database", path)
	case code(err, sqlite3.SQLITE_CANTOPEN):
		return fmt.Errorf("database: %s cannot be opened: it must be a file, in a directory that this user may write to; "+
			"choose another with --database", path)
	case code(err, sqlite3.SQLITE_NOTADB), code(err, sqlite3.SQLITE_CORRUPT):
		return fmt.Errorf("database: %s is damaged or is no SQLite database; "+
			"restore it from a backup, or choose another file with --database", path)
	}
	return fmt.Errorf("database: %w", err)
}

// code reports whether SQLite gave this primary result code.
func code(err error, want int) bool {
	e, ok := errors.AsType[*modernc.Error](err)
	return ok && e.Code()&0xff == want
}
