package memory

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"cloakroom/session"
)

// Load reads one session and its subject.
func (s *Store) Load(ctx context.Context, now time.Time, token session.Hash) (session.Loaded, error) {
	if err := ctx.Err(); err != nil {
		return session.Loaded{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.state.tokens[token]
	if r == nil {
		return session.Loaded{}, session.ErrNoSession
	}
	if s.state.subjects[r.subject] == nil {
		return session.Loaded{}, errNoSubject
	}
	if _, p := r.place(token); p.refresh == token {
		return session.Loaded{}, session.ErrNoSession
	}
	return s.state.loaded(r, token, s.judge(now)), nil
}

// Touch records when sessions were last seen.
func (s *Store) Touch(ctx context.Context, _ time.Time, touches []session.Touch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range touches {
		r := s.state.sessions[t.ID]
		if r == nil || s.state.ended(r) || r.expired(t.Seen) {
			continue
		}
		r.seen(t.Seen.Truncate(time.Second))
	}
	return nil
}

// seen moves the idle limit, but never back and never past the absolute one.
func (r *record) seen(at time.Time) {
	if at.After(r.row.LastSeen) {
		r.row.LastSeen = at
	}
	ends := earlier(at.Add(r.idle), r.row.Absolute)
	if ends.After(r.row.IdleEnds) {
		r.row.IdleEnds = ends
	}
}

// List returns live sessions, newest first.
func (s *Store) List(ctx context.Context, now time.Time, name, after string, limit int) ([]session.Details, string, error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	from, err := parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now = s.judge(now)
	sub := s.state.subjects[name]
	if sub == nil {
		return nil, "", nil
	}
	var page []*record
	for _, r := range sub.sessions {
		if s.state.live(r, now) && (after == "" || newestFirst(from, r.row) < 0) {
			page = append(page, r)
		}
	}
	slices.SortFunc(page, func(a, b *record) int { return newestFirst(a.row, b.row) })
	next := ""
	if len(page) > limit {
		page = page[:limit]
		next = cursor(page[limit-1].row)
	}
	details := make([]session.Details, len(page))
	for i, r := range page {
		details[i] = r.details()
	}
	return details, next, nil
}

func newestFirst(a, b session.Row) int {
	return cmp.Or(b.Created.Compare(a.Created), bytes.Compare(b.ID[:], a.ID[:]))
}

func (r *record) details() session.Details {
	return session.Details{
		ID:              r.row.ID,
		CreatedAt:       r.row.Created,
		AuthenticatedAt: r.row.Authenticated,
		LastSeenAt:      r.row.LastSeen,
		IdleExpiresAt:   r.row.IdleEnds,
		ExpiresAt:       r.row.Absolute,
		Level:           int(r.row.Level),
		Methods:         r.row.Methods,
		Client:          r.client,
		Bearer:          r.row.Bearer,
	}
}

// A cursor is the place of a session in the order of the list, so that it holds
// also when that session is gone: created (8 bytes) and id (16), in base64url.

var cursorText = base64.RawURLEncoding.Strict()

func cursor(row session.Row) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(row.Created.Unix()))
	return cursorText.EncodeToString(append(b, row.ID[:]...))
}

func parseCursor(text string) (session.Row, error) {
	if text == "" {
		return session.Row{}, nil
	}
	b, err := cursorText.DecodeString(text)
	if err != nil || len(b) != 24 || len(text) != 32 {
		return session.Row{}, fmt.Errorf("%w: cursor", session.ErrInvalid)
	}
	created := time.Unix(int64(binary.BigEndian.Uint64(b)), 0)
	return session.Row{Created: created, ID: session.ID(b[8:])}, nil
}

// Sweep deletes sessions that are long over.
func (s *Store) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.judge(now).Add(-session.SweepAfter)
	swept := 0
	for id, r := range s.state.sessions {
		if swept >= limit {
			break
		}
		if !s.state.overBy(r, before) {
			continue
		}
		delete(s.state.sessions, id)
		s.state.forget(r.tokens()...)
		if sub := s.state.subjects[r.subject]; sub != nil {
			delete(sub.sessions, id)
		}
		swept++
	}
	return swept, nil
}

// overBy reports whether the session was revoked, expired, or was last seen
// under an epoch that has moved since, before the given time.
func (s *state) overBy(r *record, before time.Time) bool {
	switch {
	case !r.revoked.IsZero() && r.revoked.Before(before):
		return true
	case s.ended(r) && r.revoked.IsZero() && r.row.LastSeen.Before(before):
		return true
	}
	return r.row.IdleEnds.Before(before) || r.row.Absolute.Before(before)
}
