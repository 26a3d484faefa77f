// Command library20 is the shortest program on the library that is right. It is
// a demonstration: it knows one person, whose password stands in the code.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

func main() {
	store, err := sqlite.Open(context.Background(), "app.db")
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := session.New(session.Config{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(sessions.Run(context.Background())) }()

	mux := http.NewServeMux()
	mux.HandleFunc("POST /sign-in", func(w http.ResponseWriter, r *http.Request) {
		attempt, err := sessions.Begin(r.Context(), "alice") // before the password is looked at
		if err != nil {
			session.Problem(w, r, err)
			return
		}
		if r.PostFormValue("password") != "demo" {
			http.Error(w, "wrong password", http.StatusUnauthorized)
			return
		}
		if _, err := sessions.SignIn(w, r, attempt, session.Grant{Methods: session.Password}); err != nil {
			session.Problem(w, r, err)
		}
	})
	mux.Handle("GET /me", sessions.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context())
		fmt.Fprintln(w, "signed in as", s.Subject())
	})))
	mux.HandleFunc("POST /sign-out", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.SignOut(w, r); err != nil {
			session.Problem(w, r, err)
		}
	})
	server := http.Server{Addr: "127.0.0.1:8080", Handler: sessions.Load(mux), ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
