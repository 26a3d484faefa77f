package session

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"
)

// renewalGrace is how long what has a successor that was presented is still taken:
// requests that were sent before are answered, and a renewal whose reply was lost is
// answered again.
const renewalGrace = 10 * time.Second

// errNotConfirmed is for a store that does not keep the promise of Confirm.
var errNotConfirmed = fmt.Errorf("%w: the store did not confirm a renewed token", ErrUnavailable)

// ReusedError is the rejection of a refresh token that has a successor which was
// presented: two hold what only one was given, and nobody can tell which of them is
// the thief. It is an ErrNoSession.
type ReusedError struct {
	Subject string
	Session ID
}

func (e *ReusedError) Error() string {
	return ErrNoSession.Error() + ": the refresh token was used already; whoever holds it may have stolen it"
}

func (e *ReusedError) Unwrap() error { return ErrNoSession }

// parseRefresh returns the hash of a text that may be a refresh token.
func parseRefresh(text string) (hash Hash, ok bool) {
	if len(text) != tokenLen || text[:len(refreshKind)] != refreshKind {
		return Hash{}, false
	}
	return sha256.Sum256([]byte(text)), true
}

// newTokens makes the tokens of a session that is to be created.
func (m *Manager) newTokens(renewable bool, c *Creation) (t Token) {
	t.text, c.Token = newText(&m.terms.TokenKey, kindOf(c.Bearer))
	if renewable {
		t.refresh, c.Refresh = newText(&m.terms.TokenKey, refreshKind)
		c.Salt, c.TokenLifetime = newSalt(), m.cfg.TokenLifetime
	}
	return t
}

func newSalt() (s Salt) {
	_, _ = rand.Read(s[:]) // never fails: crypto/rand ends the program instead
	return s
}

// follow derives the pair that follows a refresh token. Without its text nobody can,
// and whoever has it gets the same again: a reply that was lost is asked for once
// more.
func follow(key *[32]byte, refresh, kind string, salt Salt) (t Token, access, next Hash) {
	derive := func(kind string) (string, Hash) {
		mac := hmac.New(sha256.New, []byte(refresh))
		_, _ = io.WriteString(mac, kind)
		_, _ = mac.Write(salt[:])
		return textOf(key, kind, (*[32]byte)(mac.Sum(nil)))
	}
	t.text, access = derive(kind)
	t.refresh, next = derive(refreshKind)
	return t, access, next
}

// Renew gives the next token of a renewable session whose token travels in the
// Authorization header (Grant.Bearer), for its refresh token, with a new refresh token
// beside it. Asked again with the same it gives the same. The new pair takes the old
// one's place when either of it is presented; from then on the old one lives for ten
// seconds more. It is no activity: a session that nobody uses ends though it is
// renewed.
//
// ErrNoSession if the session is over or unknown, or its token is in a cookie: that one
// is renewed by RenewRequest. A refresh token that was used before, and whose successor
// was presented, is a *ReusedError: the session has been revoked by then, together with
// the joins that Config.Reused returns.
func (m *Manager) Renew(ctx context.Context, refresh string) (Token, Session, error) {
	token, _, s, err := m.renewed(ctx, refresh, Hash{})
	return token, s, err
}

// renewed renews the session of a cookie, in which beside was presented, or without
// that one of the header, and returns what the store answered as well.
func (m *Manager) renewed(ctx context.Context, refresh string, beside Hash) (Token, Renewed, Session, error) {
	hash, ok := parseRefresh(refresh)
	bearer := beside == Hash{}
	switch {
	case !m.running.Load():
		return Token{}, Renewed{}, Session{}, errNotRunning
	case !ok:
		return Token{}, Renewed{}, Session{}, errMalformed
	case !genuine(&m.terms.TokenKey, refresh):
		return Token{}, Renewed{}, Session{}, errInvented
	}
	renewal := Renewal{
		Refresh: hash, Bearer: bearer, Beside: beside,
		Lifetime: m.cfg.TokenLifetime, Grace: renewalGrace,
		Derive: func(salt Salt) (access, next Hash) {
			_, access, next = follow(&m.terms.TokenKey, refresh, kindOf(bearer), salt)
			return access, next
		},
	}
	r, sentAt, err := m.renew(ctx, renewal)
	if err == nil && !r.Ended && r.IdleLeft <= 0 && r.AbsoluteLeft > 0 {
		// Uses that the store has not been told of yet count, too.
		if wrote, failed := m.settleIdle(ctx, r.Own); failed != nil || wrote {
			if err = failed; err == nil {
				r, sentAt, err = m.renew(ctx, renewal)
			}
		}
	}
	if err = m.judgeRenewal(ctx, r, err); err != nil {
		return Token{}, Renewed{}, Session{}, err
	}
	token, _, _ := follow(&m.terms.TokenKey, refresh, kindOf(bearer), r.Salt)
	return token, r, m.fromStore(&r.Loaded, sentAt), nil
}

func (m *Manager) judgeRenewal(ctx context.Context, r Renewed, err error) error {
	switch {
	case errors.Is(err, ErrNoSession):
		return errUnknown
	case err != nil:
		return storeError(err)
	case r.Ended:
		return errRevoked
	case r.IdleLeft <= 0 || r.AbsoluteLeft <= 0:
		return &expiredError{r.Subject.Subject, r.Session.ID, errExpired}
	case r.Reused:
		return m.reused(ctx, r)
	}
	return nil
}

func (m *Manager) renew(ctx context.Context, renewal Renewal) (Renewed, time.Duration, error) {
	m.at("renewing")
	renewal.Salt = newSalt()
	sentAt := m.mono()
	r, err := m.store.Renew(ctx, m.now(), renewal)
	if err == nil && r.Position != (Position{}) {
		m.settle(r.Position)
	}
	return r, sentAt, err
}

// reused revokes the session of a refresh token that two have used.
func (m *Manager) reused(ctx context.Context, r Renewed) error {
	stolen := &ReusedError{r.Subject.Subject, r.Session.ID}
	var joins []Join
	if m.cfg.Reused != nil {
		joins = m.cfg.Reused(stolen)
	}
	_, err := m.Apply(ctx, Revoke(stolen.Subject, stolen.Session), joins...)
	if err != nil && !errors.Is(err, ErrNoSession) && !errors.Is(err, ErrDeleted) {
		return err
	}
	return stolen
}
