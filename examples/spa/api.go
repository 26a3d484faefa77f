package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

const renewPath = "/auth/v1/session/renew"

// api is the handlers. Each has answered when it returns nil.
type api struct {
	store    *sqlite.Store
	sessions *session.Manager
}

func (a *api) handler(front http.Handler) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := f(w, r); err != nil {
				answerError(w, r, err)
			}
		})
	}
	handle("POST /auth/v1/sign-up", a.signUp)
	handle("POST /auth/v1/sign-in", a.signIn)
	handle("POST /auth/v1/sign-out", func(w http.ResponseWriter, r *http.Request) error {
		return noContent(w, a.sessions.SignOut(w, r))
	})
	handle("POST "+renewPath, func(w http.ResponseWriter, r *http.Request) error {
		s, err := a.sessions.RenewRequest(w, r)
		return answer(w, http.StatusOK, identityOf(s), err)
	})
	handle("GET /auth/v1/session", func(w http.ResponseWriter, r *http.Request) error {
		s, err := a.sessions.PeekRequest(r, session.Cached)
		return answer(w, http.StatusOK, identityOf(s), err)
	})
	handle("GET /auth/v1/sessions", a.member(a.listSessions))
	handle("DELETE /auth/v1/sessions", a.member(a.revokeOthers))
	handle("DELETE /auth/v1/sessions/{id}", a.member(a.revoke))
	handle("GET /api/notes", a.member(a.listNotes))
	handle("POST /api/notes", a.member(a.addNote))
	mux.Handle("/", front)
	return mux
}

// member is a handler for who is signed in, and refuses what another site sends.
func (a *api) member(f func(http.ResponseWriter, *http.Request, session.Session) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := a.sessions.CheckOrigin(r); err != nil {
			return err
		}
		s, err := a.sessions.CheckRequest(r, session.Cached)
		if err != nil {
			return err
		}
		return f(w, r, s)
	}
}

type credentials struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Remember bool   `json:"remember"`
}

// signUp makes the person, and the first session, in one transaction.
func (a *api) signUp(w http.ResponseWriter, r *http.Request) error {
	c, err := decode[credentials](w, r)
	if err != nil {
		return err
	}
	p, err := newPerson(c)
	if err != nil {
		return err
	}
	attempt, err := a.sessions.Begin(r.Context(), p.id)
	if err != nil {
		return err
	}
	s, err := a.sessions.SignIn(w, r, attempt, session.Grant{
		Methods: session.Password, Renewable: true,
		Profile: &session.Profile{Name: c.Name, Email: c.Email},
		Joins:   []session.Join{p.insert()},
	})
	return answer(w, http.StatusCreated, identityOf(s), err)
}

func (a *api) signIn(w http.ResponseWriter, r *http.Request) error {
	c, err := decode[credentials](w, r)
	if err != nil {
		return err
	}
	attempt, err := a.authenticate(r.Context(), c)
	if err != nil {
		return err
	}
	s, err := a.sessions.SignIn(w, r, attempt, session.Grant{
		Methods: session.Password, Renewable: true, Remember: c.Remember,
	})
	return answer(w, http.StatusOK, identityOf(s), err)
}

// authenticate begins before the hash is read, so that a revocation in between counts.
func (a *api) authenticate(ctx context.Context, c credentials) (session.Attempt, error) {
	id, err := a.idOf(ctx, c.Email)
	if errors.Is(err, errNoPerson) {
		return session.Attempt{}, errors.Join(errCredentials, waste(c.Password))
	}
	if err != nil {
		return session.Attempt{}, err
	}
	attempt, err := a.sessions.Begin(ctx, id)
	if err != nil {
		return session.Attempt{}, err
	}
	return attempt, a.verify(ctx, id, c.Password)
}

func (a *api) listSessions(w http.ResponseWriter, r *http.Request, current session.Session) error {
	list, next, err := a.sessions.List(r.Context(), current.Subject(), r.URL.Query().Get("after"))
	page := map[string]any{"next": nil}
	if next != "" {
		page["next"] = next
	}
	shown := make([]map[string]any, len(list))
	for i, d := range list {
		shown[i] = map[string]any{
			"id": d.ID.String(), "current": d.ID == current.ID(), "created_at": d.CreatedAt, "last_seen_at": d.LastSeenAt,
			"client": map[string]string{"browser": d.Client.UserAgent, "os": "", "address": d.Client.Address, "label": ""},
		}
	}
	page["sessions"] = shown
	return answer(w, http.StatusOK, page, err)
}

func (a *api) revoke(w http.ResponseWriter, r *http.Request, current session.Session) error {
	id, err := session.ParseID(r.PathValue("id"))
	if err == nil {
		_, err = a.sessions.Apply(r.Context(), session.Revoke(current.Subject(), id))
	}
	return noContent(w, err)
}

func (a *api) revokeOthers(w http.ResponseWriter, r *http.Request, current session.Session) error {
	_, err := a.sessions.Apply(r.Context(), session.RevokeOthers(current.Subject(), current.ID()))
	return noContent(w, err)
}

// identityOf is who is signed in, as the client in clients/typescript knows it.
func identityOf(s session.Session) map[string]any {
	return map[string]any{
		"session": map[string]any{
			"id": s.ID().String(), "current": true, "created_at": s.CreatedAt(), "authenticated_at": s.AuthenticatedAt(),
			"idle_expires_at": s.IdleExpiresAt(), "expires_at": s.ExpiresAt(), "token_expires_at": s.TokenExpiresAt(),
			"level": s.Level(), "methods": slices.Collect(s.Methods().Names()),
		},
		"account": map[string]any{
			"id": s.Subject(), "email": s.Email(), "name": s.Name(), "roles": slices.AppendSeq([]string{}, s.Roles()),
		},
	}
}

// maxBody is how much of a request is read.
const maxBody = 16 << 10

func decode[T any](w http.ResponseWriter, r *http.Request) (v T, err error) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if d.Decode(&v) != nil {
		return v, refusal{http.StatusBadRequest, "malformed", "The body is not the JSON that is expected here."}
	}
	return v, nil
}

func answer(w http.ResponseWriter, status int, body any, err error) error {
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(body)
}

func noContent(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// refusal is an error that is the client's to read (RFC 9457).
type refusal struct {
	status       int
	name, detail string
}

func (r refusal) Error() string { return r.detail }

func answerError(w http.ResponseWriter, r *http.Request, err error) {
	refused, ok := errors.AsType[refusal](err)
	if !ok {
		session.Problem(w, r, err) // also every outage, which is 503
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(refused.status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // a client that has gone is nobody to tell
		"type": "urn:notes:problem:" + refused.name, "title": http.StatusText(refused.status),
		"status": refused.status, "detail": refused.detail,
	})
}

// now is the time that notes are dated with.
func now() string { return time.Now().UTC().Format(time.RFC3339) }
