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
	errRevoked   = fmt.Errorf("%w: the session was revoked", ErrNoSession)
	errExpired   = fmt.Errorf("%w: the session has expired", ErrNoSession)
)

// Check decides about a token and counts as activity. It returns the session,
// ErrNoSession (revoked, expired, unknown or malformed), or ErrUnavailable if
// nothing could be decided: then answer 503 and leave the cookie alone.
func (m *Manager) Check(ctx context.Context, token string, c Consistency) (Session, error) {
	return m.check(ctx, token, c, true)
}

// Peek is Check without counting as activity: for a page that polls.
func (m *Manager) Peek(ctx context.Context, token string, c Consistency) (Session, error) {
	return m.check(ctx, token, c, false)
}

func (m *Manager) check(ctx context.Context, token string, c Consistency, counts bool) (Session, error) {
	key, ok := hashToken(token)
	if !ok {
		return Session{}, m.rejectMalformed()
	}
	if c == Fresh {
		if err := m.waitFresh(ctx); err != nil {
			return Session{}, err
		}
	}
	// The lease is read before the record. The other way round, a check that is
	// paused between the two would accept after a strict revocation returned.
	now := m.mono()
	if now < m.feed.Lease() {
		m.at("lease read")
		second := seconds(now)
		hit, state := m.cache.Get((*cache.Key)(&key), second, counts)
		switch {
		case state == cache.Dead:
			return Session{}, errRevoked
		case state == cache.Live && second < hit.Idle && second < hit.Absolute:
			return m.fromCache(&hit, second), nil
		}
	}
	return m.load(ctx, key, token, c, counts)
}

// fromCache is the session that a record shows.
func (m *Manager) fromCache(hit *cache.Hit, now int32) Session {
	return Session{
		id: hit.ID, who: identity(hit.Identity),
		created: m.wall(hit.Created), authenticated: m.wall(hit.Authenticated),
		idle: m.wall(hit.Idle), absolute: m.wall(hit.Absolute),
		age:   ageAt(now, hit.Authenticated),
		level: hit.Level, methods: Methods(hit.Methods),
	}
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
