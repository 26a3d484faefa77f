package api

import (
	"net/http"
	"slices"
	"time"

	"cloakroom/internal/account"
	"cloakroom/session"

	"github.com/go-json-experiment/json/jsontext"
)

// identityShape is who is signed in: what a front end renders from, instead of
// a decoded token. All of it comes from the check.
type identityShape struct {
	Session sessionShape `json:"session"`
	Account accountShape `json:"account"`
}

type sessionShape struct {
	ID              string       `json:"id"`
	Current         bool         `json:"current"`
	CreatedAt       time.Time    `json:"created_at"`
	AuthenticatedAt time.Time    `json:"authenticated_at"`
	LastSeenAt      time.Time    `json:"last_seen_at,omitzero"` // in lists only
	IdleExpiresAt   time.Time    `json:"idle_expires_at"`
	ExpiresAt       time.Time    `json:"expires_at"`
	TokenExpiresAt  time.Time    `json:"token_expires_at,omitzero"` // not in lists
	Level           int          `json:"level"`
	Methods         []string     `json:"methods"`
	Carrier         string       `json:"carrier,omitzero"` // in lists only
	Client          *clientShape `json:"client,omitzero"`  // in lists only
}

type accountShape struct {
	ID            string         `json:"id"`
	Email         string         `json:"email"`
	Name          string         `json:"name"`
	Roles         []string       `json:"roles"`
	Attributes    jsontext.Value `json:"attributes"` // null if there are none
	EmailVerified bool           `json:"email_verified"`
	Status        string         `json:"status"`
	CreatedAt     time.Time      `json:"created_at"`
}

func identityOf(s session.Session) identityShape {
	return identityShape{
		Session: sessionShape{
			ID: s.ID().String(), Current: true,
			CreatedAt: s.CreatedAt(), AuthenticatedAt: s.AuthenticatedAt(),
			IdleExpiresAt: s.IdleExpiresAt(), ExpiresAt: s.ExpiresAt(), TokenExpiresAt: s.TokenExpiresAt(),
			Level: s.Level(), Methods: slices.Collect(s.Methods().Names()),
		},
		Account: accountShape{
			ID: s.Subject(), Email: s.Email(), Name: s.Name(),
			Roles: slices.Collect(s.Roles()), Attributes: attributes(s),
			EmailVerified: s.EmailVerified(),
			// An account that is not active has no valid session.
			Status: account.Active.String(), CreatedAt: account.CreatedAt(s.Subject()),
		},
	}
}

func attributes(s session.Session) jsontext.Value {
	if s.Attributes() == "" {
		return jsontext.Value("null")
	}
	return jsontext.Value(s.Attributes())
}

// showSession peeks: a page that asks who is signed in does not keep the
// session alive by asking.
func (a *API) showSession(w http.ResponseWriter, r *http.Request) error {
	s, err := a.sessions.PeekRequest(r, session.Cached)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, identityOf(s))
}

// renewSession takes the tokens in the cookies, and no body.
func (a *API) renewSession(w http.ResponseWriter, r *http.Request) error {
	s, err := a.sessions.RenewRequest(w, r)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, identityOf(s))
}
