package server

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"runtime/debug"
	"time"

	"cloakroom/internal/api"
	"cloakroom/internal/control"
	"cloakroom/internal/problem"
	"cloakroom/session"
)

// operator answers the command line. Whoever reaches it may do everything.
func (s *Server) operator() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /v1/operator/status", problem.Handle(s.logger, s.status))
	mux.Handle("POST /v1/operator/probe", problem.Handle(s.logger, s.beginProbe))
	mux.Handle("GET /v1/operator/probe", problem.Handle(s.logger, s.readProbe))
	mux.Handle("POST /v1/operator/explain", problem.Handle(s.logger, s.explain))
	mux.Handle("POST /v1/operator/backup", problem.Handle(s.logger, s.backup))
	mux.Handle("/", api.NewOperator(api.Config{
		Sessions: s.sessions, SignIn: s.signin, Authority: s.authority, PublicURL: s.URL(),
		BasePath: s.settings.BasePath, Recent: s.settings.ReauthenticateAfter, Logger: s.logger,
	}))
	return mux
}

// Status is what a server says of itself to the command line.
type Status struct {
	Version   string `json:"version"`
	Database  string `json:"database"`
	PublicURL string `json:"public_url"`
	BasePath  string `json:"base_path"`
	Listen    string `json:"listen"`     // "" when nobody is served
	OpsListen string `json:"ops_listen"` // the same

	Now time.Time `json:"now"` // by the server's clock
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) error {
	st := Status{Version: Version(), Database: s.Database(), PublicURL: s.URL(), BasePath: s.settings.BasePath, Now: s.now()}
	if s.listener != nil {
		st.Listen, st.OpsListen = s.Addr().String(), s.OpsAddr().String()
	}
	return answerJSON(w, st)
}

// Version is what the binary was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// Question is a session cookie's value, a whole Cookie header, or a whole request,
// that somebody wants to know the fate of.
type Question struct {
	Token   string     `json:"token,omitempty"`
	Cookie  string     `json:"cookie,omitempty"`
	Request *Requested `json:"request,omitempty"`
	Policy  string     `json:"policy"`
}

// Explanation is what a check says, and why. Nothing in it is secret.
type Explanation struct {
	Status  int    `json:"status"` // of the check
	Reason  string `json:"reason"`
	Session string `json:"session,omitempty"` // its id, if there is one
	Account string `json:"account,omitempty"`

	// Of a whole request:
	Refused *Refusal `json:"refused,omitempty"` // if it does not get as far as its session
	Client  string   `json:"client,omitempty"`  // the address whose request it is taken for
	Notes   []string `json:"notes,omitempty"`   // what else is remarkable
}

// explain asks the check as a proxy would, and the session manager why. It is for
// the operator: nobody else is told more than that a token is refused. Nothing is
// done that the request asks for.
func (s *Server) explain(w http.ResponseWriter, r *http.Request) error {
	var q Question
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 256<<10)).Decode(&q); err != nil {
		return problem.Malformed("", "The question cannot be read.")
	}
	asked, err := s.checkFor(r.Context(), q)
	if err != nil {
		return err
	}
	told, err := control.Direct{Handler: http.HandlerFunc(s.answer)}.RoundTrip(asked)
	if err != nil {
		return err
	}
	defer func() { _ = told.Body.Close() }()
	e := Explanation{Status: told.StatusCode, Reason: "it is let in"}
	found, err := s.sessions.PeekRequest(asked, session.Fresh)
	if err == nil {
		e.Session, e.Account = found.ID().String(), found.Subject()
	}
	var p problem.Problem
	switch {
	case err != nil:
		e.Reason = err.Error() + cookieFault(asked.Header, s.settings.CookieName)
	case told.StatusCode != http.StatusOK && json.NewDecoder(told.Body).Decode(&p) == nil:
		e.Reason = cmp.Or(s.door().unmet(asked.URL.Path, found), p.Detail)
	}
	if q.Request != nil {
		if err := s.look(r.Context(), *q.Request, &e); err != nil {
			return err
		}
	}
	return answerJSON(w, e)
}

// checkFor is the check that a proxy would ask for.
func (s *Server) checkFor(ctx context.Context, q Question) (*http.Request, error) {
	path := s.settings.BasePath + "/check"
	if q.Policy != "" {
		path += "/" + q.Policy
	}
	header := http.Header{}
	switch {
	case q.Request != nil:
		given, err := q.Request.request(ctx)
		if err != nil {
			return nil, err
		}
		header = given.Header
		if at := given.URL.Path; s.door().checks[at] != nil || s.door().isCheck(at) {
			path = given.URL.EscapedPath()
		}
	case q.Cookie != "":
		header.Set("Cookie", q.Cookie)
	default:
		header.Set("Cookie", s.settings.CookieName+"="+q.Token)
	}
	asked, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, problem.Malformed("policy", "The policy has no name that a path can hold.")
	}
	asked.Header = header
	return asked, nil
}

func answerJSON(w http.ResponseWriter, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
	return nil
}
