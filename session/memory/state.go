package memory

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"cloakroom/session"
)

// state is everything that a restore replaces.
type state struct {
	incarnation [16]byte
	epoch       uint64 // the global one
	subjects    map[string]*subject
	sessions    map[session.ID]*record
	tokens      map[session.Hash]*record // by each of its tokens, also of an ended session
	cut         session.Position         // the entry before the first of log
	log         []session.Entry
}

// subject is a subject's row.
type subject struct {
	info     session.SubjectInfo
	epoch    uint64
	sessions map[session.ID]*record
}

// record is a session's row.
type record struct {
	row     session.Row
	subject string
	own     pair
	next    *pair          // derived of own, and not presented yet
	old     *pair          // what own was before
	epochs  session.Epochs // that it was issued under
	idle    time.Duration  // how long it lasts unseen
	client  session.Client
	revoked time.Time // zero: it was not
	data    map[string][]byte
}

// pair is a session's token and, if it is renewable, the refresh token beside it.
type pair struct {
	access, refresh session.Hash
	salt            session.Salt
	// ends is when the access token does: never where the session is not renewable.
	// Of what was superseded both tokens have ended by grace.
	ends, grace time.Time
}

// tokens are all that the session has, in no order.
func (r *record) tokens() (all []session.Hash) {
	for _, p := range []*pair{&r.own, r.next, r.old} {
		if p == nil {
			continue
		}
		all = append(all, p.access)
		if p.refresh != (session.Hash{}) {
			all = append(all, p.refresh)
		}
	}
	return all
}

// place returns which pair the token is of.
func (r *record) place(token session.Hash) (session.Place, *pair) {
	of := func(p *pair) bool { return p != nil && (p.access == token || p.refresh == token) }
	switch {
	case of(r.next):
		return session.Next, r.next
	case of(r.old):
		return session.Superseded, r.old
	}
	return session.Own, &r.own
}

// newState returns an empty store's. Its log begins after number 1, so that a
// subject made without an entry has a version other than 0, which means any.
func newState() state {
	return state{
		cut:         session.Position{Number: 1},
		incarnation: newIncarnation(),
		epoch:       1,
		subjects:    make(map[string]*subject),
		sessions:    make(map[session.ID]*record),
		tokens:      make(map[session.Hash]*record),
	}
}

func newIncarnation() (incarnation [16]byte) {
	_, _ = rand.Read(incarnation[:])
	return incarnation
}

// epochs returns what a sign-in that begins now stands under.
func (s *state) epochs(name string) session.Epochs {
	epochs := session.Epochs{Subject: 1, Global: s.epoch}
	if sub := s.subjects[name]; sub != nil {
		epochs.Subject = sub.epoch
	}
	return epochs
}

// row returns the subject's row, and makes it where there is none.
func (s *state) row(name string) *subject {
	sub := s.subjects[name]
	if sub == nil {
		sub = &subject{
			info:     session.SubjectInfo{Subject: name, Version: s.head().Number},
			epoch:    1,
			sessions: make(map[session.ID]*record),
		}
		s.subjects[name] = sub
	}
	return sub
}

// ended reports whether the session is over for good. One that has only expired
// is not: a touch from before its idle limit may still arrive.
func (s *state) ended(r *record) bool {
	sub := s.subjects[r.subject]
	return !r.revoked.IsZero() || sub == nil ||
		r.epochs != session.Epochs{Subject: sub.epoch, Global: s.epoch}
}

func (s *state) live(r *record, now time.Time) bool {
	return !s.ended(r) && !r.expired(now)
}

func (r *record) expired(at time.Time) bool {
	return !at.Before(r.row.IdleEnds) || !at.Before(r.row.Absolute)
}

// find returns a session that is live at now, or ErrNoSession.
func (s *state) find(id session.ID, now time.Time) (*record, error) {
	r := s.sessions[id]
	switch {
	case r == nil:
		return nil, session.ErrNoSession
	case s.subjects[r.subject] == nil:
		return nil, errNoSubject
	case !s.live(r, now):
		return nil, session.ErrNoSession
	}
	return r, nil
}

// append writes one entry to the log and returns its number.
func (s *state) append(e session.Entry) uint64 {
	var nonce [8]byte
	_, _ = rand.Read(nonce[:])
	e.Nonce = binary.BigEndian.Uint64(nonce[:])
	e.Number = s.head().Number + 1
	s.log = append(s.log, e)
	return e.Number
}

// trim cuts the log to its latest entries.
func (s *state) trim(tail int) {
	if over := len(s.log) - tail; over > 0 {
		last := s.log[over-1]
		s.cut = session.Position{Number: last.Number, Nonce: last.Nonce}
		s.log = s.log[over:]
	}
}

func (s *state) head() session.Position {
	head := s.cut
	if n := len(s.log); n > 0 {
		head = session.Position{Number: s.log[n-1].Number, Nonce: s.log[n-1].Nonce}
	}
	head.Incarnation = s.incarnation
	return head
}

// revoke ends a session, with the entry that says so.
func (s *state) revoke(r *record, now time.Time) {
	r.revoked = now
	s.append(session.Entry{At: now, Kind: session.EntrySession, Hashes: r.tokens()})
}

// changed logs that the subject is no longer what it was.
func (s *state) changed(sub *subject, now time.Time) {
	sub.info.Version = s.append(session.Entry{
		At: now, Kind: session.EntrySubject, Subject: sub.info.Subject,
	})
}

// loaded describes the session as it stands at now, for one of its access tokens.
func (s *state) loaded(r *record, token session.Hash, now time.Time) session.Loaded {
	place, p := r.place(token)
	ends := r.row.Absolute
	if !p.ends.IsZero() {
		ends = earlier(ends, p.ends)
	}
	if place == session.Superseded {
		ends = earlier(ends, p.grace)
	}
	return session.Loaded{
		Place:        place,
		TokenLeft:    ends.Sub(now),
		Session:      r.row,
		Subject:      copyInfo(s.subjects[r.subject].info),
		Ended:        s.ended(r),
		IdleLeft:     r.row.IdleEnds.Sub(now),
		AbsoluteLeft: r.row.Absolute.Sub(now),
		Age:          now.Sub(r.row.Authenticated),
	}
}

func copyInfo(info session.SubjectInfo) session.SubjectInfo {
	info.Profile = copyProfile(info.Profile)
	return info
}

func copyProfile(p session.Profile) session.Profile {
	p.Roles = slices.Clone(p.Roles)
	p.Attributes = slices.Clone(p.Attributes)
	return p
}
