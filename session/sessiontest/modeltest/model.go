// Package modeltest compares a session.Store with a small sequential model of
// what is valid, over random sequences of operations. It stands apart from the
// suite so that only those who run it depend on pgregory.net/rapid.
package modeltest

import (
	"time"

	"cloakroom/session"
)

// model says what should be true of a store. It is as plain as can be: no
// index, no token look-up, every question answered by going through all.
type model struct {
	latest   time.Time // that anything was judged by
	global   uint64
	subjects map[string]*subject
	sessions []*record
}

type subject struct {
	row     bool
	epoch   uint64
	version uint64 // 0 is not known yet: the row was made without an entry
	deleted bool
	profile string // its name, which is all of it
}

type record struct {
	id                           session.ID
	subject                      string
	own                          pair
	next, old                    *pair
	gone                         []pair // that it had
	bearer                       bool
	epochs                       session.Epochs
	created, seen, ends, expires time.Time
	idle                         time.Duration
	level                        uint8
	revoked                      time.Time
	swept                        bool
	data                         map[string]string
}

func (m *model) epochs(name string) session.Epochs {
	return session.Epochs{Subject: m.subjects[name].epoch, Global: m.global}
}

func (m *model) ended(r *record) bool {
	return r.swept || !r.revoked.IsZero() || r.epochs != m.epochs(r.subject)
}

func expired(r *record, at time.Time) bool { return !at.Before(r.ends) || !at.Before(r.expires) }

func (m *model) live(r *record) bool { return !m.ended(r) && !expired(r, m.latest) }

func (m *model) find(id session.ID) *record {
	for _, r := range m.sessions {
		if r.id == id && !r.swept {
			return r
		}
	}
	return nil
}

func (m *model) holder(token session.Hash) *record {
	for _, r := range m.sessions {
		if r.holds(token) && !r.swept {
			return r
		}
	}
	return nil
}

// refusals returns the errors that a creation may be refused with; none means
// that it must succeed.
func (m *model) refusals(c session.Creation) []error {
	var errs []error
	if m.subjects[c.Subject].deleted {
		return []error{session.ErrDeleted}
	}
	if c.Epochs != m.epochs(c.Subject) {
		errs = append(errs, session.ErrMoved)
	}
	if !c.Replace.IsZero() {
		if r := m.find(c.Replace); r == nil || r.subject != c.Subject || !m.live(r) {
			errs = append(errs, session.ErrNoSession)
		}
	}
	if over, candidates := m.crowd(c); over > len(candidates) {
		errs = append(errs, session.ErrSessionLimit)
	}
	return errs
}

// crowd returns how many sessions have to go for the limit, and those that may.
func (m *model) crowd(c session.Creation) (over int, candidates []*record) {
	if c.RevokeOthers {
		return 0, nil
	}
	over = 1 - c.Limit
	for _, r := range m.sessions {
		if r.subject == c.Subject && m.live(r) && r.id != c.Replace && !r.holds(c.Presented) {
			over++
			if r.level <= c.Level {
				candidates = append(candidates, r)
			}
		}
	}
	return max(over, 0), candidates
}

// create carries out a creation that was not refused. gone are those that went
// for the limit.
func (m *model) create(c session.Creation, gone []*record) {
	if p := m.holder(c.Presented); p != nil && p.id != c.Replace && !m.ended(p) {
		p.revoked = m.latest
	}
	for _, r := range gone {
		r.revoked = m.latest
	}
	sub := m.subjects[c.Subject]
	sub.row = true
	if c.RevokeOthers {
		sub.epoch++
	}
	if c.Profile != nil {
		sub.profile = c.Profile.Name
	}
	second := m.latest.Truncate(time.Second)
	r := m.find(c.Replace)
	if c.Replace.IsZero() {
		r = &record{id: c.ID, subject: c.Subject, created: second, data: make(map[string]string)}
		m.sessions = append(m.sessions, r)
	} else {
		r.forget()
	}
	r.own = pair{access: c.Token, refresh: c.Refresh, salt: c.Salt}
	if c.Refresh != (session.Hash{}) {
		r.own.ends = second.Add(c.TokenLifetime)
	}
	r.epochs, r.level, r.idle, r.bearer = m.epochs(c.Subject), c.Level, c.Idle, c.Bearer
	r.seen, r.expires = second, second.Add(c.Absolute)
	r.ends = earlier(second.Add(c.Idle), r.expires)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// apply carries out a change, or says why it is refused.
func (m *model) apply(c session.Change) error {
	if c.Kind == session.ChangeEverything {
		m.global++
		return nil
	}
	sub := m.subjects[c.Subject]
	if sub.deleted {
		if c.Kind == session.ChangeDelete {
			return nil
		}
		return session.ErrDeleted
	}
	r := m.find(c.Session)
	switch c.Kind {
	case session.ChangeRevoke:
		if r == nil || r.subject != c.Subject {
			return session.ErrNoSession
		}
		if !m.ended(r) {
			r.revoked = m.latest
		}
		return nil
	case session.ChangeOthers:
		if r == nil || r.subject != c.Subject || !m.live(r) {
			return session.ErrNoSession
		}
		sub.epoch++
		r.epochs = m.epochs(c.Subject)
	case session.ChangeAll:
		sub.epoch++
	case session.ChangeProfile:
		if c.Version != 0 && c.Version != sub.version {
			return session.ErrMoved
		}
		sub.profile = c.Profile.Name
	case session.ChangeDelete:
		sub.epoch++
		sub.profile, sub.deleted = "", true
	}
	sub.row = true
	return nil
}

func (m *model) touch(t session.Touch) {
	r := m.find(t.ID)
	if r == nil || m.ended(r) || expired(r, t.Seen) {
		return
	}
	seen := t.Seen.Truncate(time.Second)
	if seen.After(r.seen) {
		r.seen = seen
	}
	if ends := earlier(seen.Add(r.idle), r.expires); ends.After(r.ends) {
		r.ends = ends
	}
}

// sweep returns how many sessions were over for long.
func (m *model) sweep() int {
	before, n := m.latest.Add(-session.SweepAfter), 0
	for _, r := range m.sessions {
		over := r.ends.Before(before) || r.expires.Before(before)
		if !r.revoked.IsZero() {
			over = over || r.revoked.Before(before)
		} else if m.ended(r) {
			over = over || r.seen.Before(before)
		}
		if over && !r.swept {
			r.swept = true
			n++
		}
	}
	return n
}
