package feed

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	one   = [16]byte{1}
	other = [16]byte{2}
)

func entry(n uint64) Entry {
	return Entry{Number: n, Nonce: n * 10, Kind: Subject, Subject: "ada"}
}

func at(incarnation [16]byte, n uint64) Position { return Position{incarnation, n, n * 10} }

// following is a machine that has applied the log up to n.
func following(n uint64) *Machine {
	m := &Machine{Delta: time.Second}
	m.Reply(m.Send(0).Serial, Batch{Head: at(one, n), Reset: true, Lease: LeaseTimed})
	return m
}

func verbs(actions []Action) (v []Verb) {
	for _, a := range actions {
		v = append(v, a.Do)
	}
	return v
}

func want(t *testing.T, invariant string, actions []Action, verb ...Verb) {
	t.Helper()
	if got := verbs(actions); !slices.Equal(got, verb) {
		t.Fatalf("%s: the machine wants %v, not %v", invariant, got, verb)
	}
}

func TestAGapInTheLogResets(t *testing.T) {
	m := following(5)
	want(t, "I12", m.Reply(m.Send(1).Serial, Batch{Head: at(one, 7), Entries: []Entry{entry(7)}, Lease: LeaseTimed}),
		RingReset, CacheReset, MoveCursor, GiveLease)
}

func TestAnotherIncarnationResets(t *testing.T) {
	m := following(5)
	want(t, "I12", m.Reply(m.Send(1).Serial, Batch{Head: at(other, 6), Entries: []Entry{entry(6)}, Lease: LeaseTimed}),
		RingReset, CacheReset, MoveCursor, GiveLease)
}

// The store says that the position is not in its log: trimmed, or of another
// entry with that number.
func TestAReplyThatResetsGoesOnFromItsHead(t *testing.T) {
	for _, head := range []Position{at(one, 9), {one, 5, 51}, at(one, 5), at(one, 3)} {
		m := following(5)
		want(t, "I12", m.Reply(m.Send(1).Serial, Batch{Head: head, Reset: true, Lease: LeaseTimed}),
			RingReset, CacheReset, MoveCursor, GiveLease)
		if after := m.Send(2).After; after != head {
			t.Fatalf("I12: the machine goes on from %v, not from the head %v", after, head)
		}
	}
}

func TestAnEntryForAllResets(t *testing.T) {
	for _, kind := range []Kind{All, 77, 0} {
		m := following(5)
		e := entry(6)
		e.Kind = kind
		want(t, "I12", m.Reply(m.Send(1).Serial, Batch{Head: at(one, 6), Entries: []Entry{e}, Lease: LeaseTimed}),
			RingReset, CacheReset, MoveCursor, GiveLease)
	}
}

func TestTheFirstReplyResets(t *testing.T) {
	m := &Machine{Delta: time.Second}
	want(t, "I12", m.Reply(m.Send(0).Serial, Batch{Head: at(one, 3), Lease: LeaseTimed}),
		RingReset, CacheReset, MoveCursor, GiveLease)
}

func TestEntriesAreAppliedInOrderAndTheLeaseComesLast(t *testing.T) {
	m := following(5)
	want(t, "I13", m.Reply(m.Send(1).Serial, Batch{Head: at(one, 7), Entries: []Entry{entry(6), entry(7)}, Lease: LeaseTimed}),
		RingAdd, CacheApply, MoveCursor, RingAdd, CacheApply, MoveCursor, GiveLease)
}

func TestWhatWasSupersededIsDiscardedAloneAndNothingIsReset(t *testing.T) {
	m := following(5)
	e := Entry{Number: 6, Nonce: 60, Kind: Superseded, Hashes: [][32]byte{{9}, {8}}}
	want(t, "I13", m.Reply(m.Send(1).Serial, Batch{Head: at(one, 6), Entries: []Entry{e}, Lease: LeaseTimed}),
		RingAdd, CacheApply, MoveCursor, GiveLease)
	synctest.Test(t, func(t *testing.T) {
		s, c := &store{}, &recorder{}
		f := runFeed(t, s, c)
		f.WaitApplied(s.append(e), f.cfg.Mono())
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.discarded) != 2 || c.discarded[0] != e.Hashes[0] || c.discarded[1] != e.Hashes[1] {
			t.Errorf("discarded %v", c.discarded)
		}
	})
}

func TestAPartOfTheLogGivesNoLease(t *testing.T) {
	m := following(5)
	want(t, "I13", m.Reply(m.Send(1).Serial, Batch{Head: at(one, 7), Entries: []Entry{entry(6)}, Lease: LeaseTimed}),
		RingAdd, CacheApply, MoveCursor, TickAgain)
}

func TestAStoreThatVouchesForNothingGivesNoLease(t *testing.T) {
	m := following(5)
	want(t, "I13", m.Reply(m.Send(1).Serial, Batch{Head: at(one, 5), Lease: LeaseNone}))
}

func TestAReplyFromBeforeALapseGivesNoLease(t *testing.T) {
	m := following(5)
	tick := m.Send(1)
	want(t, "I13", m.Lapse(), EndLease)
	want(t, "I13", m.Reply(tick.Serial, Batch{Head: at(one, 5), Lease: LeaseHeld}))
}

func TestAReplyToATickGivenUpGivesNoLease(t *testing.T) {
	m := following(5)
	tick := m.Send(1)
	m.GiveUp(tick.Serial)
	want(t, "I13", m.Reply(tick.Serial, Batch{Head: at(one, 5), Lease: LeaseTimed}))
	m.Send(2)
	want(t, "I13", m.Reply(tick.Serial, Batch{Head: at(one, 5), Lease: LeaseTimed}))
}

// recorder is the cache of a feed under test: it notes what is done to it.
type recorder struct {
	mu        sync.Mutex
	dropped   []string
	discarded [][32]byte
	onDrop    func()
}

func (*recorder) Bury(*[32]byte, int32) {}
func (r *recorder) Discard(key *[32]byte, _ int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.discarded = append(r.discarded, *key)
}
func (*recorder) Reset() {}
func (r *recorder) Drop(subject string) {
	r.mu.Lock()
	r.dropped = append(r.dropped, subject)
	f := r.onDrop
	r.mu.Unlock()
	if f != nil {
		f()
	}
}

// store answers ticks of a feed under test.
type store struct {
	mu  sync.Mutex
	log []Entry
	err error
	// answer, if set, changes what is answered, outside the lock.
	answer func(Batch) Batch
}

func (s *store) append(e Entry) Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Number = uint64(len(s.log)) + 1
	e.Nonce = e.Number * 10
	s.log = append(s.log, e)
	return at(one, e.Number)
}

func (s *store) tick(_ context.Context, after Position, limit int) (Batch, error) {
	s.mu.Lock()
	b := Batch{Head: at(one, uint64(len(s.log))), Lease: LeaseHeld, Reset: after.Incarnation != one}
	if !b.Reset {
		b.Entries = s.log[after.Number:min(len(s.log), int(after.Number)+limit)]
	}
	err, answer := s.err, s.answer
	s.mu.Unlock()
	if answer != nil {
		b = answer(b)
	}
	return b, err
}

func runFeed(t *testing.T, s *store, c *recorder) *Feed {
	base := time.Now()
	f := New(Config{
		Delta: time.Second, Cache: c, Tick: s.tick, Failed: func(error) {},
		Mono: func() time.Duration { return time.Since(base) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if f.Lease() != 0 {
			t.Error("I14: a lease after the end of Run")
		}
	})
	synctest.Wait()
	return f
}

func TestAHeldLeaseEndsWhenItIsWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		f := runFeed(t, s, &recorder{})
		if f.Lease() != math.MaxInt64 {
			t.Fatalf("lease %v, want one without an end", f.Lease())
		}
		s.mu.Lock()
		s.err = errors.New("the commit failed")
		s.mu.Unlock()
		f.Lapse()
		if f.Lease() != 0 {
			t.Fatal("I13: the lease was not withdrawn")
		}
		time.Sleep(time.Minute)
		if f.Lease() != 0 {
			t.Fatal("I13: a store that fails gave a lease")
		}
	})
}

// The store fails while it answers: its answer gives no lease.
func TestALapseVoidsTheTickInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		f := runFeed(t, s, &recorder{})
		s.mu.Lock()
		s.answer = func(b Batch) Batch {
			s.mu.Lock()
			s.err, s.answer = errors.New("down from here on"), nil
			s.mu.Unlock()
			f.Lapse()
			return b
		}
		s.mu.Unlock()
		time.Sleep(10 * time.Second)
		if f.Lease() != 0 {
			t.Fatal("I13: a reply from before the failure gave a lease")
		}
	})
}

// With a held lease there is no instant at which it has run out, so that a
// write may not return before its entry was applied, however long that takes.
func TestAWriteUnderAHeldLeaseWaitsForTheFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := &store{}, &recorder{}
		f := runFeed(t, s, c)
		s.mu.Lock()
		s.answer = func(b Batch) Batch {
			time.Sleep(400 * time.Millisecond) // each reply is late, and none too late
			return b
		}
		s.err = errors.New("down")
		s.mu.Unlock()
		pos := s.append(Entry{Kind: Subject, Subject: "ada"})
		go func() {
			time.Sleep(5 * time.Second)
			s.mu.Lock()
			s.err = nil
			s.mu.Unlock()
		}()
		f.WaitApplied(pos, f.cfg.Mono())
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.dropped) != 1 {
			t.Fatal("I1: a write returned before its entry was applied")
		}
	})
}

// A load that ends between the ring and the cache finds the ring.
func TestTheRingNamesAnEntryBeforeTheCacheForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := &store{}, &recorder{}
		f := runFeed(t, s, c)
		mark := f.Ring().Mark()
		named := false
		c.onDrop = func() { named = f.Ring().Names(mark, &[32]byte{}, "ada") }
		pos := s.append(Entry{Kind: Subject, Subject: "ada"})
		f.WaitApplied(pos, f.cfg.Mono())
		if !named {
			t.Fatal("I10: the cache was changed before the ring named the entry")
		}
	})
}

func TestRingForgetsNothingThatAMarkNeeds(t *testing.T) {
	var r Ring
	k := [32]byte{1}
	r.Add(entry(1))
	mark := r.Mark()
	if r.Names(mark, &k, "ada") || r.NamesAny(mark, &k) {
		t.Fatal("an entry from before the mark is named")
	}
	r.Add(Entry{Number: 2, Kind: Session, Hashes: [][32]byte{{9}, k}})
	if !r.Names(mark, &k, "bob") || r.Names(mark, &[32]byte{2}, "bob") {
		t.Fatal("I10: a session's entry names its hashes, all of them and nothing else")
	}
	mark = r.Mark()
	r.Add(Entry{Number: 2, Kind: Superseded, Hashes: [][32]byte{{9}, k}})
	if !r.Names(mark, &k, "bob") || r.Names(mark, &[32]byte{2}, "bob") || r.NamesAny(mark, &[32]byte{2}) {
		t.Fatal("I10: so does the entry of what was superseded")
	}
	mark = r.Mark()
	r.Add(entry(3))
	if !r.Names(mark, &k, "ada") || r.Names(mark, &k, "bob") || !r.NamesAny(mark, &k) {
		t.Fatal("I10: a subject's entry names its subject, and any for who does not know it")
	}
	for i := range uint64(RingSize) {
		r.Add(Entry{Number: 4 + i, Nonce: 1, Kind: Session, Hashes: [][32]byte{{7}}})
	}
	if !r.Names(mark, &k, "ada") {
		t.Fatal("I10: the ring forgot an entry since the mark and does not say so")
	}
	if r.Holds(Position{one, 3, 30}) || !r.Holds(Position{one, 4, 1}) || r.Holds(Position{one, 4, 2}) {
		t.Fatal("Holds: the very entry, while the ring remembers it")
	}
	mark = r.Mark()
	r.Reset()
	if !r.Names(mark, &k, "ada") || !r.NamesAny(mark, &k) {
		t.Fatal("I10: a mark from before a reset must name everything")
	}
	for i := range uint64(RingSize) + 10 {
		r.Add(Entry{Number: i, Kind: Session, Hashes: [][32]byte{{7}}})
	}
	if !r.Names(mark, &k, "ada") {
		t.Fatal("I10: a mark from before a reset must name everything, however much came since")
	}
}
