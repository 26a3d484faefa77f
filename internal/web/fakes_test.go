package web

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/throttle"
	"cloakroom/session"
	"cloakroom/session/memory"
)

// buckets is a throttle.Store in memory.
type buckets struct {
	mu      sync.Mutex // guards emptyAt
	emptyAt map[throttle.Key]int64
}

func (b *buckets) EmptyAt(_ context.Context, asked []throttle.Bucket) ([]int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of(asked), nil
}

func (b *buckets) of(asked []throttle.Bucket) []int64 {
	at := make([]int64, len(asked))
	for i, bucket := range asked {
		at[i] = b.emptyAt[bucket.Key]
	}
	return at
}

func (b *buckets) Take(_ context.Context, now time.Time, asked []throttle.Bucket) (time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.of(asked)
	after, wait := throttle.Admit(now, asked, before)
	for i, bucket := range asked {
		b.emptyAt[bucket.Key] = after[i]
	}
	return wait, nil
}

func (b *buckets) Return(_ context.Context, now time.Time, charged []throttle.Bucket) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, bucket := range charged {
		b.emptyAt[bucket.Key] = bucket.GiveBack(now, b.emptyAt[bucket.Key])
	}
	return nil
}

func (b *buckets) Sweep(context.Context, time.Time, int) (int, error) { return 0, nil }

// busyPool is one whose only slot is taken, and nobody may wait for it.
func busyPool(t *testing.T) *password.Hasher {
	t.Helper()
	h := password.New(password.Config{Slots: 1, Queue: -1})
	turn, err := h.Turn(t.Context(), password.Place{Rank: password.First})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(turn.End)
	return h
}

// devices knows none and remembers none: that is tested where the real ones are.
type devices struct{}

func (devices) Known(context.Context, string, throttle.DeviceHash) (bool, error) { return false, nil }

func (devices) Remember(string, throttle.DeviceHash, time.Time) session.Join { return nothing() }

func (devices) Forget(string) session.Join { return nothing() }

func nothing() session.Join { return memory.Join(func(context.Context) error { return nil }) }

// record is an audit.Store in memory.
type record struct {
	mu      sync.Mutex // guards what follows
	entries []audit.Entry
	fail    error // of every act that is to be recorded
}

func (a *record) Record(entries ...audit.Entry) session.Join {
	return memory.Join(func(ctx context.Context) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.fail != nil {
			return a.fail
		}
		memory.OnCommit(ctx, func() { _ = a.Append(ctx, entries) })
		return nil
	})
}

func (a *record) Append(_ context.Context, entries []audit.Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range entries {
		prepared, err := e.Prepare(time.Now())
		if err != nil {
			return err
		}
		prepared.Seq = int64(len(a.entries) + 1)
		a.entries = append(a.entries, prepared)
	}
	return nil
}

// List returns what is about the filter's subject, the latest written first. A
// cursor is the number of the last entry.
func (a *record) List(_ context.Context, f audit.Filter, after string, limit int) ([]audit.Entry, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := int64(len(a.entries) + 1)
	if after != "" {
		var err error
		if before, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, "", session.ErrInvalid
		}
	}
	var found []audit.Entry
	for _, e := range slices.Backward(a.entries) {
		if e.Seq >= before || f.Subject != "" && e.Subject != f.Subject {
			continue
		}
		if len(found) == limit {
			return found, strconv.FormatInt(found[limit-1].Seq, 10), nil
		}
		found = append(found, e)
	}
	return found, "", nil
}

func (a *record) Sweep(context.Context, time.Time, int) (int, error) { return 0, nil }

// failWith makes every act that is to be recorded fail, or, with nil, work again.
func (a *record) failWith(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = err
}

// last is the latest entry.
func (a *record) last() audit.Entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.entries[len(a.entries)-1]
}

// add writes an entry that no act of the test makes.
func (a *record) add(t *testing.T, e audit.Entry) {
	t.Helper()
	if err := a.Append(t.Context(), []audit.Entry{e}); err != nil {
		t.Fatal(err)
	}
}
