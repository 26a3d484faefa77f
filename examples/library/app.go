package main

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

//go:embed schema.sql style.css templates/*.html
var files embed.FS

// editor is the role of those who say who else is one.
const editor = "editor"

// app is what the handlers share.
type app struct {
	store     *sqlite.Store
	sessions  *session.Manager
	passwords passwords
	pages     *template.Template
	recent    time.Duration // how old an authentication may be that gives roles
}

// newApp makes the tables that are missing. It starts nothing: sessions.Run
// does.
func newApp(ctx context.Context, store *sqlite.Store) (*app, error) {
	schema, err := files.ReadFile("schema.sql")
	if err != nil {
		return nil, err
	}
	err = store.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, string(schema))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make the tables: %w", err)
	}
	a := &app{store: store, passwords: newPasswords(), recent: 15 * time.Minute}
	if a.pages, err = parsePages(); err != nil {
		return nil, err
	}
	a.sessions, err = session.New(session.Config{Store: store, Answer: a.answer})
	return a, err
}

// handler is everything that the application serves.
func (a *app) handler() http.Handler {
	member := a.sessions.Require()
	// The role first: who lacks it is refused, and not asked for a password.
	editors := a.sessions.Require(session.Role(editor), session.Recent(a.recent))

	mux := http.NewServeMux()
	mux.Handle("GET /{$}", a.page(a.board))
	mux.Handle("GET /sign-up", a.page(a.signUpForm))
	mux.Handle("POST /sign-up", a.page(a.signUp))
	mux.Handle("GET /sign-in", a.page(a.signInForm))
	mux.Handle("POST /sign-in", a.page(a.signIn))
	mux.Handle("POST /sign-out", a.page(a.signOut))
	mux.Handle("POST /draft", member(a.page(a.saveDraft)))
	mux.Handle("POST /notes", member(a.page(a.postDraft)))
	mux.Handle("GET /account", member(a.page(a.account)))
	mux.Handle("POST /account/password", member(a.page(a.changePassword)))
	mux.Handle("POST /account/end-others", member(a.page(a.endOthers)))
	mux.Handle("GET /members", editors(a.page(a.members)))
	mux.Handle("POST /members/{id}", editors(a.page(a.setEditor)))

	// The style sheet stands outside Load: it needs no session, and the page
	// that reports an outage needs it.
	all := http.NewServeMux()
	all.Handle("GET /style.css", http.FileServerFS(files))
	all.Handle("/", a.sessions.Load(mux))
	return secured(all)
}

// secured sets what every answer carries.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("Referrer-Policy", "same-origin")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
