package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"cloakroom/session"
)

var errPresent = errors.New("memory: a session with this id or token is present")

// Create begins or continues a session.
func (s *Store) Create(ctx context.Context, now time.Time, c session.Creation, joins []session.Join) (session.Created, error) {
	var created session.Created
	err := s.transact(ctx, joins, func() error {
		now := s.judge(now)
		ends, err := s.state.admit(c, now)
		if err != nil {
			return err
		}
		before := s.state.head()
		r := s.state.create(c, ends, now)
		created.Loaded = s.state.loaded(r, c.Token, now)
		if head := s.state.head(); head != before {
			created.Position = head
		}
		return nil
	})
	return created, err
}

// admit decides whether the creation may go ahead, and returns the sessions
// that end with it by an entry of their own. It changes nothing.
func (s *state) admit(c session.Creation, now time.Time) ([]*record, error) {
	if sub := s.subjects[c.Subject]; sub != nil && sub.info.Deleted {
		return nil, session.ErrDeleted
	}
	if c.Epochs != s.epochs(c.Subject) {
		return nil, session.ErrMoved
	}
	if s.tokens[c.Token] != nil || s.tokens[c.Refresh] != nil {
		return nil, errPresent
	}
	if c.Replace.IsZero() {
		if s.sessions[c.ID] != nil {
			return nil, errPresent
		}
	} else {
		r, err := s.find(c.Replace, now)
		if err != nil {
			return nil, err
		}
		if r.subject != c.Subject {
			return nil, session.ErrNoSession
		}
	}
	var presented *record
	if c.Presented != (session.Hash{}) {
		presented = s.tokens[c.Presented]
	}
	if presented != nil {
		if _, p := presented.place(c.Presented); p.access != c.Presented {
			presented = nil // a refresh token, which nobody presents here
		}
	}
	if presented != nil && (presented.row.ID == c.Replace || s.ended(presented)) {
		presented = nil
	}
	return s.makeRoom(c, presented, now)
}

// makeRoom adds to the session that was presented, if any, those that have to
// go for the limit: the longest unseen, and none of a higher level.
func (s *state) makeRoom(c session.Creation, presented *record, now time.Time) ([]*record, error) {
	var ends []*record
	if presented != nil {
		ends = append(ends, presented)
	}
	sub := s.subjects[c.Subject]
	if sub == nil || c.RevokeOthers {
		return ends, nil
	}
	over := 1 - c.Limit
	var candidates []*record
	for _, r := range sub.sessions {
		if r == presented || r.row.ID == c.Replace || !s.live(r, now) {
			continue
		}
		over++
		if r.row.Level <= c.Level {
			candidates = append(candidates, r)
		}
	}
	if over <= 0 {
		return ends, nil
	}
	if over > len(candidates) {
		return nil, session.ErrSessionLimit
	}
	slices.SortFunc(candidates, func(a, b *record) int {
		return cmp.Or(
			a.row.LastSeen.Compare(b.row.LastSeen),
			a.row.Created.Compare(b.row.Created),
			bytes.Compare(a.row.ID[:], b.row.ID[:]),
		)
	})
	return append(ends, candidates[:over]...), nil
}

// create carries out what was admitted. It cannot fail.
func (s *state) create(c session.Creation, ends []*record, now time.Time) *record {
	var r *record
	if !c.Replace.IsZero() {
		r = s.sessions[c.Replace]
		s.append(session.Entry{At: now, Kind: session.EntrySession, Hashes: r.tokens()})
		s.forget(r.tokens()...)
		r.next, r.old = nil, nil
	}
	for _, e := range ends {
		s.revoke(e, now)
	}
	sub := s.row(c.Subject)
	if c.RevokeOthers {
		sub.epoch++
	}
	differs := c.Profile != nil && !c.Profile.Equal(sub.info.Profile)
	if differs {
		sub.info.Profile = copyProfile(*c.Profile)
	}
	if c.RevokeOthers || differs {
		s.changed(sub, now)
	}

	second := now.Truncate(time.Second)
	if r == nil {
		r = &record{
			row:     session.Row{ID: c.ID, Created: second, Remember: c.Remember},
			subject: c.Subject,
			data:    make(map[string][]byte),
		}
		s.sessions[c.ID] = r
		sub.sessions[c.ID] = r
	}
	r.row.Authenticated, r.row.LastSeen = second, second
	r.row.IdleEnds, r.row.Absolute = earlier(second.Add(c.Idle), second.Add(c.Absolute)), second.Add(c.Absolute)
	r.row.Level, r.row.Methods, r.row.Bearer = c.Level, c.Methods, c.Bearer
	label := cmp.Or(c.Client.Label, r.client.Label)
	r.idle, r.client = c.Idle, c.Client
	r.client.Label = label
	r.epochs = s.epochs(c.Subject)
	r.own = pair{access: c.Token}
	if c.Refresh != (session.Hash{}) {
		r.own = pair{access: c.Token, refresh: c.Refresh, salt: c.Salt, ends: second.Add(c.TokenLifetime)}
	}
	s.know(r, r.own)
	return r
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
