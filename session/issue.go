package session

import (
	"context"
	"strings"
	"time"
)

// Attempt is an authentication that has begun. A revocation of everything its
// subject had, or a deletion, after Begin makes it worthless: a sign-in that
// verified the old password dies on arrival.
type Attempt struct {
	subject string
	epochs  Epochs
}

// Subject returns whom the attempt is for.
func (a Attempt) Subject() string { return a.subject }

// Grant says what a sign-in gives.
type Grant struct {
	Methods Methods
	Level   int // 1 unless set; at most 15
	Client  Client
	// Remember makes the cookie outlive the browser, as long as the session.
	Remember bool
	// Bearer makes the token one for the Authorization header, which no cookie may
	// carry: for what has none. Issue hands it out, SignIn does not.
	Bearer bool
	// Renewable gives the session a token that ends after Config.TokenLifetime, and
	// a refresh token beside it, for Renew.
	Renewable bool
	// Profile, unless nil, becomes the subject's.
	Profile *Profile
	// Replace, unless zero, continues that session of the same subject under
	// its id and with its data: with a new token, both limits anew, and the
	// methods and level of this Grant, not of what came before: a session
	// claims no more than its last authentication showed. The old token is
	// dead in the same transaction. Without it a sign-in has a new id and no
	// data.
	Replace ID
	// RevokeOthers ends all other sessions of the subject in the same
	// transaction.
	RevokeOthers bool
	// Joins are carried out first, in the same transaction.
	Joins []Join
}

// Begin starts an authentication. Call it before the password's hash and the
// account's status are read, and pass what it returns to Issue or SignIn when
// both have been verified. It writes nothing. ErrDeleted if the subject was
// deleted.
func (m *Manager) Begin(ctx context.Context, subject string) (Attempt, error) {
	if !m.running.Load() {
		return Attempt{}, errNotRunning
	}
	if !ValidSubject(subject) {
		return Attempt{}, invalid("a subject is 1 to %d bytes of UTF-8 without control characters", MaxSubject)
	}
	epochs, err := m.store.Begin(ctx, subject)
	if err != nil {
		return Attempt{}, storeError(err)
	}
	return Attempt{subject: subject, epochs: epochs}, nil
}

// Issue creates a session. ErrMoved if the subject's sessions were revoked, or
// ErrDeleted if it was deleted, since Begin; ErrNoSession if Grant.Replace is
// not a live session of the subject.
func (m *Manager) Issue(ctx context.Context, a Attempt, g Grant) (Token, Session, error) {
	token, _, s, err := m.issue(ctx, a, g, Hash{})
	return token, s, err
}

// issue is Issue, and ends the session that was presented, if any, in the same
// transaction. It reports whether the session outlives the browser.
func (m *Manager) issue(ctx context.Context, a Attempt, g Grant, presented Hash) (Token, bool, Session, error) {
	if !m.running.Load() {
		return Token{}, false, Session{}, errNotRunning
	}
	creation, err := m.creation(a, g, presented)
	if err != nil {
		return Token{}, false, Session{}, err
	}
	token := m.newTokens(g.Renewable, &creation)

	// By the rule of a load: what is applied after the mark is newer than what
	// the transaction saw.
	mark, sentAt := m.feed.Ring().Mark(), m.mono()
	created, err := m.store.Create(ctx, m.now(), creation, g.Joins)
	if err != nil {
		return Token{}, false, Session{}, storeError(err)
	}
	if created.Position != (Position{}) {
		m.settle(created.Position)
	}
	m.at("created")
	m.remember(creation.Token, &created.Loaded, mark, sentAt)
	return token, created.Session.Remember, m.fromStore(&created.Loaded, sentAt), nil
}

const maxUserAgent = 512

func (m *Manager) creation(a Attempt, g Grant, presented Hash) (Creation, error) {
	level := orDefault(g.Level, 1)
	switch {
	case a.subject == "":
		return Creation{}, invalid("the Attempt was not made by Begin")
	case level < 1 || level > 15:
		return Creation{}, invalid("Grant.Level must be 1 to 15")
	case g.Profile != nil:
		if err := g.Profile.Validate(); err != nil {
			return Creation{}, err
		}
	}
	// Clients send any bytes; a list of sessions must stay text.
	g.Client.UserAgent = strings.ToValidUTF8(g.Client.UserAgent[:min(len(g.Client.UserAgent), maxUserAgent)], "?")
	return Creation{
		Subject: a.subject, Epochs: a.epochs, ID: NewID(),
		Level: uint8(level), Methods: g.Methods, Client: g.Client, Remember: g.Remember, Bearer: g.Bearer,
		Idle: m.cfg.Idle / time.Second * time.Second, Absolute: m.cfg.Absolute / time.Second * time.Second,
		Replace: g.Replace, Presented: presented, RevokeOthers: g.RevokeOthers,
		Profile: g.Profile, Limit: m.cfg.PerSubject,
	}, nil
}
