package session

import (
	"context"
	"fmt"

	"cloakroom/session/internal/cache"
)

// Consistency says how current a check has to be.
type Consistency uint8

const (
	// Cached answers from memory when it can: every revocation that returned
	// on this node is seen, every other one within Config.Delta.
	Cached Consistency = iota
	// Fresh sees every revocation that returned, anywhere, before the check
	// began. It costs a round trip to the store, which checks share.
	Fresh
)

// The rejections. They differ in their text only, for logs.
var (
	errMalformed = fmt.Errorf("%w: the token is malformed", ErrNoSession)
	errInvented  = fmt.Errorf("%w: the token was not made here", ErrNoSession)
	errUnknown   = fmt.Errorf("%w: the token is unknown", ErrNoSession)
	errExpired   = fmt.Errorf("%w: the session has expired", ErrNoSession)
	errRevoked   = fmt.Errorf("%w: the session was revoked", ErrNoSession)
	errReplaced  = fmt.Errorf("%w: the token has a successor", ErrNoSession)
)

// expiredError is the rejection of a session that a late use, or a renewal, could
// still bring back, unless it is revoked. Its cause is ErrTokenEnded, or another
// ErrNoSession.
type expiredError struct {
	subject string
	id      ID
	cause   error
}

func (e *expiredError) Error() string { return e.cause.Error() }
func (e *expiredError) Unwrap() error { return e.cause }

// Check decides about a token and counts as activity. It returns the session,
// ErrNoSession (revoked, expired, unknown or malformed), or ErrUnavailable if
// nothing could be decided: then answer 503 and leave the cookie alone.
func (m *Manager) Check(ctx context.Context, token string, c Consistency) (s Session, err error) {
	err = m.check(ctx, token, c, true, &s)
	return s, err
}

// Peek is Check without counting as activity: for a page that polls.
func (m *Manager) Peek(ctx context.Context, token string, c Consistency) (s Session, err error) {
	err = m.check(ctx, token, c, false, &s)
	return s, err
}

// check fills in s, and leaves it as it is with every error.
func (m *Manager) check(ctx context.Context, token string, c Consistency, counts bool, s *Session) (err error) {
	key, ok := hashToken(token)
	if !ok {
		return m.rejectMalformed()
	}
	if c == Fresh {
		if err := m.waitFresh(ctx); err != nil {
			return err
		}
	}
	// The lease is read before the record. The other way round, a check that is
	// paused between the two would accept after a strict revocation returned.
	now := m.mono()
	if now < m.feed.Lease() {
		m.at("lease read")
		second := seconds(now)
		var hit cache.Hit
		switch state := m.cache.Get((*cache.Key)(&key), second, counts, &hit); {
		case state == cache.Dead:
			return errRevoked
		case state == cache.Live && second < hit.Idle && second < hit.Ends:
			m.fill(s, &hit, second)
			return nil
		}
	}
	*s, err = m.load(ctx, key, token, c, counts)
	return err
}

// fill makes s the session that a record shows. Field by field: a Session that
// is copied whole right after it was made costs a tenth of a check.
func (m *Manager) fill(s *Session, hit *cache.Hit, now int32) {
	s.id, s.who = hit.ID, identity(hit.Identity)
	s.created, s.authenticated = m.wall(hit.Created), m.wall(hit.Authenticated)
	s.idle, s.absolute, s.ends = m.wall(hit.Idle), m.wall(hit.Absolute), m.wall(hit.Ends)
	s.age = ageAt(now, hit.Authenticated)
	s.level, s.methods = hit.Level, Methods(hit.Methods)
}

func (m *Manager) rejectMalformed() error {
	if !m.running.Load() {
		return errNotRunning
	}
	return errMalformed
}

func (m *Manager) waitFresh(ctx context.Context) error {
	if !m.running.Load() {
		return errNotRunning
	}
	if err := m.feed.WaitFresh(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}
