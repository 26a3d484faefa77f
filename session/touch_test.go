package session_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

// heldTouches holds every write of last uses until released: before the store
// has it, or, if done, when the store has carried it out.
func heldTouches(n *node, done bool) (arrived chan struct{}, release func()) {
	arrived = make(chan struct{})
	gate := make(chan struct{})
	arrive := sync.OnceFunc(func() { close(arrived) })
	n.link.onTouch(func(next func() error) error {
		if !done {
			arrive()
			<-gate
			return next()
		}
		err := next()
		arrive()
		<-gate
		return err
	})
	release = sync.OnceFunc(func() { close(gate) })
	n.t.Cleanup(release)
	return arrived, release
}

// heldSecondLoad holds the reply of the load after the next one.
func heldSecondLoad(n *node) (arrived chan struct{}, release func()) {
	arrived = make(chan struct{})
	gate := make(chan struct{})
	n.link.onLoad(func(next func() (session.Loaded, error)) (session.Loaded, error) {
		n.link.onLoad(func(next func() (session.Loaded, error)) (session.Loaded, error) {
			n.link.onLoad(nil)
			l, err := next()
			close(arrived)
			<-gate
			return l, err
		})
		return next()
	})
	release = sync.OnceFunc(func() { close(gate) })
	n.t.Cleanup(release)
	return arrived, release
}

// refusedEverywhere demands that no node accepts, a new one and one that asks
// afresh included: they see what the store holds, behind the others' markers.
func refusedEverywhere(t *testing.T, store *memory.Store, token string, nodes ...*node) {
	t.Helper()
	for _, n := range append(nodes, join(t, store)) {
		n.rejects("I10", token)
		if _, err := n.Check(t.Context(), token, session.Fresh); !errors.Is(err, session.ErrNoSession) {
			t.Fatalf("I10: a fresh check after the end: %v", err)
		}
	}
}

// The write of a last use is under way while its session ends.
func TestATouchAnsweredAfterARevocationBringsNothingBack(t *testing.T) {
	for name, change := range changes {
		for place, done := range map[string]bool{"on its way": false, "on its way back": true} {
			t.Run(name+" "+place, func(t *testing.T) {
				bubble(t, func(t *testing.T, store *memory.Store) {
					a, b := join(t, store), join(t, store)
					token, s := a.signIn("ada")
					b.accepts("I8", token)
					time.Sleep(5 * time.Minute)
					b.accepts("I8", token)
					arrived, release := heldTouches(b, done)
					<-arrived
					a.apply(change(a, s))
					time.Sleep(delta)
					release()
					time.Sleep(5 * time.Minute)
					refusedEverywhere(t, store, token, a, b)
				})
			})
		}
	}
}

// A load finds the session idle, so the last use is written and the load sent
// again; somewhere on this way the session ends.
func TestARevocationWhileALastUseIsWrittenForALoad(t *testing.T) {
	for name, change := range changes {
		for _, place := range []string{"touch on its way", "touch on its way back", "second load on its way back"} {
			t.Run(name+" "+place, func(t *testing.T) {
				bubble(t, func(t *testing.T, store *memory.Store) {
					short := limits(5*time.Minute, 24*time.Hour)
					a, b := join(t, store, short), join(t, store, short)
					token, s := a.signIn("ada")
					b.accepts("I8", token)
					time.Sleep(4 * time.Minute)
					b.accepts("I8", token)
					b.link.onTouch(func(func() error) error { return errCut }) // nothing is written for now
					time.Sleep(2*time.Minute + delta/7)                        // not at the moment of a flush
					a.ends("I8", token)

					arrived, release := heldTouches(b, place == "touch on its way back")
					if place == "second load on its way back" {
						b.link.onTouch(nil)
						arrived, release = heldSecondLoad(b)
					}
					slow := b.startCheck(token, session.Cached)
					select {
					case <-arrived:
					case <-slow.done:
						t.Fatalf("I8: no use was written and no load sent again: %v", slow.err)
					}
					b.apply(change(a, s))
					release()
					err := slow.answer()
					if place != "second load on its way back" && !errors.Is(err, session.ErrNoSession) {
						t.Fatalf("I10: a load that was sent after the end: %v", err)
					}
					refusedEverywhere(t, store, token, a, b)
					time.Sleep(5 * time.Minute)
					refusedEverywhere(t, store, token, a, b)
				})
			})
		}
	}
}
