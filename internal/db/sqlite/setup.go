package sqlite

import (
	"context"
	"database/sql"

	"cloakroom/internal/setup"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

var _ setup.Store = (*Setup)(nil)

// Setup is a setup.Store beside a session store.
type Setup struct {
	store *sqlite.Store
}

// NewSetup returns what is known of the setup in the file of the accounts, whose
// tables are up to date.
func NewSetup(accounts *Accounts) *Setup { return &Setup{accounts.store} }

// setUp is whether the setup is done.
const setUp = `(EXISTS (SELECT 1 FROM cloakroom_setup) OR EXISTS (SELECT 1 FROM cloakroom_admins))`

// Done reads whether the setup is done.
func (s *Setup) Done(ctx context.Context) (done bool, err error) {
	err = s.store.Read().QueryRowContext(ctx, `SELECT `+setUp).Scan(&done)
	return done, broken("read whether the setup is done", err)
}

// Claim writes the one row in the transaction that it joins: of several, the
// first finds it missing.
func (s *Setup) Claim(account string) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx,
			`INSERT INTO cloakroom_setup (one, account) SELECT 1, ? WHERE NOT `+setUp, account)
		if err != nil {
			return broken("do the setup", err)
		}
		n, err := result.RowsAffected()
		if err == nil && n == 0 {
			return setup.ErrDone
		}
		return broken("do the setup", err)
	})
}
