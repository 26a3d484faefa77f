package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strings"
	"time"

	"cloakroom/session"
)

const (
	// draft is the key of the draft in a session's data.
	draft = "draft"

	maxNote = 4000 // bytes
)

// note is one on the board.
type note struct {
	At           time.Time
	Author, Text string
}

// boardPage is what the first page shows.
type boardPage struct {
	Notes   []note
	Draft   string
	Problem string
	MaxNote int
}

// board is for everybody. Who is signed in finds their draft on it.
func (a *app) board(w http.ResponseWriter, r *http.Request) error {
	p := boardPage{}
	if s, ok := session.FromContext(r.Context()); ok {
		text, _, err := a.sessions.Data(s).Get(r.Context(), draft)
		if err != nil {
			return err
		}
		p.Draft = string(text)
	}
	return a.renderBoard(w, r, http.StatusOK, p)
}

func (a *app) renderBoard(w http.ResponseWriter, r *http.Request, status int, p boardPage) (err error) {
	p.MaxNote = maxNote
	if p.Notes, err = a.readNotes(r.Context()); err != nil {
		return err
	}
	return a.render(w, r, status, "board", p)
}

// saveDraft keeps the draft with the session: it survives a change of password,
// and is gone when its writer signs out.
func (a *app) saveDraft(w http.ResponseWriter, r *http.Request) error {
	s, _ := session.FromContext(r.Context())
	text := strings.TrimSpace(r.PostFormValue("text"))
	if len(text) > maxNote {
		return a.renderBoard(w, r, http.StatusUnprocessableEntity,
			boardPage{Draft: text, Problem: "That is too long for a note."})
	}
	if err := a.sessions.Data(s).Put(r.Context(), draft, []byte(text)); err != nil {
		return err
	}
	redirect(w, home)
	return nil
}

// postDraft puts the draft on the board. Of several who take it one gets it, so
// that a second click posts nothing.
func (a *app) postDraft(w http.ResponseWriter, r *http.Request) error {
	s, _ := session.FromContext(r.Context())
	data := a.sessions.Data(s)
	text, _, err := data.Take(r.Context(), draft)
	if err != nil {
		return err
	}
	if len(text) > 0 {
		err = a.insertNote(r.Context(), note{Author: s.Name(), Text: string(text)})
	}
	if err != nil {
		return errors.Join(err, data.Put(r.Context(), draft, text)) // not lost
	}
	redirect(w, home)
	return nil
}

func (a *app) insertNote(ctx context.Context, n note) error {
	return a.store.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO notes (author, text) VALUES (?, ?)`, n.Author, n.Text)
		return err
	})
}

func (a *app) readNotes(ctx context.Context) ([]note, error) {
	rows, err := a.store.Read().QueryContext(ctx, `SELECT at, author, text FROM notes ORDER BY number DESC LIMIT 50`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var notes []note
	for rows.Next() {
		var at int64
		var n note
		if err := rows.Scan(&at, &n.Author, &n.Text); err != nil {
			return nil, err
		}
		n.At = time.Unix(at, 0).UTC()
		notes = append(notes, n)
	}
	return notes, rows.Err()
}
