package memory

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"maps"
	"slices"

	"cloakroom/session"
)

// Snapshot is the state of a Store at one moment, for Restore. The zero
// Snapshot is an empty store.
type Snapshot struct {
	state state
	taken bool
}

// Snapshot returns the present state. It is for tests.
func (s *Store) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Snapshot{state: s.state.clone(), taken: true}
}

// Restore brings back an older state, as a restore from a backup does, or, with
// the zero Snapshot, FLUSHALL: under a new incarnation, with every session ended
// and with no word to the nodes, which have to find out by themselves. Numbers
// of the log are given out again. It is for tests.
func (s *Store) Restore(snapshot Snapshot) {
	restored := newState()
	if snapshot.taken {
		restored = snapshot.state.clone()
		restored.incarnation = newIncarnation()
	}
	// A random step, not one: an epoch that was lost with what came after the
	// snapshot must not be reached again by counting, or a sign-in begun under
	// it would pass.
	var step [4]byte
	_, _ = rand.Read(step[:])
	restored.epoch += 1 + uint64(binary.BigEndian.Uint32(step[:]))

	s.mu.Lock()
	defer s.mu.Unlock()
	restored.append(session.Entry{At: s.latest, Kind: session.EntryAll})
	s.state = restored
}

func (s *state) clone() state {
	c := *s
	c.log = slices.Clone(s.log)
	c.subjects = make(map[string]*subject, len(s.subjects))
	for name, sub := range s.subjects {
		row := *sub
		row.sessions = make(map[session.ID]*record, len(sub.sessions))
		c.subjects[name] = &row
	}
	c.sessions = make(map[session.ID]*record, len(s.sessions))
	c.tokens = make(map[session.Hash]*record, len(s.tokens))
	for id, r := range s.sessions {
		row := *r
		row.data = maps.Clone(r.data)
		for k, v := range row.data {
			row.data[k] = bytes.Clone(v)
		}
		c.sessions[id] = &row
		row.next, row.old = copyPair(r.next), copyPair(r.old)
		for _, token := range row.tokens() {
			c.tokens[token] = &row
		}
		if sub := c.subjects[row.subject]; sub != nil {
			sub.sessions[id] = &row
		}
	}
	return c
}

func copyPair(p *pair) *pair {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}
