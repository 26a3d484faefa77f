// Package sqlite keeps accounts in the SQLite file that keeps the sessions. It
// opens nothing: it reads through the session store's pool, and writes in the
// transactions of sign-ins, by Joins.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/migrate"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

var _ account.Store = (*Accounts)(nil)

// Accounts is an account.Store beside a session store.
type Accounts struct {
	store *sqlite.Store
}

// NewAccounts brings the tables up to date, or refuses tables of a newer
// version, and returns the accounts in them.
func NewAccounts(ctx context.Context, store *sqlite.Store) (*Accounts, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	err = store.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return migrate.Run(ctx, tx, "account", dir)
	})
	if err != nil {
		return nil, err
	}
	return &Accounts{store}, nil
}

// IDByEmail looks up a canonical address.
func (a *Accounts) IDByEmail(ctx context.Context, email string) (string, error) {
	var id string
	err := a.store.Read().QueryRowContext(ctx,
		`SELECT id FROM cloakroom_accounts WHERE email = ?`, email).Scan(&id)
	return id, found("find an account by its address", err)
}

// Credentials reads an account and its password's hash in one statement, which
// is one snapshot.
func (a *Accounts) Credentials(ctx context.Context, id string) (account.Credentials, error) {
	c := account.Credentials{Account: account.Account{ID: id, CreatedAt: account.CreatedAt(id)}}
	err := a.store.Read().QueryRowContext(ctx, `
		SELECT a.email, a.status, a.alerted, coalesce(p.hash, '')
		FROM cloakroom_accounts a LEFT JOIN cloakroom_passwords p ON p.account = a.id
		WHERE a.id = ?`, id).Scan(&c.Email, &c.Status, maybe{&c.AlertedAt}, &c.Hash)
	if err != nil {
		return account.Credentials{}, found("read an account", err)
	}
	return c, nil
}

// Create adds the account and its password in the transaction that it joins.
func (a *Accounts) Create(n account.Account, hash string) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			INSERT INTO cloakroom_accounts (id, email, status) VALUES (?, ?, ?)
			ON CONFLICT (email) DO NOTHING`, n.ID, n.Email, n.Status)
		if err != nil {
			return broken("add an account", err)
		}
		switch added, err := result.RowsAffected(); {
		case err != nil:
			return broken("add an account", err)
		case added == 0:
			return account.ErrTaken
		}
		if hash == "" {
			return nil
		}
		_, err = tx.ExecContext(ctx,
			`INSERT INTO cloakroom_passwords (account, hash) VALUES (?, ?)`, n.ID, hash)
		return broken("add a password", err)
	})
}

// Rehash replaces the hash in the transaction that it joins, if it is still old.
func (a *Accounts) Rehash(id, old, hash string) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			`UPDATE cloakroom_passwords SET hash = ? WHERE account = ? AND hash = ?`, hash, id, old)
		return broken("renew a password's hash", err)
	})
}

// SetPassword sets the hash in the transaction that it joins, and deletes what
// the old password had opened.
func (a *Accounts) SetPassword(id, hash string) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		err := changeOne(ctx, tx, "set a password", `
			INSERT INTO cloakroom_passwords (account, hash)
			SELECT id, ?2 FROM cloakroom_accounts WHERE id = ?1
			ON CONFLICT (account) DO UPDATE SET hash = excluded.hash`, id, hash)
		if err != nil {
			return err
		}
		if err := voidLinks(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE cloakroom_accounts SET alerted = NULL WHERE id = ?`, id); err != nil {
			return broken("end an account's alert", err)
		}
		return forgetDevices(ctx, tx, id)
	})
}

// Alert notes a time, in seconds, in the transaction that it joins.
func (a *Accounts) Alert(id string, at time.Time) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE cloakroom_accounts SET alerted = ? WHERE id = ?`, at.Unix(), id)
		return broken("alert an account", err)
	})
}

// maybe scans Unix seconds, or nothing.
type maybe struct{ to *time.Time }

func (m maybe) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		return nil
	case int64:
		*m.to = time.Unix(v, 0).UTC()
		return nil
	}
	return errors.New("stored value is no time")
}

// changeOne runs a statement that changes the one row of an account, or tells
// that there is no such account.
func changeOne(ctx context.Context, tx *sql.Tx, what, statement string, args ...any) error {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return broken(what, err)
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return account.ErrNotFound
	}
	return broken(what, err)
}

// found tells an account that is not there from a store that is broken.
func found(what string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return account.ErrNotFound
	}
	return broken(what, err)
}

func broken(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
