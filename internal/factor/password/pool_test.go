package password

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// occupied is a pool whose one slot is taken.
func occupied(t *testing.T, queue int, wait time.Duration) *pool {
	t.Helper()
	p := newPool(1, queue, wait)
	if _, err := p.enter(t.Context(), Place{}); err != nil {
		t.Fatal(err)
	}
	return p
}

// line is those who wait for a pool, in a bubble.
type line struct {
	*pool
	mu     sync.Mutex // guards served
	served []string
	all    sync.WaitGroup
}

// join waits until name, who is alone, waits or has been sent away.
func (l *line) join(name string, rank Rank) { l.joinAs(name, name, rank) }

// joinAs is join for one of several of the same network or account.
func (l *line) joinAs(name, of string, rank Rank) {
	l.all.Go(func() {
		y, err := l.enter(context.Background(), Place{rank, of})
		l.mu.Lock()
		defer l.mu.Unlock()
		if err != nil {
			l.served = append(l.served, name+": "+err.Error())
			return
		}
		l.served = append(l.served, name)
		l.leave(y, false)
	})
	synctest.Wait()
}

// sees says who was served or sent away so far.
func (l *line) sees(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.served, want) {
		t.Errorf("served: %q\nwant:   %q", l.served, want)
	}
}

func TestTheHighestRankGoesFirstAndInItWhoCameFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{pool: occupied(t, 10, time.Hour)}
		l.join("a stranger", Last)
		l.join("a new one", Middle)
		l.join("the owner", First)
		l.join("another stranger", Last)
		l.join("another owner", First)
		l.sees(t)
		l.leave(&party{}, false)
		l.all.Wait()
		l.sees(t, "the owner", "another owner", "a new one", "a stranger", "another stranger")
	})
}

// TestAFloodGivesItsPlacesUp: the queue is full of it, and those it does not
// have the rank of wait and are served as if it were not there.
func TestAFloodGivesItsPlacesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{pool: occupied(t, 3, time.Hour)}
		for _, name := range []string{"a", "b", "c"} {
			l.join(name, Last)
		}
		busy := ": " + ErrBusy.Error()
		l.join("d", Last)
		l.sees(t, "d"+busy)
		l.join("the new one", Middle)
		l.sees(t, "d"+busy, "c"+busy) // who came last
		l.join("the owner", First)
		l.join("another", First)
		l.join("one more", First)
		l.sees(t, "d"+busy, "c"+busy, "b"+busy, "a"+busy, "the new one"+busy)
		l.join("too many", First)
		l.sees(t, "d"+busy, "c"+busy, "b"+busy, "a"+busy, "the new one"+busy, "too many"+busy)
		l.leave(&party{}, false)
		l.all.Wait()
		l.sees(t, "d"+busy, "c"+busy, "b"+busy, "a"+busy, "the new one"+busy, "too many"+busy,
			"the owner", "another", "one more")
	})
}

func TestWhoeverWaitsTooLongIsToldBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := occupied(t, 1, 3*time.Second)
		began := time.Now()
		if _, err := p.enter(t.Context(), Place{Rank: First}); !errors.Is(err, ErrBusy) || time.Since(began) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		p.leave(&party{}, false)
		if _, err := p.enter(t.Context(), Place{}); err != nil { // nobody waits any more
			t.Errorf("a free slot: %v", err)
		}
	})
}

func TestAContextEndsTheWaitAndGivesThePlaceBack(t *testing.T) {
	p := occupied(t, 1, time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 { // more than there are places
		if _, err := p.enter(ctx, Place{Rank: Middle}); !errors.Is(err, context.Canceled) {
			t.Errorf("enter: %v", err)
		}
	}
	p.leave(&party{}, false)
	if n := len(p.waiting); n != 0 || p.free != 1 {
		t.Errorf("%d wait, %d slots are free", n, p.free)
	}
}

// TestNoSlotIsLost by those who give up at the moment at which they are served,
// nor is one given twice.
func TestNoSlotIsLost(t *testing.T) {
	const slots = 2
	p := newPool(slots, 8, time.Hour)
	var under, most int
	var mu sync.Mutex
	count := func(by int) {
		mu.Lock()
		defer mu.Unlock()
		under += by
		most = max(most, under)
	}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := range 500 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n%7)*20*time.Microsecond)
				if y, err := p.enter(ctx, Place{Rank: Rank(i % 3)}); err == nil {
					count(+1)
					if n%3 == 0 {
						time.Sleep(10 * time.Microsecond)
					}
					count(-1)
					p.leave(y, false)
				}
				cancel()
			}
		})
	}
	all.Wait()
	if most > slots || p.free != slots || len(p.waiting) != 0 {
		t.Errorf("%d were served at a time, %d slots are free and %d wait at the end", most, p.free, len(p.waiting))
	}
}

func TestATurnThatCannotBeHadIsBusy(t *testing.T) {
	h := New(Config{Params: cheap, Slots: 1, Queue: -1})
	mine, err := h.Turn(t.Context(), Place{Rank: Last})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Hash(t.Context(), Place{Rank: First}, "x"); !errors.Is(err, ErrBusy) {
		t.Errorf("Hash: %v", err)
	}
	mine.End()
	if _, err := h.Hash(t.Context(), Place{Rank: Last}, "x"); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// TestNobodyHoldsTheWholeQueue: whoever has a device that is known and sends
// their own password on many connections keeps no other owner out.
func TestNobodyHoldsTheWholeQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{pool: occupied(t, 3, time.Hour)}
		for _, name := range []string{"eve 1", "eve 2", "eve 3"} {
			l.joinAs(name, "eve", First)
		}
		l.joinAs("eve 4", "eve", First)
		l.joinAs("ada", "ada", First)
		l.joinAs("bob", "bob", First)
		l.joinAs("eve 5", "eve", First)
		busy := ": " + ErrBusy.Error()
		l.sees(t, "eve 4"+busy, "eve 3"+busy, "eve 2"+busy, "eve 5"+busy)
		l.leave(&party{}, false)
		l.all.Wait()
		l.sees(t, "eve 4"+busy, "eve 3"+busy, "eve 2"+busy, "eve 5"+busy, "eve 1", "ada", "bob")
	})
}

// takes has somebody take turns, one after the other.
func takes(t *testing.T, p *pool, n int, of string) {
	t.Helper()
	for range n {
		y, err := p.enter(t.Context(), Place{First, of})
		if err != nil {
			t.Fatal(err)
		}
		p.leave(y, false)
	}
}

// TestABurstWaitsForThoseWhoAskForLess is the attack: forty connections with one
// right password, all of them before the owner of another account comes.
func TestABurstWaitsForThoseWhoAskForLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{pool: occupied(t, 10, time.Hour)}
		for _, name := range []string{"eve 1", "eve 2", "eve 3"} {
			l.joinAs(name, "eve", First)
		}
		l.join("ada", First)
		l.joinAs("bob 1", "bob", First)
		l.joinAs("bob 2", "bob", First)
		l.leave(&party{}, false)
		l.all.Wait()
		l.sees(t, "ada", "bob 1", "bob 2", "eve 1", "eve 2", "eve 3")
	})
}

// TestWhoTookTurnsLatelyMakesRoom is the attack with many accounts, each of
// which waits in one place.
func TestWhoTookTurnsLatelyMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1, 3, time.Hour)
		flood := []string{"eve", "mallory", "trudy"}
		for _, name := range flood {
			takes(t, p, 1, name)
		}
		if _, err := p.enter(t.Context(), Place{}); err != nil {
			t.Fatal(err)
		}
		l := &line{pool: p}
		for _, name := range flood {
			l.join(name, First)
		}
		l.join("ada", First)
		l.leave(&party{}, false)
		l.all.Wait()
		l.sees(t, "trudy: "+ErrBusy.Error(), "ada", "eve", "mallory")
	})
}

// TestWhoeverWaitsLosesTheRankWithTheTurnsTaken: what a flood brings into the
// queue before any of it is served keeps no rank either.
func TestWhoeverWaitsLosesTheRankWithTheTurnsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1, 10, time.Hour)
		takes(t, p, mostTurns-1, "eve")
		if _, err := p.enter(t.Context(), Place{}); err != nil {
			t.Fatal(err)
		}
		l := &line{pool: p}
		for _, name := range []string{"eve 1", "eve 2", "eve 3"} {
			l.joinAs(name, "eve", First)
		}
		l.join("a stranger", Middle)
		l.leave(&party{}, false)
		l.all.Wait()
		l.sees(t, "eve 1", "a stranger", "eve 2", "eve 3")
	})
}

// TestWhoGuessedWrongMakesRoom: in a flood from many networks, none of which had more
// turns than a person has, those who come anew are not one among them.
func TestWhoGuessedWrongMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1, 3, time.Hour)
		flood := []string{"eve", "mallory", "trudy"}
		for _, name := range flood {
			y, err := p.enter(t.Context(), Place{Middle, name})
			if err != nil {
				t.Fatal(err)
			}
			p.leave(y, true)
		}
		takes(t, p, 3, "ada") // who was right each time
		if _, err := p.enter(t.Context(), Place{}); err != nil {
			t.Fatal(err)
		}
		l := &line{pool: p}
		for _, name := range flood {
			l.join(name, Middle)
		}
		l.join("ada", Middle)
		l.leave(&party{}, false)
		l.all.Wait()
		l.sees(t, "trudy: "+ErrBusy.Error(), "ada", "eve", "mallory")
		time.Sleep(2*turnsOf + time.Second) // and it is forgotten
		if _, err := p.enter(t.Context(), Place{}); err != nil {
			t.Fatal(err)
		}
		l.served = nil
		l.join("eve", Middle)
		l.join("ada", Middle)
		l.leave(&party{}, false)
		l.all.Wait()
		l.sees(t, "eve", "ada")
	})
}

func (p *pool) queued() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting)
}

// TestNobodyIsRememberedWhoHadNoTurn: a flood from a million networks takes no
// memory for each.
func TestNobodyIsRememberedWhoHadNoTurn(t *testing.T) {
	p := occupied(t, 1, time.Hour)
	takes := func(of string) error { _, err := p.enter(t.Context(), Place{Middle, of}); return err }
	waiting := make(chan error, 1)
	go func() { waiting <- takes("ada") }()
	for range 1000 {
		if p.queued() > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for i := range 1000 {
		if err := takes(fmt.Sprint(i)); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
	}
	p.leave(&party{}, false)
	if err := <-waiting; err != nil || len(p.parties) != 1 {
		t.Errorf("%v, %d names are kept", err, len(p.parties))
	}
}

// TestWhoTakesManyTurnsGoesLast, and no longer after a few quiet minutes.
func TestWhoTakesManyTurnsGoesLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1, 10, time.Hour)
		takes(t, p, mostTurns, "eve")
		race := func(want ...string) {
			t.Helper()
			l := &line{pool: p}
			if _, err := p.enter(t.Context(), Place{}); err != nil {
				t.Fatal(err)
			}
			l.joinAs("eve", "eve", First)
			l.joinAs("a stranger", "a network", Middle)
			l.leave(&party{}, false)
			l.all.Wait()
			l.sees(t, want...)
		}
		race("a stranger", "eve")
		time.Sleep(turnsOf + time.Second)
		race("a stranger", "eve") // of which a part lies within the time before
		time.Sleep(2*turnsOf + time.Second)
		race("eve", "a stranger")
		time.Sleep(2*turnsOf + time.Second)
		if _, err := p.enter(t.Context(), Place{}); err != nil {
			t.Fatal(err)
		}
		if len(p.parties) > 0 {
			t.Errorf("%d names are kept", len(p.parties))
		}
	})
}
