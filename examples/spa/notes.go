package main

import (
	"context"
	"database/sql"
	"net/http"
	"strings"

	"cloakroom/session"
)

// note is what the application is about.
type note struct {
	ID   int64  `json:"id"`
	At   string `json:"at"`
	Text string `json:"text"`
}

func (a *api) listNotes(w http.ResponseWriter, r *http.Request, s session.Session) error {
	rows, err := a.store.Read().QueryContext(r.Context(), `SELECT id, at, text FROM notes WHERE person = ? ORDER BY id DESC LIMIT 50`, s.Subject())
	if err != nil {
		return err
	}
	defer rows.Close()
	list := []note{}
	for rows.Next() {
		var n note
		if err := rows.Scan(&n.ID, &n.At, &n.Text); err != nil {
			return err
		}
		list = append(list, n)
	}
	return answer(w, http.StatusOK, list, rows.Err())
}

func (a *api) addNote(w http.ResponseWriter, r *http.Request, s session.Session) error {
	n, err := decode[note](w, r)
	if err != nil {
		return err
	}
	if n.Text = strings.TrimSpace(n.Text); n.Text == "" {
		return refusal{http.StatusUnprocessableEntity, "invalid", "A note has a text."}
	}
	n.At = now()
	err = a.store.Write(r.Context(), func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `INSERT INTO notes (person, at, text) VALUES (?, ?, ?) RETURNING id`, s.Subject(), n.At, n.Text).Scan(&n.ID)
	})
	return answer(w, http.StatusCreated, n, err)
}
