package sqlite

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"

	"cloakroom/internal/account"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

var _ account.Directory = (*Accounts)(nil)

// Get reads an account.
func (a *Accounts) Get(ctx context.Context, id string) (account.Account, error) {
	n := account.Account{ID: id, CreatedAt: account.CreatedAt(id)}
	err := a.store.Read().QueryRowContext(ctx,
		`SELECT email, status, alerted FROM cloakroom_accounts WHERE id = ?`, id).Scan(&n.Email, &n.Status, maybe{&n.AlertedAt})
	if err != nil {
		return account.Account{}, found("read an account", err)
	}
	return n, nil
}

// List walks along the index of addresses, or that of the status.
func (a *Accounts) List(ctx context.Context, q account.Query) ([]account.Account, string, error) {
	if q.Limit < 1 || q.Limit > account.MaxPage {
		return nil, "", fmt.Errorf("%w: a page has 1 to %d accounts", session.ErrInvalid, account.MaxPage)
	}
	query, args, err := accountsPage(q)
	if err != nil {
		return nil, "", err
	}
	list, err := a.readAccounts(ctx, query, args)
	if err != nil {
		return nil, "", broken("list accounts", err)
	}
	if len(list) <= q.Limit {
		return list, "", nil
	}
	list = list[:q.Limit]
	return list, cursorText.EncodeToString([]byte(list[q.Limit-1].Email)), nil
}

// A cursor is the last address that was returned, in a spelling that is not read
// as one at first sight. It holds also when that account is deleted.
var cursorText = base64.RawURLEncoding.Strict()

// afterAll sorts behind every character of an address.
const afterAll = "\U0010ffff"

// accountsPage is the query for one account more than the page has. There is one
// bound at each end, so that the index is entered and left where it should be.
func accountsPage(q account.Query) (query string, args []any, err error) {
	from := q.EmailPrefix
	if q.After != "" {
		last, err := cursorText.DecodeString(q.After)
		if canonical, notOne := account.CanonicalEmail(string(last)); err != nil || notOne != nil || canonical != string(last) {
			return "", nil, fmt.Errorf("%w: cursor", session.ErrInvalid)
		}
		from = max(from, string(last)+"\x00") // the next string there can be
	}
	query = `SELECT id, email, status, alerted FROM cloakroom_accounts WHERE email >= ? AND email < ?`
	args = []any{from, q.EmailPrefix + afterAll}
	if q.Status != 0 {
		query += ` AND status = ?`
		args = append(args, q.Status)
	}
	return query + ` ORDER BY email LIMIT ?`, append(args, q.Limit+1), nil
}

func (a *Accounts) readAccounts(ctx context.Context, query string, args []any) ([]account.Account, error) {
	rows, err := a.store.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.Account
	for rows.Next() {
		var n account.Account
		if err := rows.Scan(&n.ID, &n.Email, &n.Status, maybe{&n.AlertedAt}); err != nil {
			return nil, err
		}
		n.CreatedAt = account.CreatedAt(n.ID)
		list = append(list, n)
	}
	return list, rows.Err()
}

// SetStatus sets the status in the transaction that it joins.
func (a *Accounts) SetStatus(id string, s account.Status) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		return changeOne(ctx, tx, "set an account's status",
			`UPDATE cloakroom_accounts SET status = ? WHERE id = ?`, s, id)
	})
}

// Delete deletes the account in the transaction that it joins. What refers to it
// goes with it.
func (a *Accounts) Delete(id string) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		return changeOne(ctx, tx, "delete an account", `DELETE FROM cloakroom_accounts WHERE id = ?`, id)
	})
}
