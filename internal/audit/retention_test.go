package audit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/session"
)

func (f *fixture) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	f.calls.Add(1)
	if limit > 500 {
		f.Errorf("a batch of %d", limit)
	}
	return f.Store.Sweep(ctx, before, limit)
}

func TestEntriesGoWhenTheirTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		now := time.Now()
		entries := make([]audit.Entry, 1203)
		for i := range entries {
			entries[i] = audit.Entry{Event: audit.SessionIssued, At: now.Add(-401 * 24 * time.Hour)}
		}
		entries[1200].At = now.Add(-400*24*time.Hour + 30*time.Minute) // in half an hour
		entries[1201].At = now.Add(-399 * 24 * time.Hour)
		entries[1202].At = now
		if err := f.Append(t.Context(), entries); err != nil {
			t.Fatal(err)
		}
		r, err := audit.NewRetention(audit.RetentionConfig{Store: f})
		if err != nil {
			t.Fatal(err)
		}
		f.calls.Store(0)
		stop := start(r.Run)
		synctest.Wait()
		time.Sleep(time.Minute)
		if n, calls := len(f.all(audit.Filter{})), f.calls.Load(); n != 3 || calls != 3 {
			t.Errorf("%d entries are left after %d batches", n, calls)
		}
		time.Sleep(time.Hour)
		if n := len(f.all(audit.Filter{})); n != 2 {
			t.Errorf("%d entries are left an hour later", n)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestEntriesAreKeptForADay(t *testing.T) {
	for _, keep := range []time.Duration{-1, 1, 24*time.Hour - 1} {
		if _, err := audit.NewRetention(audit.RetentionConfig{Keep: keep}); !errors.Is(err, session.ErrInvalid) {
			t.Errorf("%v: %v", keep, err)
		}
	}
	if _, err := audit.NewRetention(audit.RetentionConfig{Keep: 24 * time.Hour}); err != nil {
		t.Error(err)
	}
}
