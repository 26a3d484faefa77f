package docs

import (
	"context"
	"errors"
	"time"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

// restore makes a database of a backup. Everybody is signed out in it before it
// is opened: what was ended since the backup must not come back. What was at path
// is kept.
func restore(ctx context.Context, backup, path string) error {
	return sqlite.Restore(ctx, backup, path, path+".before", func(copied string) error {
		store, err := sqlite.Open(ctx, copied)
		if err != nil {
			return err
		}
		_, err = store.Apply(ctx, time.Now(), session.RevokeEverything(), nil)
		return errors.Join(err, store.Close())
	})
}
