package audit_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"cloakroom/internal/audit"
	accounts "cloakroom/internal/db/sqlite"
	"cloakroom/session/sqlite"
)

// fixture is a record in a file, which can be made to fail.
type fixture struct {
	*testing.T
	audit.Store
	fail  atomic.Bool  // every Append does
	calls atomic.Int64 // of Append and Sweep
}

var errDisk = errors.New("disk on fire")

func newFixture(t *testing.T) *fixture {
	t.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	people, err := accounts.NewAccounts(context.Background(), store)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{T: t, Store: accounts.NewAudit(people, nil)}
}

func (f *fixture) Append(ctx context.Context, entries []audit.Entry) error {
	f.calls.Add(1)
	if f.fail.Load() {
		return errDisk
	}
	return f.Store.Append(ctx, entries)
}

func (f *fixture) all(filter audit.Filter) (all []audit.Entry) {
	f.Helper()
	for after := ""; ; {
		page, next, err := f.List(context.Background(), filter, after, audit.MaxPage)
		if err != nil {
			f.Fatal(err)
		}
		if all = append(all, page...); next == "" {
			return all
		}
		after = next
	}
}

func attempts(entries []audit.Entry) (n int) {
	for _, e := range entries {
		n += e.Count
	}
	return n
}

// start runs a loop, and returns what ends it and waits for it.
func start(run func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	return func() error { cancel(); return <-done }
}
