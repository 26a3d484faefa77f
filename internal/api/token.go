package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/internal/problem"
	"cloakroom/internal/visitor"
	"cloakroom/session"
)

// grantedShape is who is signed in, and, for what has no cookies, the tokens.
type grantedShape struct {
	identityShape
	Token        string    `json:"token,omitzero"`
	RefreshToken string    `json:"refresh_token,omitzero"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"` // of the token
}

// grantedOf shows the token, unless it is the zero Token: then it is in a cookie.
func grantedOf(t session.Token, s session.Session) grantedShape {
	g := grantedShape{identityShape: identityOf(s)}
	if t != (session.Token{}) {
		g.Token, g.RefreshToken, g.ExpiresAt = t.Reveal(), t.Refresh().Reveal(), s.TokenExpiresAt()
	}
	return g
}

type issueTokenRequest struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Label    string `json:"label,omitzero"`
}

// issueToken signs in what has no cookies. It sets none, and looks at none.
func (a *API) issueToken(w http.ResponseWriter, r *http.Request) error {
	body, err := decode[issueTokenRequest](r)
	if err != nil {
		return err
	}
	outcome, err := a.signin.ForToken(r.Context(), visitor.Of(r), body.Email, body.Password, body.Label)
	if err != nil {
		return err
	}
	token, s, err := visitor.Issue(r.Context(), a.sessions, outcome)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, grantedOf(token, s))
}

type refreshTokenRequest struct {
	RefreshToken string `json:"refresh_token"`
}

func (a *API) refreshToken(w http.ResponseWriter, r *http.Request) error {
	body, err := decode[refreshTokenRequest](r)
	if err != nil {
		return err
	}
	token, s, err := a.sessions.Renew(r.Context(), body.RefreshToken)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, grantedOf(token, s))
}

type revokeTokenRequest struct {
	Token string `json:"token"`
}

// revokeToken ends the session of either of its two tokens, whether or not it was over
// before (RFC 7009, 2.2). What is no token of this kind is refused: it would go on.
func (a *API) revokeToken(w http.ResponseWriter, r *http.Request) error {
	body, err := decode[revokeTokenRequest](r)
	if err != nil {
		return err
	}
	var s session.Session
	switch {
	case strings.HasPrefix(body.Token, "cka_"):
		s, err = a.sessions.Peek(r.Context(), body.Token, session.Cached)
	case strings.HasPrefix(body.Token, "ckr_"):
		_, s, err = a.sessions.Renew(r.Context(), body.Token)
	default:
		return problem.Invalid("token", `The key "token" must be a token that /v1/token has answered, or a refresh token.`)
	}
	if err == nil {
		_, err = a.sessions.Apply(r.Context(), session.Revoke(s.Subject(), s.ID()),
			a.signin.Own(visitor.Of(r), s, audit.SessionSignedOut))
	}
	if err != nil && !errors.Is(err, session.ErrNoSession) && !errors.Is(err, session.ErrDeleted) {
		return err
	}
	return noContent(w)
}
