package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"cloakroom/internal/throttle"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

var _ throttle.Devices = (*Devices)(nil)

// Devices is a throttle.Devices beside a session store.
type Devices struct {
	store *sqlite.Store
}

// NewDevices returns the devices of the accounts.
func NewDevices(accounts *Accounts) *Devices { return &Devices{accounts.store} }

// Known looks a device up.
func (d *Devices) Known(ctx context.Context, account string, device throttle.DeviceHash) (known bool, err error) {
	err = d.store.Read().QueryRowContext(ctx,
		`SELECT EXISTS (SELECT 1 FROM cloakroom_devices WHERE account = ? AND hash = ?)`,
		account, device[:]).Scan(&known)
	return known, broken("look a device up", err)
}

// Remember notes the device in the transaction that it joins. A clock that was
// set back does not make a device older than it was. Joins come before the store
// looks whether the subject is still there, so that this has to.
func (d *Devices) Remember(account string, device throttle.DeviceHash, now time.Time) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		noted, err := tx.ExecContext(ctx, `
			INSERT INTO cloakroom_devices (account, hash, used_at)
			SELECT id, ?, ? FROM cloakroom_accounts WHERE id = ?
			ON CONFLICT (account, hash) DO UPDATE SET used_at = max(used_at, excluded.used_at)`,
			device[:], now.UnixMilli(), account)
		if err != nil {
			return broken("remember a device", err)
		}
		if n, err := noted.RowsAffected(); n == 0 || err != nil {
			return cmp.Or(err, session.ErrDeleted)
		}
		_, err = tx.ExecContext(ctx, `
			DELETE FROM cloakroom_devices WHERE account = ?1 AND hash IN (
				SELECT hash FROM cloakroom_devices WHERE account = ?1 AND hash <> ?2
				ORDER BY used_at DESC LIMIT -1 OFFSET ?3)`,
			account, device[:], throttle.MaxDevices-1)
		return broken("forget the longest unused devices", err)
	})
}

// Forget deletes the account's devices in the transaction that it joins.
func (d *Devices) Forget(account string) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error { return forgetDevices(ctx, tx, account) })
}

func forgetDevices(ctx context.Context, tx *sql.Tx, account string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM cloakroom_devices WHERE account = ?`, account)
	return broken("forget an account's devices", err)
}
