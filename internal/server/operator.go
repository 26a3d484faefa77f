package server

import (
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

// Question is a session cookie's value, or a whole Cookie header, that somebody
// wants to know the fate of.
type Question struct {
	Token  string `json:"token,omitempty"`
	Cookie string `json:"cookie,omitempty"`
	Policy string `json:"policy"`
}

// Explanation is what a check says, and why.
type Explanation struct {
	Status  int    `json:"status"` // of the check
	Reason  string `json:"reason"`
	Session string `json:"session,omitempty"` // its id, if there is one
	Account string `json:"account,omitempty"`
}

// explain asks the check as a proxy would, and the session manager why. It is for
// the operator: nobody else is told more than that a token is refused.
func (s *Server) explain(w http.ResponseWriter, r *http.Request) error {
	var q Question
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&q); err != nil {
		return problem.Malformed("", "The question cannot be read.")
	}
	path := s.settings.BasePath + "/check"
	if q.Policy != "" {
		path += "/" + q.Policy
	}
	asked, err := http.NewRequestWithContext(r.Context(), http.MethodGet, path, nil)
	if err != nil {
		return problem.Malformed("policy", "The policy has no name that a path can hold.")
	}
	if q.Cookie == "" {
		q.Cookie = s.settings.CookieName + "=" + q.Token
	}
	asked.Header.Set("Cookie", q.Cookie)
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
		e.Reason = err.Error()
	case told.StatusCode != http.StatusOK && json.NewDecoder(told.Body).Decode(&p) == nil:
		e.Reason = p.Detail
	}
	return answerJSON(w, e)
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
