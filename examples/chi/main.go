// Command chi is the session middleware in a chi router: the standard
// signature suffices. It is a demonstration: whoever asks is signed in.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"

	"github.com/go-chi/chi/v5"
)

func main() {
	sessions, err := session.New(session.Config{Store: memory.New()})
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(sessions.Run(context.Background())) }()
	server := http.Server{Addr: "127.0.0.1:8080", Handler: routes(sessions), ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func routes(sessions *session.Manager) http.Handler {
	router := chi.NewRouter()
	router.Use(sessions.Load) // who is there? Nobody is turned away yet
	router.Get("/", home)
	router.Post("/sign-in/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := chi.URLParam(r, "name")
		attempt, err := sessions.Begin(r.Context(), name)
		if err == nil { // here the password would be verified
			_, err = sessions.SignIn(w, r, attempt, session.Grant{Methods: session.Password})
		}
		if err != nil {
			session.Problem(w, r, err)
		}
	})
	router.Group(func(members chi.Router) {
		members.Use(sessions.Require())
		members.Get("/members", home)
		members.With(sessions.Require(session.Role("admin"))).Get("/members/admin", home)
	})
	return router
}

func home(w http.ResponseWriter, r *http.Request) {
	if s, ok := session.FromContext(r.Context()); ok {
		fmt.Fprintln(w, "signed in as", s.Subject())
		return
	}
	fmt.Fprintln(w, "a visitor")
}
