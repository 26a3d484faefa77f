package memory

import (
	"context"
	"errors"
	"time"

	"cloakroom/session"
)

var errForeignPair = errors.New("memory: a refresh token is followed by another pair than was derived of it before")

// Renew answers a refresh token.
func (s *Store) Renew(ctx context.Context, now time.Time, r session.Renewal) (session.Renewed, error) {
	var renewed session.Renewed
	err := s.transact(ctx, nil, func() (err error) {
		renewed, err = s.state.renew(r, s.judge(now))
		return err
	})
	return renewed, err
}

func (s *state) renew(r session.Renewal, now time.Time) (session.Renewed, error) {
	of := s.tokens[r.Refresh]
	if of == nil {
		return session.Renewed{}, session.ErrNoSession
	}
	if s.subjects[of.subject] == nil {
		return session.Renewed{}, errNoSubject
	}
	place, p := of.place(r.Refresh)
	if p.refresh != r.Refresh {
		return session.Renewed{}, session.ErrNoSession
	}
	renewed := session.Renewed{Salt: p.salt, Own: of.own.access}
	renewed.Reused = place == session.Superseded && !now.Before(p.grace)
	if !s.live(of, now) || renewed.Reused {
		renewed.Loaded = s.loaded(of, of.own.access, now)
		renewed.Place = place
		return renewed, nil
	}
	if of.row.Bearer != r.Bearer || r.Beside != (session.Hash{}) && r.Beside != p.access {
		return session.Renewed{}, session.ErrNoSession
	}
	follows := of.next
	switch place {
	case session.Superseded:
		follows = &of.own
	case session.Next:
		follows = nil
	}
	access, refresh := r.Derive(p.salt)
	switch {
	case follows == nil && (s.tokens[access] != nil || s.tokens[refresh] != nil):
		return session.Renewed{}, errPresent
	case follows != nil && (follows.access != access || follows.refresh != refresh):
		return session.Renewed{}, errForeignPair
	}
	if place == session.Next {
		s.confirm(of, now, r.Grace)
		renewed.Own, renewed.Position = of.own.access, s.head()
	}
	if follows == nil {
		of.next = &pair{access: access, refresh: refresh, salt: r.Salt}
		s.know(of, *of.next)
	}
	if place != session.Superseded {
		of.next.ends = now.Truncate(time.Second).Add(r.Lifetime)
	}
	renewed.Loaded = s.loaded(of, access, now)
	renewed.Place = place
	return renewed, nil
}

// Confirm makes an unconfirmed pair the session's own.
func (s *Store) Confirm(ctx context.Context, now time.Time, token session.Hash, grace time.Duration) (session.Position, error) {
	var position session.Position
	err := s.transact(ctx, nil, func() error {
		now := s.judge(now)
		r := s.state.tokens[token]
		if r == nil || !s.state.live(r, now) {
			return session.ErrNoSession
		}
		place, p := r.place(token)
		if p.access != token {
			return session.ErrNoSession
		}
		if place == session.Next {
			s.state.confirm(r, now, grace)
		}
		position = s.state.head()
		return nil
	})
	return position, err
}

// confirm makes the next pair the session's own, with the entry that says so.
func (s *state) confirm(r *record, now time.Time, grace time.Duration) {
	if r.old != nil {
		s.forget(r.old.access, r.old.refresh)
	}
	old := r.own
	old.grace = now.Truncate(time.Second).Add(grace)
	r.own, r.next, r.old = *r.next, nil, &old
	s.append(session.Entry{
		At: now, Kind: session.EntrySuperseded, Hashes: []session.Hash{old.access, old.refresh},
	})
}

// know makes a session be found by a pair of its tokens.
func (s *state) know(r *record, p pair) {
	s.tokens[p.access] = r
	if p.refresh != (session.Hash{}) {
		s.tokens[p.refresh] = r
	}
}

func (s *state) forget(tokens ...session.Hash) {
	for _, token := range tokens {
		delete(s.tokens, token)
	}
}
