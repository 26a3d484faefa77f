package migrate

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	_ "modernc.org/sqlite"
)

func file(statements string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(statements)} }

var (
	first  = fstest.MapFS{"0001_coat.sql": file(`CREATE TABLE coat (hook INTEGER); CREATE TABLE hat (hook INTEGER)`)}
	second = fstest.MapFS{"0001_coat.sql": first["0001_coat.sql"], "0002_row.sql": file(`INSERT INTO coat VALUES (1)`)}
	broken = fstest.MapFS{"0001_coat.sql": first["0001_coat.sql"], "0002_row.sql": file(`INSERT INTO coat VALUES (1); nonsense`)}
)

func database(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, component string, dir fstest.MapFS) error {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), tx, component, dir); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEachMigrationRunsOnce(t *testing.T) {
	db := database(t)
	for _, dir := range []fstest.MapFS{first, first, second, second} {
		if err := run(t, db, "cloaks", dir); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, db, `SELECT count(*) FROM coat`); n != 1 {
		t.Errorf("the second migration ran %d times", n)
	}
}

func TestComponentsHaveVersionsOfTheirOwn(t *testing.T) {
	db := database(t)
	other := fstest.MapFS{"0001_bag.sql": file(`CREATE TABLE bag (hook INTEGER)`)}
	if err := errors.Join(run(t, db, "cloaks", second), run(t, db, "bags", other)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, `SELECT version FROM cloakroom_migrations WHERE component = 'bags'`); n != 1 {
		t.Errorf("version %d", n)
	}
}

func TestAFailedMigrationLeavesNothing(t *testing.T) {
	db := database(t)
	if err := run(t, db, "cloaks", first); err != nil {
		t.Fatal(err)
	}
	err := run(t, db, "cloaks", broken)
	if err == nil || !strings.Contains(err.Error(), "0002_row.sql") {
		t.Errorf("the error does not name the file: %v", err)
	}
	if n := count(t, db, `SELECT (SELECT count(*) FROM coat) + version FROM cloakroom_migrations`); n != 1 {
		t.Error("half of it was kept")
	}
}

func TestAnOlderBinaryRefuses(t *testing.T) {
	db := database(t)
	if err := run(t, db, "cloaks", second); err != nil {
		t.Fatal(err)
	}
	err := run(t, db, "cloaks", first)
	var newer *NewerSchemaError
	if !errors.As(err, &newer) || *newer != (NewerSchemaError{Component: "cloaks", Schema: 2, Binary: 1}) {
		t.Errorf("got error %v", err)
	}
}
