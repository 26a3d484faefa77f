package web

import (
	"context"
	"sync"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/internal/throttle"
	"cloakroom/session"
	"cloakroom/session/memory"
)

// buckets is a throttle.Store in memory.
type buckets struct {
	mu      sync.Mutex // guards emptyAt
	emptyAt map[throttle.Key]int64
}

func (b *buckets) Take(_ context.Context, now time.Time, asked []throttle.Bucket) (time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := make([]int64, len(asked))
	for i, bucket := range asked {
		before[i] = b.emptyAt[bucket.Key]
	}
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

// devices knows none and remembers none: that is tested where the real ones are.
type devices struct{}

func (devices) Known(context.Context, string, throttle.DeviceHash) (bool, error) { return false, nil }

func (devices) Remember(string, throttle.DeviceHash, time.Time) session.Join { return nothing() }

func (devices) Forget(string) session.Join { return nothing() }

func nothing() session.Join { return memory.Join(func(context.Context) error { return nil }) }

// record is an audit.Store in memory.
type record struct {
	mu      sync.Mutex // guards entries
	entries []audit.Entry
}

func (a *record) Record(entries ...audit.Entry) session.Join {
	return memory.Join(func(ctx context.Context) error {
		memory.OnCommit(ctx, func() { _ = a.Append(ctx, entries) })
		return nil
	})
}

func (a *record) Append(_ context.Context, entries []audit.Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entries = append(a.entries, entries...)
	return nil
}

// List returns all that is about the filter's subject, the newest first.
func (a *record) List(_ context.Context, f audit.Filter, _ string, _ int) ([]audit.Entry, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []audit.Entry
	for _, e := range a.entries {
		if f.Subject == "" || e.Subject == f.Subject {
			found = append([]audit.Entry{e}, found...)
		}
	}
	return found, "", nil
}

func (a *record) Sweep(context.Context, time.Time, int) (int, error) { return 0, nil }
