// Package api is the JSON API, version 1. openapi.yaml beside it is the
// contract: it describes exactly the routes of routes.go, which a test holds,
// and the end-to-end tests send every request and answer through it.
package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/authority"
	"cloakroom/internal/problem"
	"cloakroom/internal/signin"
	"cloakroom/session"

	"github.com/go-json-experiment/json"
)

// Config is what the API works with. All fields are required.
type Config struct {
	Sessions *session.Manager
	SignIn   *signin.Service
	// Authority carries out what administrators do, and knows what they read.
	Authority *authority.Service
	PublicURL string // before BasePath in links that are passed on
	BasePath  string // before every path: "/auth"
	// Recent is how long ago one may have signed in to revoke other sessions, and
	// for everything that administrators do.
	Recent time.Duration
	Logger *slog.Logger
}

// API holds the handlers. Each returns an error or has answered.
type API struct {
	sessions  *session.Manager
	signin    *signin.Service
	authority *authority.Service
	linkURL   string // what a link's kind follows
	recent    time.Duration
	logger    *slog.Logger
	document  document
}

// New returns the handler of the API's paths: those under BasePath + "/v1/",
// and BasePath + "/openapi.json" and ".yaml".
func New(cfg Config) (http.Handler, error) {
	doc, err := newDocument(cfg.BasePath)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	a := newAPI(cfg)
	a.document = doc
	return a.guard(a.mux(cfg.BasePath, a.routes())), nil
}

// NewOperator returns the handler of what the command line asks, under "/v1/":
// what administrators may do, and a little more. It asks nobody who they are: it
// must stand on a socket that only the operator can open.
func NewOperator(cfg Config) http.Handler {
	a := newAPI(cfg)
	return a.mux("", a.operatorRoutes())
}

func newAPI(cfg Config) *API {
	return &API{
		sessions: cfg.Sessions, signin: cfg.SignIn, authority: cfg.Authority,
		linkURL: cfg.PublicURL + cfg.BasePath + "/link/",
		recent:  cfg.Recent, logger: cfg.Logger,
	}
}

// guard stands before every route: what no response lacks, and the proof that
// an unsafe request comes from this site.
func (a *API) guard(next http.Handler) http.Handler {
	return problem.Handle(a.logger, func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Vary", "Cookie, Authorization, Origin, Sec-Fetch-Site")
		if err := a.sessions.CheckOrigin(r); err != nil {
			return err
		}
		if err := a.sessions.CheckCarrier(r); err != nil {
			return err
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// signedIn is a handler that needs a session, which it gets as an argument. An
// account that was deleted since is one that nobody is signed in to.
func (a *API) signedIn(f func(http.ResponseWriter, *http.Request, session.Session) error) problem.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, err := a.sessions.CheckRequest(r, session.Cached)
		if err != nil {
			return err
		}
		err = f(w, r, s)
		if errors.Is(err, session.ErrDeleted) || errors.Is(err, account.ErrNotFound) {
			return session.ErrNoSession
		}
		return err
	}
}

// answer writes a body as JSON.
func answer(w http.ResponseWriter, status int, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that has gone is nobody to tell
	return nil
}

// noContent answers 204.
func noContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}
