package feed

import (
	"crypto/sha256"
	"sync"
)

// RingSize is how many names of applied entries a Ring remembers.
const RingSize = 65536

// Mark is a place in a Ring. Take one before a load is sent.
type Mark struct{ generation, added uint64 }

// Ring remembers the latest applied entries, so that what was read before one
// of them was applied is not put into the cache after it. Safe for concurrent
// use; its lock is taken last, under the cache's.
type Ring struct {
	mu         sync.Mutex // guards all below
	generation uint64
	added      uint64 // names added in this generation
	slots      []name // the latest of them; slot i holds the names with added % RingSize == i
}

// name is one thing that an entry named. It holds no pointer, so that a full
// ring costs the garbage collector nothing.
type name struct {
	number, nonce uint64
	kind          Kind
	key           [32]byte // Session: the hash, also of Superseded; Subject: the SHA-256 of the subject
}

// Reset empties the ring under a new generation: every Mark taken before names
// everything.
func (r *Ring) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generation++
	r.added = 0
	r.slots = r.slots[:0]
}

// Add remembers an entry.
func (r *Ring) Add(e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := name{number: e.Number, nonce: e.Nonce, kind: e.Kind}
	if e.Kind == Superseded {
		n.kind = Session // what is old news of it is the same
	}
	if e.Kind == Subject {
		n.key = sha256.Sum256([]byte(e.Subject))
	}
	if n.kind != Session || len(e.Hashes) == 0 {
		r.push(n)
		return
	}
	for _, n.key = range e.Hashes {
		r.push(n)
	}
}

func (r *Ring) push(n name) {
	if len(r.slots) < RingSize {
		r.slots = append(r.slots, n)
	} else {
		r.slots[r.added%RingSize] = n
	}
	r.added++
}

// Mark returns the present place.
func (r *Ring) Mark() Mark {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Mark{r.generation, r.added}
}

// Names reports whether anything applied since the mark concerns the session
// with this key or this subject: an entry for one of them, a reset, or more
// entries than the ring holds. It is the one rule that keeps old news out of
// the cache.
func (r *Ring) Names(since Mark, key *[32]byte, subject string) bool {
	return r.since(since, func(n *name) bool {
		if n.kind == Session {
			return n.key == *key
		}
		return n.kind != Subject || n.key == sha256.Sum256([]byte(subject))
	})
}

// NamesAny is Names for a session whose subject is not known yet: an entry for
// any subject concerns it.
func (r *Ring) NamesAny(since Mark, key *[32]byte) bool {
	return r.since(since, func(n *name) bool { return n.kind != Session || n.key == *key })
}

func (r *Ring) since(m Mark, concerns func(*name) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.generation != r.generation || r.added-m.added > RingSize {
		return true
	}
	for i := m.added; i < r.added; i++ {
		if concerns(&r.slots[i%RingSize]) {
			return true
		}
	}
	return false
}

// Holds reports whether the entry with this number and nonce was applied
// lately. A number alone never counts: after a restored backup the same number
// is another entry.
func (r *Ring) Holds(p Position) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := r.added - uint64(len(r.slots))
	for i := r.added; i > oldest; i-- {
		n := &r.slots[(i-1)%RingSize]
		if n.number < p.Number {
			return false
		}
		if n.number == p.Number && n.nonce == p.Nonce {
			return true
		}
	}
	return false
}
