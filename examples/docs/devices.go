package docs

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"cloakroom/session"
)

// devices lists where somebody is signed in, a page of 50 at a time.
func devices(sessions *session.Manager) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context())
		list, next, err := sessions.List(r.Context(), s.Subject(), r.FormValue("after"))
		if err != nil {
			session.Problem(w, r, err)
			return
		}
		for _, d := range list {
			fmt.Fprintln(w, d.ID, d.ID == s.ID(), d.LastSeenAt.Format("2 January 15:04"), d.Client.UserAgent)
		}
		if next != "" {
			fmt.Fprintln(w, "more: ?after="+next)
		}
	}
}

// signOutDevice ends one of one's own sessions. An id that is somebody else's, or
// nobody's, is not there.
func signOutDevice(sessions *session.Manager) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context())
		id, err := session.ParseID(r.PathValue("id"))
		if err == nil {
			_, err = sessions.Apply(r.Context(), session.Revoke(s.Subject(), id))
		}
		switch {
		case err == nil:
			w.WriteHeader(http.StatusNoContent)
		case errors.Is(err, session.ErrNoSession):
			http.NotFound(w, r)
		default:
			session.Problem(w, r, err)
		}
	}
}

// ban ends all that somebody has, together with what the application writes down
// of it, and returns once no node lets them in.
func ban(ctx context.Context, sessions *session.Manager, id string, disable session.Join) error {
	position, err := sessions.Apply(ctx, session.RevokeAll(id), disable)
	if err != nil {
		return err
	}
	return sessions.Wait(ctx, position)
}
