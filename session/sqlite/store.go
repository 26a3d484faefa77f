// Package sqlite keeps sessions in one SQLite file, for one process.
//
// The file is in WAL mode with synchronous=FULL. One goroutine, the writer,
// makes every change; what many callers ask for at the same time is committed
// together, and nobody is told before that is durable. Readers have a pool of
// their own and wait for nobody.
//
// An application may keep its tables in the same file. It reads them through
// Store.Read and changes them through Store.Write or, in the transaction of a
// sign-in or revocation, through a Join. The store's own tables have the prefix
// cloakroom_ and are not to be written by anybody else.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	modernc "modernc.org/sqlite"

	"cloakroom/session"
)

// errClosed is what a store answers after Close.
var errClosed = errors.New("sqlite: the store is closed")

var _ session.Store = (*Store)(nil)

// Store is a session.Store in a file. Open makes one.
type Store struct {
	path     string
	connect  connectFunc
	lock     *os.File
	tokenKey [32]byte

	clock   clock
	journal journal
	file    atomic.Pointer[file] // the one in use, or the one that failed last
	sweeper sweeper

	queue    chan *work
	closing  chan struct{} // closed by Close
	ended    chan struct{} // closed when the writer has ended
	closeErr error         // the writer's, set before ended is closed
	close    func() error  // does the work of Close once
}

// Open opens the database at path, and makes it if there is none, readable and
// writable by its owner only. It brings the tables up to date, or refuses tables
// of a newer version. It takes a lock beside the file (path + ".lock"), and
// fails if another Store holds it: no two processes may share a file.
//
// Open starts the writer, which ends before Close returns.
func Open(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, modernc.NewConnector)
}

func open(ctx context.Context, path string, connect connectFunc) (*Store, error) {
	if path == "" || path == ":memory:" {
		return nil, errors.New("sqlite: a store needs a file; package memory has one without")
	}
	path, err := resolve(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	lock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	f, m, err := openFile(ctx, path, connect)
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	s := &Store{
		path:     path,
		connect:  connect,
		lock:     lock,
		tokenKey: m.tokenKey,
		queue:    make(chan *work, 4*maxBatch),
		closing:  make(chan struct{}),
		ended:    make(chan struct{}),
	}
	s.close = sync.OnceValue(s.shutDown)
	s.clock.judge(time.Unix(m.latest, 0))
	s.journal.begin(m.number)
	s.file.Store(f)
	w := &writer{store: s, file: f, global: m.global}
	go w.run()
	return s, nil
}

// resolve makes the path absolute and follows links, so that the lock stands
// beside the file itself whatever name it was opened by.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target, nil
	}
	return path, nil // not there yet; what else is wrong, opening it will tell
}

// Close ends the writer after the transaction under way, closes the file and
// gives the lock back. Work that is still queued is not done, and its callers
// are told. Leases end. Only the first call does anything.
func (s *Store) Close() error { return s.close() }

func (s *Store) shutDown() error {
	close(s.closing)
	<-s.ended
	return errors.Join(s.closeErr, s.lock.Close())
}

// lapse takes the store out of use: from here on it vouches for nothing.
func (s *Store) lapse(cause error) {
	s.file.Load().fail(cause)
	s.journal.fail(cause)
}

// Read returns the pool of read-only connections, for queries on the caller's
// own tables. Ask for it each time: after a failure the store opens another.
func (s *Store) Read() *sql.DB { return s.file.Load().pool }

// Write runs f alone in a transaction and commits it. f runs in the caller's
// goroutine, while all other writes wait: it should do nothing but its
// statements, it must not call the store, and it has ten seconds. If it fails,
// panics or ends its goroutine, ends its transaction by itself, or does not
// return before ctx has ended, nothing of it is committed; once it has been cut
// off its statements fail. Its own error is returned as it is.
func (s *Store) Write(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	return s.alone(ctx, f, nil)
}

// reads returns the readers' statements, or why there are none to be had.
func (s *Store) reads() (*prepared, error) {
	f := s.file.Load()
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.reads, nil
}
