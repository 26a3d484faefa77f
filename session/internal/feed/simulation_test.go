package feed

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The simulation drives the machine and the ring as a node does, one action at
// a time, so that checks and loads fall between any two of them. The network
// delays, loses and mixes up what it likes; nodes and the authority stop for as
// long as they like, nodes crash, the log is trimmed, and the store comes back as
// it was at some time before. After each step the invariants are held against
// the whole fleet.

const (
	simDelta    = 100 * time.Millisecond
	simSubjects = 3
	simBatch    = 2 // entries a reply, so that the head is often not reached
	simFlights  = 3 // ticks of a node that may still be answered
)

// authority is the store: a log, and which sessions it ended when and where.
type authority struct {
	incarnation byte // goes up, so that it also says which came first
	log         []Entry
	tail        uint64         // entries up to here are no longer kept
	subjects    map[int]string // session -> subject
	ended       map[int]end
}

// end is when a session's end was committed, and by which entry.
type end struct {
	at  time.Duration
	pos Position
}

// by reports whether the end stands in the log up to p, or was part of what a
// later incarnation began with.
func (e end) by(p Position) bool {
	inc := p.Incarnation[0]
	return e.pos.Incarnation[0] < inc || e.pos.Incarnation[0] == inc && e.pos.Number <= p.Number
}

// version is that of a subject's row: the number of the last entry that names
// it, in this log.
func (a *authority) version(subject string) uint64 {
	for i := len(a.log) - 1; i >= 0; i-- {
		if a.log[i].Kind == Subject && a.log[i].Subject == subject {
			return a.log[i].Number
		}
	}
	return 0
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

// has reports whether p is a position of this log. The entries of before a
// restore keep their nonces; the incarnation tells them apart.
func (a *authority) has(p Position) bool { return a.position(p.Number) == p }

func (a *authority) head() Position { return a.position(uint64(len(a.log))) }

func (a *authority) append(e Entry) {
	e.Number = uint64(len(a.log)) + 1
	e.Nonce = e.Number*1000 + uint64(a.incarnation)
	a.log = append(a.log, e)
}

func (a *authority) answer(after Position) Batch {
	b := Batch{Head: a.head(), Lease: LeaseTimed}
	if after.Number < a.tail || after.Number > uint64(len(a.log)) || !a.has(after) {
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
	version uint64
	cell    int
}

type cell struct {
	generation int
	version    uint64
	full       bool
}

// simFlight is a tick on its way, or its reply.
type simFlight struct {
	tick     Tick
	reply    *Batch   // nil until it is executed
	executed Position // the head then
}

type simNode struct {
	machine Machine
	ring    Ring
	lease   time.Duration

	flights []*simFlight // in the order of sending; replies may come in any
	reply   simFlight    // the one that todo comes from
	todo    []Action
	lapsed  uint64 // serial of the last tick that was sent before the latest lapse

	records map[int]int // session -> generation of its subject's cell
	dead    map[int]bool
	cells   map[string]*cell
	loads   []*simLoad

	cursor  Position
	applied map[int]bool // sessions whose end was applied here, also before a crash
}

func newSimNode() *simNode {
	return &simNode{
		machine: Machine{Delta: simDelta}, records: map[int]int{}, dead: map[int]bool{},
		cells: map[string]*cell{}, applied: map[int]bool{},
	}
}

type simulation struct {
	met   simMet
	now   time.Duration
	store authority
	nodes []*simNode
	next  int
}

func newSimulation(met simMet) *simulation {
	return &simulation{
		met:   met,
		store: authority{incarnation: 1, subjects: map[int]string{}, ended: map[int]end{}},
		nodes: []*simNode{newSimNode(), newSimNode()},
	}
}

// end commits the end of all sessions that match, with an entry.
func (s *simulation) end(e Entry, match func(session int) bool) {
	s.store.append(e)
	for session := range s.store.subjects {
		if _, already := s.store.ended[session]; !already && match(session) {
			s.store.ended[session] = end{s.now, s.store.head()}
		}
	}
}

// restore brings the log back as it was after n entries, under another
// incarnation, and with that ends everything: what was committed since is lost.
func (s *simulation) restore(n int) {
	a := &s.store
	a.incarnation++
	a.log = a.log[:n:n]
	a.tail = min(a.tail, uint64(n))
	s.end(Entry{Kind: All}, func(int) bool { return true })
}

// crash begins a node anew: what it remembers is gone, and nothing that was on
// its way to it arrives.
func (s *simulation) crash(i int) {
	fresh := newSimNode()
	fresh.applied = s.nodes[i].applied
	s.nodes[i] = fresh
}

func (n *simNode) live(session int, subject string) bool {
	generation, ok := n.records[session]
	c := n.cells[subject]
	return ok && !n.dead[session] && c != nil && c.full && c.generation == generation
}

// step carries out one action, as Feed.carryOut does.
func (s *simulation) step(t *rapid.T, n *simNode) {
	a := n.todo[0]
	n.todo = n.todo[1:]
	switch a.Do {
	case RingReset:
		n.ring.Reset()
	case RingAdd:
		n.ring.Add(a.Entry)
	case CacheReset:
		s.met["reset"]++
		n.records, n.dead = map[int]int{}, map[int]bool{}
		for _, c := range n.cells {
			c.full = false
			c.generation++
		}
		s.apply(n, n.machine.cursor)
	case CacheApply:
		s.met["entry applied"]++
		if a.Entry.Number != n.cursor.Number+1 {
			t.Fatalf("I12: entry %d is applied after %d", a.Entry.Number, n.cursor.Number)
		}
		switch e := a.Entry; e.Kind {
		case Session:
			for session := range s.store.subjects {
				n.dead[session] = n.dead[session] || e.Hashes[0] == key(session)
			}
		case Subject:
			if c := n.cells[e.Subject]; c != nil {
				c.full = false
				c.generation++
			}
		}
		s.apply(n, Position{Incarnation: n.cursor.Incarnation, Number: a.Entry.Number})
	case MoveCursor:
		n.cursor = a.Position
	case GiveLease:
		s.met["lease"]++
		n.lease = a.Until
		s.leaseIsEarned(t, n)
	case EndLease:
		n.lease = 0
	}
}

// apply notes that the log has been applied up to p.
func (s *simulation) apply(n *simNode, p Position) {
	for session, e := range s.store.ended {
		n.applied[session] = n.applied[session] || e.by(p)
	}
}

// advanceLoad takes a load one step further: answered, cell, record.
func (s *simulation) advanceLoad(n *simNode, l *simLoad) (done bool) {
	subject, k := s.store.subjects[l.session], key(l.session)
	switch l.stage {
	case 0:
		_, ended := s.store.ended[l.session]
		l.version = s.store.version(subject)
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
			s.met["record put"]++
			n.records[l.session] = l.cell
		} else {
			s.met["record not put"]++
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
			if isEnded && live && s.now < n.lease && s.now >= ended.at+simDelta {
				t.Fatalf("I2: node %d accepts session %d, which ended %v ago", i, session, s.now-ended.at)
			}
			if live && n.applied[session] {
				t.Fatalf("I10: node %d has session %d in its cache after it applied its end", i, session)
			}
		}
	}
}

// leaseIsEarned is I13 at the moment in which a lease becomes visible.
func (s *simulation) leaseIsEarned(t *rapid.T, n *simNode) {
	by := n.reply
	switch {
	case n.lease > by.tick.At+simDelta:
		t.Fatalf("I13: a lease until %v from a tick sent at %v", n.lease, by.tick.At)
	case by.tick.Serial <= n.lapsed:
		t.Fatalf("I13: a lease from tick %d, which was sent before the lapse after tick %d", by.tick.Serial, n.lapsed)
	case n.cursor.Incarnation != by.executed.Incarnation || n.cursor.Number < by.executed.Number:
		t.Fatalf("I13: a lease although %v was committed before its tick was executed and only %v is applied",
			by.executed, n.cursor)
	}
}

// send sends a tick, unless the node is busy with a reply.
func (n *simNode) send(s *simulation) *simFlight {
	if len(n.todo) > 0 {
		return nil
	}
	f := &simFlight{tick: n.machine.Send(s.now)}
	n.flights = append(n.flights, f)
	if len(n.flights) > simFlights {
		n.flights = n.flights[1:] // lost
	}
	return f
}

func (s *simulation) execute(f *simFlight) {
	b := s.store.answer(f.tick.After)
	f.reply, f.executed = &b, s.store.head()
}

// receive hands a reply to the machine, unless the node is busy with another.
func (n *simNode) receive(s *simulation, f *simFlight) {
	if len(n.todo) > 0 {
		return
	}
	if f.tick.Serial < n.machine.Sent() {
		s.met["late reply"]++
	}
	n.reply = *f
	n.flights = slices.DeleteFunc(n.flights, func(g *simFlight) bool { return g == f })
	n.todo = n.machine.Reply(f.tick.Serial, *f.reply)
}

// flight draws one of the node's ticks that match, nil if there is none.
func (n *simNode) flight(t *rapid.T, match func(*simFlight) bool) *simFlight {
	var all []*simFlight
	for _, f := range n.flights {
		if match(f) {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[below(len(all)).Draw(t, "tick")]
}

func TestSimulation(t *testing.T) {
	met := simMet{}
	rapid.Check(t, func(t *rapid.T) {
		s := newSimulation(met)
		met["run"]++
		node := rapid.Custom(func(t *rapid.T) *simNode { return s.nodes[below(len(s.nodes)).Draw(t, "node")] })
		subject := rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprint("subject", below(simSubjects).Draw(t, "subject"))
		})
		anySession := func(t *rapid.T) int { // which may not be there yet
			if s.next == 0 {
				return 0
			}
			return s.next - below(min(s.next, 6)).Draw(t, "session") // one of the latest, most of which live
		}
		// What cannot be done does nothing: rapid ends a run in which much is skipped.
		actions := map[string]func(*rapid.T){
			"time passes": func(t *rapid.T) {
				s.now += time.Duration(1+below(60).Draw(t, "ms")) * time.Millisecond
			},
			"sign in": func(t *rapid.T) {
				s.next++
				s.store.subjects[s.next] = subject.Draw(t, "of")
			},
			"revoke": func(t *rapid.T) {
				session := anySession(t)
				if session == 0 {
					return
				}
				s.end(Entry{Kind: Session, Hashes: [][32]byte{key(session)}}, func(x int) bool { return x == session })
			},
			"revoke all": func(t *rapid.T) {
				who := subject.Draw(t, "of")
				s.end(Entry{Kind: Subject, Subject: who}, func(x int) bool { return s.store.subjects[x] == who })
			},
			"revoke everything": func(t *rapid.T) {
				if below(4).Draw(t, "seldom") == 0 {
					s.end(Entry{Kind: All}, func(int) bool { return true })
				}
			},
			"send": func(t *rapid.T) { node.Draw(t, "by").send(s) },
			"execute": func(t *rapid.T) {
				n := node.Draw(t, "of")
				if f := n.flight(t, func(f *simFlight) bool { return f.reply == nil }); f != nil {
					s.execute(f)
				}
			},
			"receive": func(t *rapid.T) {
				n := node.Draw(t, "by")
				if f := n.flight(t, func(f *simFlight) bool { return f.reply != nil }); f != nil {
					n.receive(s, f)
				}
			},
			"tick": func(t *rapid.T) { // at once, up to what is to be done then
				n := node.Draw(t, "by")
				if f := n.send(s); f != nil {
					s.execute(f)
					n.receive(s, f)
				}
			},
			"act": func(t *rapid.T) {
				n := node.Draw(t, "by")
				if len(n.todo) == 0 {
					return
				}
				s.step(t, n)
			},
			"give up": func(t *rapid.T) {
				if n := node.Draw(t, "by"); n.machine.Sent() > 0 {
					n.machine.GiveUp(n.machine.Sent())
				}
			},
			"lapse": func(t *rapid.T) {
				n := node.Draw(t, "of")
				if len(n.todo) > 0 {
					return // it falls before or after what a reply brings
				}
				s.met["lapse"]++
				n.lapsed = n.machine.Sent()
				n.todo = n.machine.Lapse()
				s.step(t, n)
			},
			"disaster": func(t *rapid.T) {
				switch below(16).Draw(t, "kind") {
				case 0:
					s.met["crash"]++
					s.crash(below(len(s.nodes)).Draw(t, "node"))
				case 1:
					s.met["trim"]++
					s.store.tail = max(s.store.tail, uint64(below(len(s.store.log)+1).Draw(t, "tail")))
				case 2:
					s.met["restore"]++
					s.restore(below(len(s.store.log)+1).Draw(t, "as it was after"))
				}
			},
			"load": func(t *rapid.T) {
				n := node.Draw(t, "by")
				if session := anySession(t); session != 0 {
					n.loads = append(n.loads, &simLoad{session: session, mark: n.ring.Mark()})
				}
			},
			"load goes on": func(t *rapid.T) {
				n := node.Draw(t, "by")
				if len(n.loads) == 0 {
					return
				}
				i := below(len(n.loads)).Draw(t, "load")
				if s.advanceLoad(n, n.loads[i]) {
					n.loads = append(n.loads[:i], n.loads[i+1:]...)
				}
			},
		}
		turns := inTurn(actions)
		t.Repeat(map[string]func(*rapid.T){
			"": s.check,
			"step": func(t *rapid.T) {
				actions[turns[below(len(turns)).Draw(t, "action")]](t)
			},
		})
	})
	if !t.Failed() {
		met.enough(t)
	}
}

// below draws a number of at least 0 and less than n, each as often: rapid's own
// ranges and samples favour the first, so that most actions would hardly happen.
func below(n int) *rapid.Generator[int] {
	return rapid.Custom(func(t *rapid.T) int {
		v := 0
		for range 12 {
			v *= 2
			if rapid.Bool().Draw(t, "bit") {
				v++
			}
		}
		return v % n
	})
}

// inTurn lists the actions, those several times that take several to get
// anywhere.
func inTurn(actions map[string]func(*rapid.T)) (turns []string) {
	often := map[string]int{"act": 16, "tick": 4, "send": 2, "execute": 3, "receive": 3, "load": 4, "load goes on": 12, "sign in": 2, "revoke": 2}
	for name := range actions {
		for range max(1, often[name]) {
			turns = append(turns, name)
		}
	}
	slices.Sort(turns)
	return turns
}

// simMet counts what the simulation has met: what it never meets it does not
// test.
type simMet map[string]int

func (m simMet) enough(t *testing.T) {
	t.Log(m)
	for _, what := range []string{"entry applied", "reset", "lease", "lapse", "record put", "record not put",
		"crash", "restore", "trim", "late reply"} {
		if m[what]*20 < m["run"] {
			t.Errorf("in %d runs the simulation met %q %d times only", m["run"], what, m[what])
		}
	}
}
