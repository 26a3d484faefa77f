package memory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cloakroom/session"
)

// Tick answers with what follows after, and with a lease: this process holds
// the one log there is.
func (s *Store) Tick(ctx context.Context, after session.Position, limit int) (session.Batch, error) {
	if err := ctx.Err(); err != nil {
		return session.Batch{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := session.Batch{Head: s.state.head(), Lease: session.LeaseTimed}
	following, ok := s.state.following(after)
	if !ok {
		batch.Reset = true
		return batch, nil
	}
	batch.Entries = slices.Clone(following[:min(limit, len(following))])
	return batch, nil
}

// following returns the entries after a position, and whether that position is
// one of this log.
func (s *state) following(after session.Position) ([]session.Entry, bool) {
	if after.Incarnation != s.incarnation ||
		after.Number < s.cut.Number || after.Number > s.head().Number {
		return nil, false
	}
	n := after.Number - s.cut.Number
	nonce := s.cut.Nonce
	if n > 0 {
		nonce = s.log[n-1].Nonce
	}
	return s.log[n:], after.Nonce == nonce
}

// Apply carries out one change.
func (s *Store) Apply(ctx context.Context, now time.Time, c session.Change, joins []session.Join) (session.Position, error) {
	var position session.Position
	err := s.transact(ctx, joins, func() error {
		if err := s.state.apply(c, s.judge(now)); err != nil {
			return err
		}
		position = s.state.head()
		return nil
	})
	return position, err
}

// apply checks and then changes: a change that is refused leaves no trace.
func (s *state) apply(c session.Change, now time.Time) error {
	if sub := s.subjects[c.Subject]; sub != nil && sub.info.Deleted {
		if c.Kind == session.ChangeDelete {
			return nil
		}
		return session.ErrDeleted
	}
	switch c.Kind {
	case session.ChangeRevoke:
		return s.revokeOne(c, now)
	case session.ChangeOthers:
		return s.revokeOthers(c, now)
	case session.ChangeAll:
		sub := s.row(c.Subject)
		sub.epoch++
		s.changed(sub, now)
	case session.ChangeEverything:
		s.epoch++
		s.append(session.Entry{At: now, Kind: session.EntryAll})
	case session.ChangeProfile:
		return s.setProfile(c, now)
	case session.ChangeDelete:
		sub := s.row(c.Subject)
		sub.epoch++
		sub.info.Profile, sub.info.Deleted = session.Profile{}, true
		s.changed(sub, now)
	default:
		return fmt.Errorf("%w: change of kind %d", session.ErrInvalid, c.Kind)
	}
	return nil
}

// revokeOne ends a session that has only expired, too: a touch from before its
// limit would otherwise bring it back.
func (s *state) revokeOne(c session.Change, now time.Time) error {
	r := s.sessions[c.Session]
	if r == nil || r.subject != c.Subject {
		return session.ErrNoSession
	}
	if !s.ended(r) {
		s.revoke(r, now)
	}
	return nil
}

func (s *state) revokeOthers(c session.Change, now time.Time) error {
	r, err := s.find(c.Session, now)
	if err != nil {
		return err
	}
	if r.subject != c.Subject {
		return session.ErrNoSession
	}
	sub := s.row(c.Subject)
	sub.epoch++
	r.epochs = s.epochs(c.Subject)
	s.changed(sub, now)
	return nil
}

func (s *state) setProfile(c session.Change, now time.Time) error {
	var version uint64
	if sub := s.subjects[c.Subject]; sub != nil {
		version = sub.info.Version
	}
	if c.Version != 0 && c.Version != version {
		return session.ErrMoved
	}
	sub := s.row(c.Subject)
	sub.info.Profile = copyProfile(c.Profile)
	s.changed(sub, now)
	return nil
}
