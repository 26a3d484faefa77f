package feed

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The simulation drives the machine and the ring as a node does, one action at
// a time, so that checks and loads fall between any two of them. The network
// delays and loses what it likes; nodes and the authority stop for as long as
// they like. After each step the invariants are held against the whole fleet.

const (
	simDelta    = 100 * time.Millisecond
	simSubjects = 3
	simBatch    = 2 // entries a reply, so that the head is often not reached
)

// authority is the store: a log, and which sessions it ended when.
type authority struct {
	incarnation byte
	log         []Entry
	subjects    map[int]string        // session -> subject
	ended       map[int]time.Duration // session -> when its end was committed
	versions    map[string]uint64
}

func key(session int) (k [32]byte) {
	k[0], k[1] = byte(session), byte(session>>8)
	return k
}

func (a *authority) position(n uint64) Position {
	p := Position{Incarnation: [16]byte{a.incarnation}, Number: n}
	if n > 0 {
		p.Nonce = a.log[n-1].Nonce
	}
	return p
}

func (a *authority) head() Position { return a.position(uint64(len(a.log))) }

func (a *authority) append(e Entry) {
	e.Number = uint64(len(a.log)) + 1
	e.Nonce = e.Number*1000 + uint64(a.incarnation)
	a.log = append(a.log, e)
}

func (a *authority) answer(after Position) Batch {
	b := Batch{Head: a.head(), Lease: LeaseTimed}
	if after.Number > uint64(len(a.log)) || a.position(after.Number) != after {
		b.Reset = true
		return b
	}
	b.Entries = a.log[after.Number:min(len(a.log), int(after.Number)+simBatch)]
	return b
}

// load is one load on its way.
type simLoad struct {
	session int
	mark    Mark
	stage   int // 0 sent, 1 answered, 2 cell done
	live    bool
	version uint64
	cell    int
}

type cell struct {
	generation int
	version    uint64
	full       bool
}

type simNode struct {
	machine Machine
	ring    Ring
	lease   time.Duration

	request  *Tick
	executed Position // the head when the request was executed
	reply    *Batch
	todo     []Action

	records map[int]int // session -> generation of its subject's cell
	dead    map[int]bool
	cells   map[string]*cell
	loads   []*simLoad

	cursor  Position
	applied map[int]bool // sessions whose end was applied here
}

type simulation struct {
	now   time.Duration
	store authority
	nodes []*simNode
	next  int
}

func newSimulation() *simulation {
	s := &simulation{store: authority{
		incarnation: 1, subjects: map[int]string{}, ended: map[int]time.Duration{}, versions: map[string]uint64{},
	}}
	for range 2 {
		s.nodes = append(s.nodes, &simNode{
			machine: Machine{Delta: simDelta}, records: map[int]int{}, dead: map[int]bool{},
			cells: map[string]*cell{}, applied: map[int]bool{},
		})
	}
	return s
}

// end commits the end of all sessions that match, with an entry.
func (s *simulation) end(e Entry, match func(session int) bool) {
	for session := range s.store.subjects {
		if _, already := s.store.ended[session]; !already && match(session) {
			s.store.ended[session] = s.now
		}
	}
	s.store.append(e)
	if e.Kind == Subject {
		s.store.versions[e.Subject] = uint64(len(s.store.log))
	}
}

func (n *simNode) live(session int, subject string) bool {
	generation, ok := n.records[session]
	c := n.cells[subject]
	return ok && !n.dead[session] && c != nil && c.full && c.generation == generation
}

// step carries out one action, as Feed.carryOut does.
func (s *simulation) step(n *simNode) {
	a := n.todo[0]
	n.todo = n.todo[1:]
	switch a.Do {
	case RingReset:
		n.ring.Reset()
	case RingAdd:
		n.ring.Add(a.Entry)
	case CacheReset:
		n.records, n.dead = map[int]int{}, map[int]bool{}
		for _, c := range n.cells {
			c.full = false
			c.generation++
		}
		for session := range s.store.ended {
			n.applied[session] = n.applied[session] || s.committedBefore(session, n.machine.cursor)
		}
	case CacheApply:
		s.apply(n, a.Entry)
	case MoveCursor:
		n.cursor = a.Position
	case GiveLease:
		n.lease = a.Until
	case EndLease:
		n.lease = 0
	}
}

// committedBefore reports whether a session's end stands in the log up to p.
func (s *simulation) committedBefore(session int, p Position) bool {
	if p.Incarnation[0] != s.store.incarnation {
		return false
	}
	for _, e := range s.store.log[:min(uint64(len(s.store.log)), p.Number)] {
		if s.names(e, session) {
			return true
		}
	}
	return false
}

func (s *simulation) names(e Entry, session int) bool {
	switch e.Kind {
	case Session:
		return e.Hashes[0] == key(session)
	case Subject:
		_, ended := s.store.ended[session]
		return ended && e.Subject == s.store.subjects[session] && s.endedBy(e, session)
	default:
		_, ended := s.store.ended[session]
		return ended && s.endedBy(e, session)
	}
}

// endedBy reports whether the session existed when the entry was written.
func (s *simulation) endedBy(e Entry, session int) bool { return uint64(session>>4) < e.Number }

func (s *simulation) apply(n *simNode, e Entry) {
	switch e.Kind {
	case Session:
		for session := range s.store.subjects {
			if e.Hashes[0] == key(session) {
				n.dead[session], n.applied[session] = true, true
			}
		}
	case Subject:
		if c := n.cells[e.Subject]; c != nil {
			c.full = false
			c.generation++
		}
		for session := range s.store.subjects {
			if s.names(e, session) {
				n.applied[session] = true
			}
		}
	}
}

// advanceLoad takes a load one step further: answered, cell, record.
func (s *simulation) advanceLoad(n *simNode, l *simLoad) (done bool) {
	subject, k := s.store.subjects[l.session], key(l.session)
	switch l.stage {
	case 0:
		_, ended := s.store.ended[l.session]
		l.live, l.version = !ended, s.store.versions[subject]
		if ended {
			n.dead[l.session] = true
			return true
		}
	case 1:
		c := n.cells[subject]
		if c == nil {
			c = &cell{}
			n.cells[subject] = c
		}
		switch {
		case n.ring.Names(l.mark, &k, subject), c.full && c.version > l.version:
			return true
		case !c.full || c.version < l.version:
			c.generation++
			c.version, c.full = l.version, true
		}
		l.cell = c.generation
	case 2:
		if !n.ring.Names(l.mark, &k, subject) && !n.dead[l.session] {
			n.records[l.session] = l.cell
		}
		return true
	}
	l.stage++
	return false
}

// check holds the invariants against the fleet.
func (s *simulation) check(t *rapid.T) {
	for i, n := range s.nodes {
		for session, subject := range s.store.subjects {
			ended, isEnded := s.store.ended[session]
			live := n.live(session, subject)
			if isEnded && live && s.now < n.lease && s.now >= ended+simDelta {
				t.Fatalf("I2: node %d accepts session %d, which ended %v ago", i, session, s.now-ended)
			}
			if live && n.applied[session] {
				t.Fatalf("I10: node %d has session %d in its cache after it applied its end", i, session)
			}
		}
	}
}

// leaseIsEarned is I13 at the moment in which a lease becomes visible.
func (s *simulation) leaseIsEarned(t *rapid.T, n *simNode) {
	if n.lease > n.machine.at+simDelta {
		t.Fatalf("I13: a lease until %v from a tick sent at %v", n.lease, n.machine.at)
	}
	if n.executed.Incarnation == n.cursor.Incarnation && n.cursor.Number < n.executed.Number || n.executed.Incarnation != n.cursor.Incarnation {
		t.Fatalf("I13: a lease although %v was committed before its tick was executed and only %v is applied",
			n.executed.Number, n.cursor.Number)
	}
}

func TestSimulation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSimulation()
		node := rapid.Custom(func(t *rapid.T) *simNode { return s.nodes[rapid.IntRange(0, len(s.nodes)-1).Draw(t, "node")] })
		subject := rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprint("subject", rapid.IntRange(1, simSubjects).Draw(t, "subject"))
		})
		anySession := func(t *rapid.T) int {
			if s.next == 0 {
				t.Skip("no session yet")
			}
			return rapid.SampledFrom(sortedKeys(s.store.subjects)).Draw(t, "session")
		}
		t.Repeat(map[string]func(*rapid.T){
			"": s.check,
			"time passes": func(t *rapid.T) {
				s.now += time.Duration(rapid.IntRange(1, 60).Draw(t, "ms")) * time.Millisecond
			},
			"sign in": func(t *rapid.T) {
				s.next++
				// The upper bits say how long the log was, for endedBy.
				s.store.subjects[len(s.store.log)<<4|s.next&15] = subject.Draw(t, "of")
			},
			"revoke": func(t *rapid.T) {
				session := anySession(t)
				s.end(Entry{Kind: Session, Hashes: [][32]byte{key(session)}}, func(x int) bool { return x == session })
			},
			"revoke all": func(t *rapid.T) {
				who := subject.Draw(t, "of")
				s.end(Entry{Kind: Subject, Subject: who}, func(x int) bool { return s.store.subjects[x] == who })
			},
			"revoke everything": func(t *rapid.T) {
				s.end(Entry{Kind: All}, func(int) bool { return true })
			},
			"send": func(t *rapid.T) {
				n := node.Draw(t, "by")
				if len(n.todo) > 0 {
					t.Skip("busy")
				}
				tick := n.machine.Send(s.now)
				n.request, n.reply = &tick, nil
			},
			"execute": func(t *rapid.T) {
				n := node.Draw(t, "of")
				if n.request == nil || n.reply != nil {
					t.Skip("nothing sent")
				}
				b := s.store.answer(n.request.After)
				n.reply, n.executed = &b, s.store.head()
			},
			"receive": func(t *rapid.T) {
				n := node.Draw(t, "by")
				if n.reply == nil || len(n.todo) > 0 {
					t.Skip("nothing to receive")
				}
				n.todo = n.machine.Reply(n.request.Serial, *n.reply)
				n.request, n.reply = nil, nil
			},
			"act": func(t *rapid.T) {
				n := node.Draw(t, "by")
				if len(n.todo) == 0 {
					t.Skip("nothing to do")
				}
				gives := n.todo[0].Do == GiveLease
				s.step(n)
				if gives {
					s.leaseIsEarned(t, n)
				}
			},
			"give up": func(t *rapid.T) {
				if n := node.Draw(t, "by"); n.request != nil {
					n.machine.GiveUp(n.request.Serial)
				}
			},
			"load": func(t *rapid.T) {
				n := node.Draw(t, "by")
				n.loads = append(n.loads, &simLoad{session: anySession(t), mark: n.ring.Mark()})
			},
			"load goes on": func(t *rapid.T) {
				n := node.Draw(t, "by")
				if len(n.loads) == 0 {
					t.Skip("no load")
				}
				i := rapid.IntRange(0, len(n.loads)-1).Draw(t, "load")
				if s.advanceLoad(n, n.loads[i]) {
					n.loads = append(n.loads[:i], n.loads[i+1:]...)
				}
			},
		})
	})
}
