package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"
)

// Load puts the request's session into its context, for FromContext, and
// refuses unsafe requests from elsewhere (CheckOrigin). It never decides for
// the handler: without a cookie, or with a malformed, doubled or rejected one,
// the request is anonymous. A cookie about which nothing can be decided is
// answered 503 by Config.Answer, because a handler must not take an outage for
// a visitor. Where Config.Bearer is set, the same holds of a token in the
// Authorization header; with a cookie beside it, the answer is 400. Load writes no
// cookie, and clears none.
func (m *Manager) Load(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", m.vary())
		if err := m.CheckOrigin(r); err != nil {
			m.cfg.Answer(w, r, err)
			return
		}
		s, err := m.fromRequest(r, Cached, true)
		if err != nil && (!errors.Is(err, ErrNoSession) || errors.Is(err, ErrTwoTokens)) {
			m.cfg.Answer(w, r, err)
			return
		}
		next.ServeHTTP(w, m.withSession(r, s, err == nil))
	})
}

// vary names what of a request decides about its session.
func (m *Manager) vary() string {
	if m.cfg.Bearer {
		return "Cookie, Authorization"
	}
	return "Cookie"
}

func (m *Manager) withSession(r *http.Request, s Session, signedIn bool) *http.Request {
	l := &loaded{manager: m, session: s, signedIn: signedIn}
	return r.WithContext(context.WithValue(r.Context(), contextKey{}, l))
}

// fromRequest checks the token that the request presents.
func (m *Manager) fromRequest(r *http.Request, c Consistency, counts bool) (s Session, err error) {
	token, err := m.presented(r)
	if err != nil {
		return Session{}, err
	}
	err = m.check(r.Context(), token, c, counts, &s)
	return s, err
}

// CheckRequest is Check for the token in the request's cookie, or, where Config.Bearer
// is set, in its Authorization header: for handlers that are not behind Load, such as a
// forward-auth endpoint. Both at once are ErrTwoTokens.
func (m *Manager) CheckRequest(r *http.Request, c Consistency) (Session, error) {
	return m.fromRequest(r, c, true)
}

// PeekRequest is Peek for the token that CheckRequest takes.
func (m *Manager) PeekRequest(r *http.Request, c Consistency) (Session, error) {
	return m.fromRequest(r, c, false)
}

type contextKey struct{}

type loaded struct {
	manager  *Manager
	session  Session
	signedIn bool
}

// FromContext returns the session that Load found. false means anonymous, never
// an outage.
func FromContext(ctx context.Context) (Session, bool) {
	l, ok := ctx.Value(contextKey{}).(*loaded)
	if !ok {
		return Session{}, false
	}
	return l.session, l.signedIn
}

// Requirement is one condition on a session, for Require.
type Requirement struct {
	met   func(Session) error
	fresh bool
}

// Level demands at least this level of assurance.
func Level(level int) Requirement {
	return Requirement{met: func(s Session) error {
		if s.Level() < level {
			return fmt.Errorf("%w: needs a session of level %d", ErrForbidden, level)
		}
		return nil
	}}
}

// Recent demands an authentication at most this long ago.
func Recent(within time.Duration) Requirement {
	return Requirement{met: func(s Session) error {
		if s.Age() > within {
			return fmt.Errorf("%w: needs an authentication within the last %v", ErrNotRecent, within)
		}
		return nil
	}}
}

// Role demands a role.
func Role(role string) Requirement {
	return Requirement{met: func(s Session) error {
		if !s.HasRole(role) {
			return fmt.Errorf("%w: needs the role %s", ErrForbidden, role)
		}
		return nil
	}}
}

// Consistent demands a check of this consistency: with Fresh, the session is
// checked again, and the handler gets that one.
func Consistent(c Consistency) Requirement { return Requirement{fresh: c == Fresh} }

// Require lets a request through if it has a session that meets all
// requirements, and answers it by Config.Answer otherwise: ErrNoSession (401),
// ErrForbidden or ErrNotRecent (403), ErrUnavailable (503). It includes Load;
// behind it FromContext always finds the session that was held against them.
func (m *Manager) Require(requirements ...Requirement) func(http.Handler) http.Handler {
	fresh := slices.ContainsFunc(requirements, func(q Requirement) bool { return q.fresh })
	return func(next http.Handler) http.Handler {
		guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := m.meets(r, requirements, fresh)
			if err != nil {
				m.cfg.Answer(w, r, err)
				return
			}
			if fresh {
				r = m.withSession(r, s, true)
			}
			next.ServeHTTP(w, r)
		})
		loading := m.Load(guarded)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if l, ok := r.Context().Value(contextKey{}).(*loaded); ok && l.manager == m {
				guarded(w, r)
				return
			}
			loading.ServeHTTP(w, r)
		})
	}
}

// meets returns the session that was held against the requirements.
func (m *Manager) meets(r *http.Request, requirements []Requirement, fresh bool) (Session, error) {
	s, ok := FromContext(r.Context())
	if !ok {
		return Session{}, fmt.Errorf("%w: not signed in", ErrNoSession)
	}
	if fresh {
		var err error
		if s, err = m.fromRequest(r, Fresh, false); err != nil {
			return Session{}, err
		}
	}
	for _, q := range requirements {
		if q.met == nil {
			continue
		}
		if err := q.met(s); err != nil {
			return Session{}, err
		}
	}
	return s, nil
}

// SignIn issues a session and sets its cookie. The session that the request
// presented, whoever's it was, is revoked in the same transaction: a token
// planted before the sign-in is worth nothing after it. A Grant without a
// Client takes the request's user agent and peer address. On an error no cookie
// is set; if Grant.Replace names a session that has just ended it is
// ErrNoSession, and the person has to sign in anew.
func (m *Manager) SignIn(w http.ResponseWriter, r *http.Request, a Attempt, g Grant) (Session, error) {
	if err := m.CheckOrigin(r); err != nil {
		return Session{}, err
	}
	presented, _ := m.cookieHash(r)
	if g.Client == (Client{}) {
		g.Client.UserAgent = r.UserAgent()
		g.Client.Address, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	switch {
	case g.Bearer:
		return Session{}, invalid("a token for the Authorization header is not for a cookie; Issue hands it out")
	case g.Renewable && m.cfg.Cookie.RenewPath == "":
		return Session{}, invalid("a renewable session in cookies needs Config.Cookie.RenewPath")
	}
	token, remember, s, err := m.issue(r.Context(), a, g, presented)
	if err != nil {
		return Session{}, err
	}
	m.setCookie(w, token, remember, m.cfg.Absolute)
	return s, nil
}

// cookieHash is the hash of the token in the request's session cookie, if there is one
// that was made here.
func (m *Manager) cookieHash(r *http.Request) (hash Hash, ok bool) {
	token, ok := m.cookieToken(r)
	if !ok || !genuine(&m.terms.TokenKey, token) {
		return Hash{}, false
	}
	return hashToken(token)
}

// RenewRequest renews the session in the request's cookies as Renew does, and sets
// those of the new pair. It is to be served at Config.Cookie.RenewPath, for POST. The
// refresh token counts only with the session's own token beside it, as browsers send
// them, dead or alive: a neighbouring host can plant a cookie of the one's name, and
// not of the other's. On an error the cookies stay as they are: the session may well go
// on.
func (m *Manager) RenewRequest(w http.ResponseWriter, r *http.Request) (Session, error) {
	if err := m.CheckOrigin(r); err != nil {
		return Session{}, err
	}
	refresh, ok := readCookie(r, refreshCookie)
	beside, with := m.cookieHash(r)
	if !ok || !with {
		return Session{}, m.rejectMalformed()
	}
	token, renewed, s, err := m.renewed(r.Context(), refresh, beside)
	if err != nil {
		return Session{}, err
	}
	m.setCookie(w, token, renewed.Session.Remember, renewed.AbsoluteLeft)
	return s, nil
}

// SignOut revokes the request's session and clears the cookie, also when the
// session was dead already, or its subject deleted. If that cannot be known the error says so and the
// cookie stays.
func (m *Manager) SignOut(w http.ResponseWriter, r *http.Request, joins ...Join) error {
	if err := m.CheckOrigin(r); err != nil {
		return err
	}
	s, err := m.fromRequest(r, Cached, false)
	if err == nil {
		_, err = m.Apply(r.Context(), Revoke(s.Subject(), s.ID()), joins...)
	} else if e, ok := errors.AsType[*expiredError](err); ok {
		_, err = m.Apply(r.Context(), Revoke(e.subject, e.id), joins...)
	}
	if err != nil && !errors.Is(err, ErrNoSession) && !errors.Is(err, ErrDeleted) {
		return err
	}
	m.clearCookie(w)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return nil
}
