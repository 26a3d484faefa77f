package docs

import (
	"context"
	"errors"
	"net/http"

	"cloakroom/session"
)

// status is the answer to a token that did not come in a cookie.
func status(ctx context.Context, sessions *session.Manager, token string) int {
	_, err := sessions.Check(ctx, token, session.Cached)
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, session.ErrNoSession):
		return http.StatusUnauthorized
	default:
		return http.StatusServiceUnavailable
	}
}
