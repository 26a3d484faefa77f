package memory

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"cloakroom/session"
)

// TestJoinQueueObeysContexts: who waits behind a Join leaves when their context
// ends, and those without joins do not wait at all.
func TestJoinQueueObeysContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, now := New(), time.Now()
		proceed := make(chan struct{})
		first := make(chan error, 1)
		go func() {
			_, err := s.Apply(t.Context(), now, session.RevokeAll("slow"), []session.Join{
				Join(func(context.Context) error { <-proceed; return nil }),
			})
			first <- err
		}()
		synctest.Wait() // the Join holds the queue

		ctx, cancel := context.WithCancel(t.Context())
		ran, second := false, make(chan error, 1)
		go func() {
			_, err := s.Apply(ctx, now, session.RevokeAll("ann"), []session.Join{
				Join(func(context.Context) error { ran = true; return nil }),
			})
			second <- err
		}()
		synctest.Wait() // the second waits for it
		if _, err := s.Apply(t.Context(), now, session.RevokeAll("bob"), nil); err != nil {
			t.Errorf("a change without joins: %v", err)
		}
		cancel()
		if err := <-second; !errors.Is(err, context.Canceled) || ran {
			t.Errorf("the one that waited: %v, its join ran: %v", err, ran)
		}
		close(proceed)
		if err := <-first; err != nil {
			t.Errorf("the one it waited for: %v", err)
		}
	})
}

// TestJoinCallsItsStore: a Join that calls the store it runs in is told so, and
// does not wait for itself.
func TestJoinCallsItsStore(t *testing.T) {
	s, now := New(), time.Now()
	inner := Join(func(context.Context) error { return nil })
	_, err := s.Apply(t.Context(), now, session.RevokeAll("ann"), []session.Join{
		Join(func(ctx context.Context) error {
			_, err := s.Apply(ctx, now, session.RevokeAll("bob"), []session.Join{inner})
			return err
		}),
	})
	if !errors.Is(err, errNested) {
		t.Fatalf("got %v", err)
	}
	// Another store is another matter.
	other := New()
	_, err = s.Apply(t.Context(), now, session.RevokeAll("ann"), []session.Join{
		Join(func(ctx context.Context) error {
			_, err := other.Apply(ctx, now, session.RevokeAll("bob"), []session.Join{inner})
			return err
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnCommitOutsideAJoin(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("no panic")
		}
	}()
	OnCommit(t.Context(), func() {})
}
