package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

// record writes down what the actor did to the user, in the transaction in which
// it happens: there is no act without its entry, and no entry without its act.
func record(user, actor, event string) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO audit (user, actor, event) VALUES (?, ?, ?)`, user, actor, event)
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		return nil
	})
}

// entry is a line of the record.
type entry struct {
	At    time.Time
	Event string
}

// history returns what happened to the user last.
func (a *app) history(ctx context.Context, user string) ([]entry, error) {
	rows, err := a.store.Read().QueryContext(ctx,
		`SELECT at, event FROM audit WHERE user = ? ORDER BY number DESC LIMIT 10`, user)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var entries []entry
	for rows.Next() {
		var at int64
		var e entry
		if err := rows.Scan(&at, &e.Event); err != nil {
			return nil, err
		}
		e.At = time.Unix(at, 0).UTC()
		entries = append(entries, e)
	}
	return entries, rows.Err()
}
