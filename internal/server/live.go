package server

import (
	"context"
	"sync"
	"time"

	"cloakroom/session/sqlite"
)

// How old a count of the live sessions may be, and how long it may take.
const (
	countEvery = 10 * time.Minute
	countTime  = 5 * time.Second
)

// liveSessions counts the live sessions when somebody asks, and seldom: the store reads
// them all for it.
type liveSessions struct {
	store *sqlite.Store
	now   func() time.Time

	mu sync.Mutex // guards what follows
	at time.Time  // of the count, by the monotonic clock
	n  int64
}

// count returns the latest count, and false if there has been none.
func (l *liveSessions) count() (n int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at.IsZero() || time.Since(l.at) > countEvery {
		ctx, cancel := context.WithTimeout(context.Background(), countTime)
		defer cancel()
		if n, err := l.store.CountLive(ctx, l.now()); err == nil {
			l.at, l.n = time.Now(), n
		}
	}
	return l.n, !l.at.IsZero()
}
