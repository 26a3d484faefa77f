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

	http.HandleFunc("POST /sign-in", func(w http.ResponseWriter, r *http.Request) {
		attempt, err := sessions.Begin(r.Context(), "alice") // before the password is looked at
		if err == nil && r.PostFormValue("password") != "demo" {
			err = session.ErrNoSession // 401; an outage stays a 503
		}
		if err == nil {
			_, err = sessions.SignIn(w, r, attempt, session.Grant{Methods: session.Password})
		}
		if err != nil {
			session.Problem(w, r, err)
		}
	})
	http.Handle("GET /me", sessions.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context()) // there is one behind Require
		fmt.Fprintln(w, "signed in as", s.Subject())
	})))
	http.HandleFunc("POST /sign-out", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.SignOut(w, r); err != nil {
			session.Problem(w, r, err)
		}
	})
	server := http.Server{Addr: "127.0.0.1:8080", ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
