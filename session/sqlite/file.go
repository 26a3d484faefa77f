package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"runtime"
	"sync/atomic"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"cloakroom/internal/migrate"
)

//go:embed migrations/*.sql
var migrations embed.FS

// connectFunc is modernc.NewConnector; tests put faults in its place.
type connectFunc func(dsn string) (driver.Connector, error)

// file is the database while it is open: the writer's connection and a pool of
// readers. It is used until it fails, and then another is opened.
type file struct {
	conn   *conn     // the writer's
	db     *sql.DB   // holds conn and nothing else
	held   *sql.Conn // conn, as database/sql sees it
	writes *prepared // on conn
	pool   *sql.DB   // readers
	reads  *prepared // on pool

	place place // where it was opened

	failure atomic.Pointer[error] // why it is used no more
}

// meta is the row of cloakroom_meta.
type meta struct {
	number, global uint64
	latest         int64
	tokenKey       [32]byte
}

// openFile opens the database, makes or migrates the tables, and commits once:
// an open file has shown that it can be written.
func openFile(ctx context.Context, path string, connect connectFunc) (_ *file, m meta, err error) {
	if err := abandoned(path); err != nil {
		return nil, meta{}, err
	}
	// Made here, for SQLite would make it readable by others. The files beside
	// it (-wal, -shm) take over its mode.
	switch made, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); {
	case err == nil:
		err = made.Close()
		if err != nil {
			return nil, meta{}, err
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, meta{}, err
	}
	f := new(file)
	defer func() {
		if err != nil {
			_ = f.close()
		}
	}()
	if err := f.openWriter(ctx, path, connect); err != nil {
		return nil, meta{}, err
	}
	if m, err = f.prepareTables(ctx); err != nil {
		return nil, meta{}, err
	}
	readers, err := connect(dsn(path, "mode", "ro", "_query_only", "1", "_busy_timeout", "5000"))
	if err != nil {
		return nil, meta{}, err
	}
	if f.place, err = placeOf(path); err != nil {
		return nil, meta{}, err
	}
	f.pool = sql.OpenDB(guarded{readers, f.place})
	size := max(4, runtime.GOMAXPROCS(0))
	f.pool.SetMaxOpenConns(size)
	f.pool.SetMaxIdleConns(size)
	f.reads = newPrepared(f.pool.PrepareContext)
	return f, m, f.pool.PingContext(ctx)
}

func (f *file) openWriter(ctx context.Context, path string, connect connectFunc) error {
	// 32 MiB for the pages in use; a checkpoint every 16 MiB, for each costs two
	// syncs and pages changed again meanwhile are written once.
	connector, err := connect(dsn(path, "mode", "rw",
		"_busy_timeout", "5000", "_journal_mode", "WAL", "_synchronous", "FULL", "_foreign_keys", "1",
		"_pragma", "cache_size(-32768)", "_pragma", "wal_autocheckpoint(4000)"))
	if err != nil {
		return err
	}
	c, err := connector.Connect(ctx)
	if err != nil {
		return err
	}
	raw, ok := c.(rawConn)
	if !ok {
		_ = c.Close()
		return fmt.Errorf("connection of type %T", c)
	}
	f.conn = &conn{rawConn: raw}
	f.conn.guard()
	slot := make(chan driver.Conn, 1)
	slot <- f.conn
	f.db = sql.OpenDB(single{conn: slot, under: connector.Driver()})
	f.db.SetMaxOpenConns(1)
	f.held, err = f.db.Conn(ctx)
	if err != nil {
		return err
	}
	f.writes = newPrepared(f.held.PrepareContext)
	return nil
}

// prepareTables migrates, reads what the store has to know, and leaves a mark.
func (f *file) prepareTables(ctx context.Context) (m meta, err error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return meta{}, err
	}
	if err := f.begin(); err != nil {
		return meta{}, err
	}
	tx, l, err := f.lend(ctx)
	if err == nil {
		err = migrate.Run(ctx, tx, "session", dir)
		f.reclaim(tx, l)
	}
	if err == nil {
		err = f.writes.row(ctx, `UPDATE cloakroom_meta SET latest = latest
			RETURNING number, global_epoch, latest, token_key`).
			Scan(&m.number, &m.global, &m.latest, fixed(m.tokenKey[:]))
	}
	if err != nil {
		return meta{}, errors.Join(err, f.rollback())
	}
	return m, f.commit()
}

func dsn(path string, query ...string) string {
	values := make(url.Values)
	for i := 0; i < len(query); i += 2 {
		values.Add(query[i], query[i+1])
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: values.Encode()}).String()
}

// The writer's statements are run without the callers' contexts: a context that
// ended would interrupt the statement, and SQLite would roll back the whole
// transaction, other callers' work with it.

func (f *file) begin() error {
	f.conn.lost = false
	_, err := f.writes.exec(context.Background(), "BEGIN IMMEDIATE")
	return err
}

func (f *file) commit() error {
	f.conn.committing = true
	defer func() { f.conn.committing = false }()
	_, err := f.writes.exec(context.Background(), "COMMIT")
	return err
}

// rollback also succeeds when SQLite has rolled back by itself.
func (f *file) rollback() error {
	gone := f.conn.lost
	if _, err := f.writes.exec(context.Background(), "ROLLBACK"); err != nil && !gone {
		return err
	}
	return nil
}

// lend lets a function work in the transaction that the writer has begun, until
// ctx ends or the loan is reclaimed.
func (f *file) lend(ctx context.Context) (*sql.Tx, *loan, error) {
	tx, err := f.held.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	// Not the loan under way: ctx may have ended, and with it the loan.
	return tx, f.conn.latest, nil
}

// reclaim ends the loan, unless that was done, and waits until nothing of it
// uses the connection any more: statements under way are interrupted, rows are
// closed, and whatever the function tries from now on is sql.ErrTxDone.
func (f *file) reclaim(tx *sql.Tx, l *loan) {
	_ = tx.Rollback() // errLent or sql.ErrTxDone
	<-l.over
}

// fail marks the file as one that is used no more.
func (f *file) fail(cause error) { f.failure.CompareAndSwap(nil, &cause) }

// err returns why the file is used no more, or nil.
func (f *file) err() error {
	if cause := f.failure.Load(); cause != nil {
		return *cause
	}
	return nil
}

// close closes the file. A transaction that is open is rolled back.
func (f *file) close() error {
	var errs []error
	if f.pool != nil {
		errs = append(errs, f.reads.close(), f.pool.Close())
	}
	if f.held != nil {
		// The statements first: the driver keeps the connection, with its
		// locks, for as long as there is one of them.
		errs = append(errs, f.writes.close(), f.held.Close())
	}
	if f.db != nil {
		errs = append(errs, f.db.Close())
	}
	return errors.Join(errs...)
}

// damaged reports whether an error of the writer's own statements casts doubt
// on the file or the connection, not only on the statement.
func damaged(err error) bool {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return true
	}
	var e *modernc.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL,
		sqlite3.SQLITE_INTERNAL, sqlite3.SQLITE_MISUSE:
		return true
	}
	return false
}
