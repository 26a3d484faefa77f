package sqlite

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"cloakroom/session"
)

// keepEntries is how many of the latest log entries are kept; a node further
// behind starts anew.
const keepEntries = 1 << 16

// journal is the log. It lives in memory: its one reader lives in the same
// process and starts with an empty cache, so nothing needs an entry from before
// the file was opened. Entries are appended between the commit and the answer
// to the caller.
type journal struct {
	mu       sync.Mutex       // guards all below
	first    session.Position // the position before entries[0]
	entries  []session.Entry
	failure  error // why nothing is vouched for, or nil
	watchers map[*session.Signals]struct{}
	attached bool
}

// begin starts a new incarnation at a number. Its first position is no entry,
// and has a nonce like one.
func (j *journal) begin(number uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.first = session.Position{Number: number, Nonce: newNonce()}
	_, _ = rand.Read(j.first.Incarnation[:])
	j.entries = nil
	j.failure = nil
}

func newNonce() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:])
}

func (j *journal) position() session.Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head()
}

// head is called with mu held.
func (j *journal) head() session.Position {
	head := j.first
	if n := len(j.entries); n > 0 {
		head.Number, head.Nonce = j.entries[n-1].Number, j.entries[n-1].Nonce
	}
	return head
}

// append adds what was committed, and wakes the nodes.
func (j *journal) append(entries []session.Entry) {
	if len(entries) == 0 {
		return
	}
	j.mu.Lock()
	j.entries = append(j.entries, entries...)
	if len(j.entries) >= 2*keepEntries { // now and then, so that it costs little
		j.trim(keepEntries)
	}
	watchers := j.watching()
	j.mu.Unlock()
	for _, w := range watchers {
		w.Wake()
	}
}

// trim forgets all but the latest entries. It is called with mu held.
func (j *journal) trim(keep int) {
	cut := len(j.entries) - keep
	if cut <= 0 {
		return
	}
	j.first.Number, j.first.Nonce = j.entries[cut-1].Number, j.entries[cut-1].Nonce
	j.entries = slices.Clone(j.entries[cut:])
}

// fail ends all leases before it returns.
func (j *journal) fail(cause error) {
	j.mu.Lock()
	j.failure = cause
	watchers := j.watching()
	j.mu.Unlock()
	for _, w := range watchers {
		w.Lapse()
	}
}

// watching is called with mu held.
func (j *journal) watching() []*session.Signals {
	var watchers []*session.Signals
	for w := range j.watchers {
		watchers = append(watchers, w)
	}
	return watchers
}

// following returns up to limit entries after a position, and whether that
// position is one of this log. It is called with mu held.
func (j *journal) following(after session.Position, limit int) ([]session.Entry, bool) {
	if after.Incarnation != j.first.Incarnation ||
		after.Number < j.first.Number || after.Number > j.head().Number {
		return nil, false
	}
	n := int(after.Number - j.first.Number)
	nonce := j.first.Nonce
	if n > 0 {
		nonce = j.entries[n-1].Nonce
	}
	end := min(n+limit, len(j.entries))
	return j.entries[n:end:end], after.Nonce == nonce
}

// Attach admits one node: a second would hold a lease that the first one's
// store knows nothing of.
func (s *Store) Attach() (session.Terms, error) {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	if s.journal.attached {
		return session.Terms{}, fmt.Errorf("%w: a SQLite store serves one Manager, and this one has it", session.ErrWrongStore)
	}
	s.journal.attached = true
	return session.Terms{TokenKey: s.tokenKey}, nil
}

// Watch passes on signals until ctx ends.
func (s *Store) Watch(ctx context.Context, signals session.Signals) error {
	j := &s.journal
	j.mu.Lock()
	if j.watchers == nil {
		j.watchers = make(map[*session.Signals]struct{})
	}
	j.watchers[&signals] = struct{}{}
	failed := j.failure != nil
	j.mu.Unlock()
	if failed {
		signals.Lapse()
	}
	<-ctx.Done()
	j.mu.Lock()
	delete(j.watchers, &signals)
	j.mu.Unlock()
	return nil
}

// Tick answers from memory. The lease holds until Signals.Lapse; while the
// store is out of use there is none, and Tick returns why.
func (s *Store) Tick(ctx context.Context, after session.Position, limit int) (session.Batch, error) {
	if err := ctx.Err(); err != nil {
		return session.Batch{}, err
	}
	j := &s.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failure != nil {
		return session.Batch{}, j.failure
	}
	entries, ok := j.following(after, limit)
	if !ok {
		return session.Batch{Head: j.head(), Reset: true, Lease: session.LeaseHeld}, nil
	}
	return session.Batch{Head: j.head(), Entries: entries, Lease: session.LeaseHeld}, nil
}
