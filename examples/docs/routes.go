package docs

import (
	"fmt"
	"net/http"
	"time"

	"cloakroom/session"
)

// routes says which requests want what.
func routes(sessions *session.Manager) http.Handler {
	member := sessions.Require()
	editor := sessions.Require(session.Role("editor"))
	payer := sessions.Require(session.Recent(10*time.Minute), session.Consistent(session.Fresh))

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", home)
	mux.Handle("GET /account", member(http.HandlerFunc(account)))
	mux.Handle("GET /members", editor(http.HandlerFunc(account)))
	mux.Handle("POST /payments", payer(http.HandlerFunc(account)))
	return sessions.Load(mux)
}

// home is for everybody.
func home(w http.ResponseWriter, r *http.Request) {
	if s, ok := session.FromContext(r.Context()); ok {
		fmt.Fprintln(w, "Hello", s.Name())
		return
	}
	fmt.Fprintln(w, "Hello, whoever you are")
}

// account stands behind Require, so there is a session.
func account(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context())
	fmt.Fprintf(w, "%s, signed in %v ago\n", s.Subject(), s.Age())
}
