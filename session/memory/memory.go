// Package memory is a session store that lives in the memory of one process:
// the engine for tests and for examples.
//
// It keeps every promise of [session.Store], and is leased like PostgreSQL: any
// number of Managers may share one Store, so that a whole fleet runs inside a
// testing/synctest bubble. It starts no goroutine, does no I/O and holds no lock
// while it waits.
//
// It is not for production. All sessions end with the process, nothing bounds
// the memory it takes, Sweep reads every row, and a fleet in one process is no
// fleet. Use session/sqlite for one process and session/postgres for several.
package memory

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"cloakroom/session"
)

const engine = "memory"

// defaultTail is how many entries the log keeps where Store.Tail is zero.
const defaultTail = 65536

// Store is a session.Store. Make one with New.
type Store struct {
	// Tail is how many entries of the log are kept; zero means 65,536. A test
	// lowers it to have the log cut off behind a slow node. Set it before the
	// store is used.
	Tail int

	key [32]byte

	// joining holds a value while a transaction with joins is under way. It is
	// a channel, not a mutex, so that whoever waits for it still obeys its
	// context, and a synctest bubble sees that it waits.
	joining chan struct{}

	watching sync.Mutex // guards watchers, and is held while they are woken
	watchers map[*session.Signals]struct{}

	mu     sync.Mutex // guards what follows; held for one step, never while waiting
	latest time.Time  // the latest time that anything was judged by
	state  state
}

var _ session.Store = (*Store)(nil)

// New returns an empty store. It starts nothing.
func New() *Store {
	s := &Store{
		joining:  make(chan struct{}, 1),
		watchers: make(map[*session.Signals]struct{}),
		state:    newState(),
	}
	_, _ = rand.Read(s.key[:]) // never fails: crypto/rand ends the program instead
	return s
}

// Attach admits any number of Managers.
func (s *Store) Attach() (session.Terms, error) {
	return session.Terms{TokenKey: s.key, Leased: true}, nil
}

// Watch wakes signals after each commit that logged something. No call is made
// once Watch has returned. Nothing lapses: a commit to memory does not fail.
func (s *Store) Watch(ctx context.Context, signals session.Signals) error {
	s.watching.Lock()
	s.watchers[&signals] = struct{}{}
	s.watching.Unlock()

	<-ctx.Done()

	s.watching.Lock()
	delete(s.watchers, &signals)
	s.watching.Unlock()
	return nil
}

func (s *Store) wake() {
	s.watching.Lock()
	defer s.watching.Unlock()
	for w := range s.watchers {
		w.Wake()
	}
}

// judge returns the time to judge by: now, or the latest time that was judged
// by before if the caller's clock has been set back. The caller holds mu.
func (s *Store) judge(now time.Time) time.Time {
	if now.After(s.latest) {
		s.latest = now
	}
	return s.latest
}
