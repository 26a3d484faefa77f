package sqlite

import (
	"context"
	"database/sql"

	"cloakroom/internal/account"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

// SetAdmin notes in the transaction that it joins whether the account is an
// administrator's.
func (a *Accounts) SetAdmin(id string, admin bool) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		if !admin {
			_, err := tx.ExecContext(ctx, `DELETE FROM cloakroom_admins WHERE account = ?`, id)
			if err != nil {
				return broken("note who is no administrator", err)
			}
			return exists(ctx, tx, id)
		}
		// The update changes nothing: it counts the row that is there already.
		return changeOne(ctx, tx, "note who is an administrator", `
			INSERT INTO cloakroom_admins (account) SELECT id FROM cloakroom_accounts WHERE id = ?
			ON CONFLICT (account) DO UPDATE SET account = excluded.account`, id)
	})
}

func exists(ctx context.Context, tx *sql.Tx, id string) error {
	var one int
	return found("look for an account", tx.QueryRowContext(ctx,
		`SELECT 1 FROM cloakroom_accounts WHERE id = ?`, id).Scan(&one))
}

// activeAdmin is whether one of the rows of cloakroom_admins that follows a
// condition can sign in. One who was invited and has set no password cannot, and
// may never.
const activeAdmin = `EXISTS (
	SELECT 1 FROM cloakroom_admins m JOIN cloakroom_accounts a ON a.id = m.account
	JOIN cloakroom_passwords p ON p.account = m.account
	WHERE a.status = 1 AND m.account `

// KeepAdmin asks in the transaction that it joins, which is alone with the
// table.
func (a *Accounts) KeepAdmin(id string) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		var last bool
		err := tx.QueryRowContext(ctx,
			`SELECT `+activeAdmin+`= ?1) AND NOT `+activeAdmin+`<> ?1)`, id).Scan(&last)
		if err != nil {
			return broken("look for another administrator", err)
		}
		if last {
			return account.ErrLastAdmin
		}
		return nil
	})
}
