package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/http"
	"net/mail"

	"cloakroom/session"
	"cloakroom/session/sqlite"

	"golang.org/x/crypto/bcrypt"
)

var (
	errNoPerson    = errors.New("nobody has this address")
	errCredentials = refusal{http.StatusUnauthorized, "bad-credentials", "This email and password do not belong together."}
	errTaken       = refusal{http.StatusConflict, "taken", "Somebody has signed up with this address."}
)

// Passwords: bcrypt takes 72 bytes.
const minPassword, maxPassword = 15, 72

// makeTables has people and their notes beside the sessions, in one file.
func makeTables(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `
		CREATE TABLE IF NOT EXISTS people (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, hash BLOB NOT NULL) STRICT;
		CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, person TEXT NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL) STRICT;`)
	return err
}

type person struct {
	id, email string
	hash      []byte
}

func newPerson(c credentials) (person, error) {
	if a, err := mail.ParseAddress(c.Email); err != nil || a.Address != c.Email {
		return person{}, refusal{http.StatusUnprocessableEntity, "invalid", "This is not an email address."}
	}
	if len(c.Password) < minPassword || len(c.Password) > maxPassword {
		return person{}, refusal{http.StatusUnprocessableEntity, "invalid", "The password needs 15 to 72 characters."}
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(c.Password), bcrypt.DefaultCost)
	return person{rand.Text(), c.Email, hash}, err
}

// insert is the work of a sign-up, in the transaction that makes its session.
func (p person) insert() session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO people (id, email, hash) VALUES (?, ?, ?) ON CONFLICT (email) DO NOTHING`,
			p.id, p.email, p.hash)
		if err != nil {
			return err
		}
		if added, err := result.RowsAffected(); err != nil || added == 0 {
			return errors.Join(errTaken, err)
		}
		return nil
	})
}

func (a *api) idOf(ctx context.Context, email string) (id string, err error) {
	err = a.store.Read().QueryRowContext(ctx, `SELECT id FROM people WHERE email = ?`, email).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errNoPerson
	}
	return id, err
}

func (a *api) verify(ctx context.Context, id, password string) error {
	var hash []byte
	if err := a.store.Read().QueryRowContext(ctx, `SELECT hash FROM people WHERE id = ?`, id).Scan(&hash); err != nil {
		return err
	}
	if bcrypt.CompareHashAndPassword(hash, []byte(password)) != nil {
		return errCredentials
	}
	return nil
}

// waste takes as long as a comparison, so that time does not tell who has an account.
func waste(password string) error {
	_, err := bcrypt.GenerateFromPassword([]byte(password[:min(len(password), maxPassword)]), bcrypt.DefaultCost)
	return err
}
