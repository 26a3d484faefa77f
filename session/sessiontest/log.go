package sessiontest

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cloakroom/session"
)

func logging() []promise {
	return []promise{
		{"the log has no gap under concurrent revocations and rollbacks", gapFree},
		{"what a tick has shown holds and stays: entries come in commit order", commitOrder},
		{"an empty log has a head that a node can stand at", emptyLog},
		{"a tick returns consecutive entries, and no more than asked for", tickLimit},
		{"a tick at the head returns nothing", func(f *fixture) {
			f.apply(session.RevokeAll("ann"))
			equal(f, "entries", len(f.since(f.head())), 0)
		}},
		{"a position of an unknown incarnation is reset", resetOn(func(p *session.Position) { p.Incarnation[0]++ })},
		{"the zero position is reset", resetOn(func(p *session.Position) { *p = session.Position{} })},
		{"a position with a wrong nonce is reset", resetOn(func(p *session.Position) { p.Nonce++ })},
		{"a position beyond the head is reset", resetOn(func(p *session.Position) { p.Number += 9 })},
		{"a position at another entry's number is reset", resetOn(func(p *session.Position) { p.Number-- })},
		{"a position older than the log's tail is reset", cutOff},
		{"a live store gives a lease", func(f *fixture) {
			batch, err := f.Store.Tick(f.Context(), f.head(), 1)
			f.ok(err)
			if batch.Lease == session.LeaseNone {
				f.Fatal("no lease")
			}
		}},
		{"a watcher is woken when something is logged, and released with its context", watch},
	}
}

// act is one revocation as its caller saw it.
type act struct {
	began, returned int64 // on a counter that all of them share
	subject         string
	position        session.Position
}

func gapFree(f *fixture) {
	const revokers, rounds = 32, 6
	f.apply(session.RevokeAll("first"))
	start := f.head()
	var clock atomic.Int64
	acts := make([][]act, revokers)
	var all sync.WaitGroup
	for i := range acts {
		all.Go(func() {
			subject := string(rune('A' + i))
			for round := range rounds {
				if (i+round)%3 == 0 {
					_, err := f.tryApply(session.RevokeAll(subject), f.JoinWrite(subject, failing))
					if err == nil {
						f.Errorf("a failed join committed")
					}
					continue
				}
				a := act{began: clock.Add(1), subject: subject}
				var err error
				if a.position, err = f.tryApply(session.RevokeAll(subject)); err != nil {
					f.Errorf("revoke: %v", err)
				}
				a.returned = clock.Add(1)
				acts[i] = append(acts[i], a)
			}
		})
	}
	all.Wait()
	wantInOrder(f, start, slices.Concat(acts...))
}

// wantInOrder wants the entries after start to be exactly those of the acts, and
// one that had returned before another began to come first.
func wantInOrder(f *fixture, start session.Position, acts []act) {
	f.Helper()
	entries := f.since(start)
	equal(f, "entries", len(entries), len(acts))
	for i, e := range entries {
		equal(f, "I12: number", e.Number, start.Number+1+uint64(i))
	}
	taken := make(map[uint64]bool)
	for _, a := range acts {
		p := a.position
		if p.Number <= start.Number || p.Number > start.Number+uint64(len(entries)) || taken[p.Number] {
			f.Fatalf("position %d is out of range or was returned twice", p.Number)
		}
		taken[p.Number] = true
		e := entries[p.Number-start.Number-1]
		equal(f, "incarnation", p.Incarnation, start.Incarnation)
		equal(f, "nonce", p.Nonce, e.Nonce)
		equal(f, "subject", e.Subject, a.subject)
		for _, b := range acts {
			if a.returned < b.began && p.Number >= b.position.Number {
				f.Fatalf("%d returned before %d began", p.Number, b.position.Number)
			}
		}
	}
}

// commitOrder follows the log while sessions are revoked: what an entry ended is
// dead by the time the entry is seen, and no entry appears before one seen.
func commitOrder(f *fixture) {
	tickets := make(map[session.Hash]ticket)
	for range 24 {
		t := f.signIn("ann")
		tickets[t.token] = t
	}
	start := f.head()
	var revokers sync.WaitGroup
	defer revokers.Wait()
	for _, t := range tickets {
		revokers.Go(func() {
			joins := []session.Join{f.JoinWrite(t.id.String(), nil)}
			if t.id[0]%2 == 0 {
				joins = nil
			}
			if _, err := f.tryApply(session.Revoke("ann", t.id), joins...); err != nil {
				f.Errorf("revoke: %v", err)
			}
		})
	}
	returned := make(chan struct{})
	go func() {
		revokers.Wait()
		close(returned)
	}()
	followed := follow(f, start, returned, func(e session.Entry) {
		for _, h := range e.Hashes {
			f.wantEnded(tickets[h])
		}
	})
	equal(f, "entries followed", len(followed), len(tickets))
	for i, e := range f.since(start) {
		equal(f, "I12: number", e.Number, start.Number+1+uint64(i))
		equal(f, "number followed", followed[i].Number, e.Number)
		equal(f, "nonce followed", followed[i].Nonce, e.Nonce)
	}
}

// follow ticks as a node does, until after those who write have returned.
func follow(f *fixture, at session.Position, returned <-chan struct{}, see func(session.Entry)) []session.Entry {
	var followed []session.Entry
	for last := false; ; {
		batch, err := f.Store.Tick(f.Context(), at, 5)
		f.ok(err)
		equal(f, "reset", batch.Reset, false)
		for _, e := range batch.Entries {
			see(e)
			followed = append(followed, e)
			at.Number, at.Nonce = e.Number, e.Nonce
		}
		if last && len(batch.Entries) == 0 {
			return followed
		}
		select {
		case <-returned:
			last = true
		default:
		}
	}
}

func emptyLog(f *fixture) {
	head := f.head()
	if head.Incarnation == [16]byte{} {
		f.Fatal("a store without an incarnation")
	}
	equal(f, "entries", len(f.since(head)), 0)
	p := f.apply(session.RevokeAll("ann"))
	if p.Number == 0 {
		f.Fatal("an entry with the number 0")
	}
	entries := f.since(head)
	equal(f, "entries", len(entries), 1)
	equal(f, "number", entries[0].Number, p.Number)
}

func tickLimit(f *fixture) {
	start := f.head()
	for range 7 {
		f.apply(session.RevokeAll("ann"))
	}
	head, at := f.head(), start
	for _, want := range []int{3, 3, 1, 0} {
		batch, err := f.Store.Tick(f.Context(), at, 3)
		f.ok(err)
		equal(f, "reset", batch.Reset, false)
		equal(f, "head", batch.Head, head)
		equal(f, "entries", len(batch.Entries), want)
		for _, e := range batch.Entries {
			equal(f, "I12: number", e.Number, at.Number+1)
			at.Number, at.Nonce = e.Number, e.Nonce
		}
	}
	equal(f, "end", at, head)
}

// resetOn wants a node to be reset that stands at a position of the log with
// one thing about it changed.
func resetOn(edit func(*session.Position)) func(*fixture) {
	return func(f *fixture) {
		f.apply(session.RevokeAll("ann"))
		f.apply(session.RevokeAll("ann"))
		at := f.head()
		edit(&at)
		f.apply(session.RevokeAll("ann"))
		f.wantReset(at)
	}
}

func (f *fixture) wantReset(at session.Position) {
	f.Helper()
	batch, err := f.Store.Tick(f.Context(), at, 100)
	f.ok(err)
	equal(f, "I12: reset", batch.Reset, true)
	equal(f, "entries", len(batch.Entries), 0)
	equal(f, "entries after the head", len(f.since(batch.Head)), 0)
}

func cutOff(f *fixture) {
	old := f.apply(session.RevokeAll("ann"))
	for range 3 {
		f.apply(session.RevokeAll("ann"))
	}
	latest := f.head()
	f.CutLog()
	equal(f, "head", f.head(), latest)
	f.wantReset(old)
	equal(f, "entries after the head", len(f.since(latest)), 0)
	// Numbers go on.
	equal(f, "next number", f.apply(session.RevokeAll("ann")).Number, latest.Number+1)
	equal(f, "entries", len(f.since(latest)), 1)
}

func watch(f *fixture) {
	ctx, cancel := context.WithCancel(f.Context())
	woken := make(chan struct{}, 1)
	var over, late atomic.Bool
	signals := session.Signals{
		Wake: func() {
			if over.Load() {
				late.Store(true)
			}
			select {
			case woken <- struct{}{}:
			default:
			}
		},
		Lapse: func() { f.Error("lapsed") },
	}
	returned := make(chan error, 1)
	go func() {
		returned <- f.Store.Watch(ctx, signals)
	}()
	// A wake-up may be lost, at least while the watch begins: so log until one
	// arrives.
	patience := time.After(10 * time.Second)
	for awake := false; !awake; {
		f.apply(session.RevokeAll("ann"))
		select {
		case <-woken:
			awake = true
		case <-patience:
			cancel()
			f.Fatal("never woken")
		default:
		}
	}
	cancel()
	f.ok(<-returned)
	over.Store(true)
	f.apply(session.RevokeAll("ann"))
	equal(f, "woken after the end", late.Load(), false)
	f.ok(f.Store.Watch(ctx, signals)) // of a context that has ended
}
