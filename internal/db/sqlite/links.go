package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/link"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

var _ link.Store = (*Links)(nil)

// Links is a link.Store beside a session store.
type Links struct {
	store *sqlite.Store
}

// NewLinks returns the links in the file of the accounts, whose tables are up to
// date.
func NewLinks(accounts *Accounts) *Links { return &Links{accounts.store} }

// Add writes the link in the transaction that it joins, in the place of an
// earlier one.
func (l *Links) Add(n link.Link, hash link.Hash) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM cloakroom_links WHERE account = ? AND kind = ?`, n.Account, n.Kind)
		if err != nil {
			return broken("replace a link", err)
		}
		return changeOne(ctx, tx, "add a link", `
			INSERT INTO cloakroom_links (account, kind, hash, expires_at, created_by)
			SELECT id, ?2, ?3, ?4, ?5 FROM cloakroom_accounts WHERE id = ?1`,
			n.Account, n.Kind, hash[:], n.Expires.Unix(), n.CreatedBy)
	})
}

// Find looks a link up.
func (l *Links) Find(ctx context.Context, hash link.Hash, now time.Time) (link.Link, error) {
	var n link.Link
	var expires int64
	err := l.store.Read().QueryRowContext(ctx, `
		SELECT account, kind, expires_at, created_by FROM cloakroom_links WHERE hash = ? AND expires_at > ?`,
		hash[:], now.Unix()).Scan(&n.Account, &n.Kind, &expires, &n.CreatedBy)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return link.Link{}, link.ErrGone
	case err != nil:
		return link.Link{}, broken("find a link", err)
	}
	n.Expires = time.Unix(expires, 0).UTC()
	return n, nil
}

// Use deletes the link in the transaction that it joins: of several, the first
// finds it.
func (l *Links) Use(hash link.Hash, kind link.Kind, now time.Time) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		err := changeOne(ctx, tx, "use a link", `
			DELETE FROM cloakroom_links WHERE hash = ? AND kind = ? AND expires_at > ?
			AND EXISTS (SELECT 1 FROM cloakroom_accounts a WHERE a.id = cloakroom_links.account AND a.status = 1)`,
			hash[:], kind, now.Unix())
		if errors.Is(err, account.ErrNotFound) {
			return link.ErrGone
		}
		return err
	})
}

// Void deletes the account's links in the transaction that it joins.
func (l *Links) Void(account string) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error { return voidLinks(ctx, tx, account) })
}

func voidLinks(ctx context.Context, tx *sql.Tx, account string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM cloakroom_links WHERE account = ?`, account)
	return broken("void an account's links", err)
}

// Sweep deletes the links that have expired, the oldest first.
func (l *Links) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	var n int64
	err := l.store.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			DELETE FROM cloakroom_links WHERE hash IN (
				SELECT hash FROM cloakroom_links WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
			now.Unix(), limit)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return 0, broken("sweep links", err)
	}
	return int(n), nil
}
