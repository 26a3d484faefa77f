package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/internal/db/dbtest"
	"cloakroom/session/sqlite"
)

func TestAudit(t *testing.T) {
	dbtest.Audit(t, func(t *testing.T) dbtest.AuditEngine {
		a, exec := openAudit(t)
		return dbtest.AuditEngine{Store: a, Sessions: a.store, Exec: exec}
	})
}

func openAudit(t *testing.T) (*Audit, func(string) error) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	accounts, err := NewAccounts(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	return NewAudit(accounts, nil), func(statement string) error {
		return store.Write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, statement)
			return err
		})
	}
}

// SQLite deletes what it replaces without asking a trigger for deletions.
func TestAnEntryIsNotReplaced(t *testing.T) {
	a, exec := openAudit(t)
	if err := a.Append(t.Context(), []audit.Entry{{Event: audit.SessionIssued, Subject: "ann"}}); err != nil {
		t.Fatal(err)
	}
	err := exec(`INSERT OR REPLACE INTO cloakroom_audit
		(seq, at, event, reason, actor, subject, session, address, user_agent, detail, count, until)
		VALUES (1, 0, 'session.issued', '', '', 'eve', '', '', '', '', 1, 0)`)
	if err == nil || !strings.Contains(err.Error(), "never replaced") {
		t.Error(err)
	}
	if list, _, err := a.List(t.Context(), audit.Filter{Subject: "ann"}, "", 10); len(list) != 1 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
}

// A page costs what it holds, however many entries there are: it is read off
// the end of an index, in order.
func TestAPageIsReadOffAnIndex(t *testing.T) {
	a, _ := openAudit(t)
	for index, f := range map[string]audit.Filter{
		"cloakroom_audit_by_time":    {},
		"cloakroom_audit_by_subject": {Subject: "ann", Since: time.Unix(1, 0), Until: time.Unix(9, 0)},
		"cloakroom_audit_by_actor":   {Actor: "ann"},
		"cloakroom_audit_by_event":   {Event: audit.SignInRefused},
	} {
		for _, after := range []string{"", "5.1"} {
			query, args, err := page(f, after, 10)
			if err != nil {
				t.Fatal(err)
			}
			plan := explain(t, a.store.Read(), query, args)
			if len(plan) != 1 || !strings.Contains(plan[0], "SEARCH cloakroom_audit USING INDEX "+index) {
				t.Errorf("%+v after %q: %q", f, after, plan)
			}
		}
	}
}

func explain(t *testing.T, db *sql.DB, query string, args []any) (plan []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var line string
		if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
			t.Fatal(err)
		}
		t.Log(line)
		plan = append(plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}
