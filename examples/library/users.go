package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

var (
	errTaken  = errors.New("the email address is taken")
	errNoUser = errors.New("no such user")
)

// user is what the application itself keeps of a person. Name and roles are in
// the profile, which every check of a session shows without asking a table.
type user struct {
	id, email, hash string
}

// findUser returns the user with this address, or errNoUser.
func (a *app) findUser(ctx context.Context, email string) (id string, err error) {
	err = a.store.Read().QueryRowContext(ctx, `SELECT id FROM users WHERE email = ?`, email).Scan(&id)
	return id, noUser(err)
}

// readHash returns the hash of the user's password.
func (a *app) readHash(ctx context.Context, id string) (hash string, err error) {
	err = a.store.Read().QueryRowContext(ctx, `SELECT hash FROM users WHERE id = ?`, id).Scan(&hash)
	return hash, noUser(err)
}

// noUser keeps "there is none" and "it cannot be known" apart.
func noUser(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errNoUser
	}
	return err
}

// hasUsers reports whether anybody has signed up.
func (a *app) hasUsers(ctx context.Context) (some bool, err error) {
	err = a.store.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM users)`).Scan(&some)
	return some, err
}

// listUsers returns the first hundred users.
func (a *app) listUsers(ctx context.Context) ([]user, error) {
	rows, err := a.store.Read().QueryContext(ctx, `SELECT id, email FROM users ORDER BY email LIMIT 100`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var users []user
	for rows.Next() {
		var u user
		if err := rows.Scan(&u.id, &u.email); err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, rows.Err()
}

// insertUser adds a user in the transaction of the first sign-in. It fails with
// errTaken if the address is somebody's, and with session.ErrMoved if this was
// to be the first user and is not.
func insertUser(u user, first bool) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		n, err := change(ctx, tx, `INSERT INTO users (id, email, hash) VALUES (?, ?, ?)
			ON CONFLICT (email) DO NOTHING`, u.id, u.email, u.hash)
		switch {
		case err != nil:
			return err
		case n == 0:
			return errTaken
		case !first:
			return nil
		}
		var count int
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM users`).Scan(&count)
		if err == nil && count > 1 {
			err = session.ErrMoved
		}
		return err
	})
}

// updateHash changes a password in the transaction that ends the sessions it
// opened.
func updateHash(id, hash string) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		n, err := change(ctx, tx, `UPDATE users SET hash = ? WHERE id = ?`, hash, id)
		if err == nil && n == 0 {
			err = errNoUser
		}
		return err
	})
}

// change runs a statement and says how many rows it changed.
func change(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	result, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("users: %w", err)
	}
	return result.RowsAffected()
}
