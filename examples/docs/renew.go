package docs

import (
	"fmt"
	"net/http"
	"time"

	"cloakroom/session"
)

// renewing makes sessions of weeks out of tokens of an hour. The one path is where
// browsers send the refresh token, and nothing else gets it.
func renewing(store session.Store) session.Config {
	return session.Config{
		Store:         store,
		TokenLifetime: time.Hour,
		Cookie:        session.Cookie{RenewPath: "/session/renew"},
	}
}

// renew is served at that path, for a script that asks before its token ends.
func renew(sessions *session.Manager) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := sessions.RenewRequest(w, r)
		if err != nil {
			session.Problem(w, r, err)
			return
		}
		fmt.Fprintln(w, s.TokenExpiresAt().Format(time.RFC3339))
	})
}
