package feed

import (
	"math"
	"time"
)

// Position is a place in a log: the entry with this number and nonce, in this
// incarnation of the store.
type Position struct {
	Incarnation   [16]byte
	Number, Nonce uint64
}

// Kind says what an entry names.
type Kind uint8

// The kinds of entries. All, and every kind not listed here, names everything.
const (
	Session Kind = 1
	Subject Kind = 2
	All     Kind = 3
	// Superseded names tokens that have a successor: their sessions go on.
	Superseded Kind = 4
)

// Entry is one line of the log.
type Entry struct {
	Number, Nonce uint64
	Kind          Kind
	Hashes        [][32]byte // Session, Superseded
	Subject       string     // Subject
}

// Lease says what a reply entitles to.
type Lease uint8

// The leases, as in package session.
const (
	LeaseNone Lease = iota
	LeaseTimed
	LeaseHeld
)

// Batch is a store's reply to a tick.
type Batch struct {
	Head    Position
	Reset   bool
	Entries []Entry
	Lease   Lease
}

// Tick is a question to the store: what follows After?
type Tick struct {
	Serial uint64
	At     time.Duration // when it was sent
	After  Position
}

// Verb is one kind of thing to do.
type Verb uint8

// What the machine can ask for. The order in which it asks is part of what it
// promises: an entry stands in the ring before the cache is touched, the cursor
// moves after both, and a lease comes last.
const (
	RingReset  Verb = iota + 1 // a new generation of the ring, empty
	RingAdd                    // Entry
	CacheReset                 // forget everything
	CacheApply                 // Entry: bury or discard its hashes, or drop its subject's cell
	MoveCursor                 // Position
	GiveLease                  // Until; the head was reached by the tick Serial
	EndLease
	TickAgain // the log has more
)

// Action is one thing to do.
type Action struct {
	Do       Verb
	Entry    Entry
	Position Position
	Until    time.Duration
	Serial   uint64
}

// Machine holds the rules by which a node follows the log: events in, actions
// out. It has no clock and no goroutine of its own. Not safe for concurrent use.
type Machine struct {
	Delta time.Duration

	cursor   Position
	sent     uint64 // serial of the latest tick
	inFlight bool
	at       time.Duration // when the tick in flight was sent
}

// Send begins a tick at the instant now. At most one is in flight: an earlier
// one counts as given up.
func (m *Machine) Send(now time.Duration) Tick {
	m.sent++
	m.inFlight = true
	m.at = now
	return Tick{Serial: m.sent, At: now, After: m.cursor}
}

// Sent returns the serial of the latest tick.
func (m *Machine) Sent() uint64 { return m.sent }

// GiveUp forgets the tick; a reply that comes after all counts for nothing.
// The lease runs out by itself, and what is cached is kept: if the next reply
// follows without a gap, it is all valid again.
func (m *Machine) GiveUp(serial uint64) {
	if serial == m.sent {
		m.inFlight = false
	}
}

// Lapse withdraws the lease: the store can no longer vouch for what it
// answered, so the tick in flight counts for nothing either.
func (m *Machine) Lapse() []Action {
	m.inFlight = false
	return []Action{{Do: EndLease}}
}

// Reply takes the store's answer to a tick.
func (m *Machine) Reply(serial uint64, b Batch) []Action {
	if !m.inFlight || serial != m.sent {
		return nil
	}
	m.inFlight = false
	if b.Reset || b.Head.Incarnation != m.cursor.Incarnation || !m.follows(b.Entries) {
		return m.reset(b)
	}
	actions := make([]Action, 0, 3*len(b.Entries)+1)
	for _, e := range b.Entries {
		if e.Kind != Session && e.Kind != Subject && e.Kind != Superseded {
			return m.reset(b) // it names everything; what follows it in the log is covered too
		}
		m.cursor.Number, m.cursor.Nonce = e.Number, e.Nonce
		actions = append(actions,
			Action{Do: RingAdd, Entry: e},
			Action{Do: CacheApply, Entry: e},
			Action{Do: MoveCursor, Position: m.cursor})
	}
	return m.finish(actions, b)
}

// follows reports whether the entries go on from the cursor without a gap.
func (m *Machine) follows(entries []Entry) bool {
	for i, e := range entries {
		if e.Number != m.cursor.Number+1+uint64(i) {
			return false
		}
	}
	return true
}

// reset forgets everything and goes on from the head.
func (m *Machine) reset(b Batch) []Action {
	m.cursor = b.Head
	return m.finish([]Action{{Do: RingReset}, {Do: CacheReset}, {Do: MoveCursor, Position: m.cursor}}, b)
}

// finish gives the lease if the head was reached. It counts from the instant of
// sending: everything committed before that has been applied by now.
func (m *Machine) finish(actions []Action, b Batch) []Action {
	if m.cursor != b.Head {
		return append(actions, Action{Do: TickAgain})
	}
	switch b.Lease {
	case LeaseTimed:
		actions = append(actions, Action{Do: GiveLease, Until: m.at + m.Delta, Serial: m.sent})
	case LeaseHeld:
		actions = append(actions, Action{Do: GiveLease, Until: math.MaxInt64, Serial: m.sent})
	}
	return actions
}
