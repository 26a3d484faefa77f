// Package migrate brings the tables of one component up to the version that
// the running binary was built for. Migrations only go forward: a binary older
// than the schema refuses to start, because it cannot know what it would break.
package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
)

const (
	createTable = `CREATE TABLE IF NOT EXISTS cloakroom_migrations (
		component TEXT PRIMARY KEY,
		version   INTEGER NOT NULL
	)`
	selectVersion = `SELECT version FROM cloakroom_migrations WHERE component = $1`
	insertVersion = `INSERT INTO cloakroom_migrations (component, version) VALUES ($1, $2)`
	updateVersion = `UPDATE cloakroom_migrations SET version = $2 WHERE component = $1`
)

// A NewerSchemaError says that a newer binary has migrated the database.
type NewerSchemaError struct {
	Component string
	Schema    int // the version of the tables
	Binary    int // the version that this binary knows
}

func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("the tables of %q are at version %d and this binary knows version %d at most: "+
		"start the newer binary again, or restore a backup from before the upgrade",
		e.Component, e.Schema, e.Binary)
}

// Run applies, within tx, the migrations that the component's tables lack, and
// notes their version. The caller commits; of several nodes that start at the
// same time, the caller's lock lets one through at a time.
//
// The migrations are the files in the root of dir, in the order of their
// names. The first is version 1. None is ever changed, renamed or removed once
// it was released.
func Run(ctx context.Context, tx *sql.Tx, component string, dir fs.FS) error {
	files, err := fs.Glob(dir, "*.sql")
	if err != nil {
		return fmt.Errorf("migrate %s: %w", component, err)
	}
	if _, err := tx.ExecContext(ctx, createTable); err != nil {
		return fmt.Errorf("migrate %s: make the version table: %w", component, err)
	}
	version := 0
	write := updateVersion
	switch err := tx.QueryRowContext(ctx, selectVersion, component).Scan(&version); {
	case errors.Is(err, sql.ErrNoRows):
		write = insertVersion
	case err != nil:
		return fmt.Errorf("migrate %s: read the version: %w", component, err)
	case version > len(files):
		return &NewerSchemaError{Component: component, Schema: version, Binary: len(files)}
	case version == len(files):
		return nil
	}
	for _, name := range files[version:] {
		statements, err := fs.ReadFile(dir, name)
		if err != nil {
			return fmt.Errorf("migrate %s: %w", component, err)
		}
		if _, err := tx.ExecContext(ctx, string(statements)); err != nil {
			return fmt.Errorf("migrate %s: %s: %w", component, name, err)
		}
	}
	if _, err := tx.ExecContext(ctx, write, component, len(files)); err != nil {
		return fmt.Errorf("migrate %s: write the version: %w", component, err)
	}
	return nil
}
