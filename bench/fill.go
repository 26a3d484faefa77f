package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"cloakroom/internal/account"
	accounts "cloakroom/internal/db/sqlite"
	"cloakroom/session"
	"cloakroom/session/sqlite"

	_ "modernc.org/sqlite" // the driver
)

// sessionsEach is how many sessions an account of the lists has.
const sessionsEach = 3

// openTables makes the file, or opens it, as the server does.
func openTables(ctx context.Context, path string) (*sqlite.Store, *accounts.Accounts, error) {
	store, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	people, err := accounts.NewAccounts(ctx, store)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return store, people, nil
}

// fillFile makes a file of many accounts, each with sessions and one entry of
// the audit. By the public calls that would take an hour; so the rows are
// written by SQL, as those calls would have written them over a year: what an
// account has stands far apart in the file.
func (b *bench) fillFile(ctx context.Context, path string) error {
	store, _, err := openTables(ctx, path)
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1) // what is set below holds for a connection
	return errors.Join(b.fill(ctx, db), db.Close())
}

// fill writes without a journal: a file that is not finished is of no use.
func (b *bench) fill(ctx context.Context, db *sql.DB) error {
	for _, pragma := range []string{"journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"} {
		if _, err := db.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	n, now := b.size.accounts, time.Now().Unix()
	for _, step := range fillSteps {
		b.say("fill: %s", step.what)
		for pass := range step.passes {
			if _, err := db.ExecContext(ctx, step.statement, n, now, pass); err != nil {
				return fmt.Errorf("%s: %w", step.what, err)
			}
		}
	}
	_, err := db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	return err
}

// The nth account has the id that it would have got at the nth second of 2025,
// and an address that sorts anywhere.
const (
	firstSecond = 1_735_689_600
	sqlID       = `printf('%08x-%04x-7%03x-8%03x-%012x',
		((1735689600 + n) * 1000) >> 16, ((1735689600 + n) * 1000) & 65535, n % 4096, n % 4095, n)`
	sqlEmail = `printf('p%08x@example.com', (n * 2654435761) & 4294967295)`
	sqlEach  = `WITH RECURSIVE each (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM each WHERE n + 1 < ?1) `
)

// accountID is the id of the nth account.
func accountID(n int) string {
	millis := (firstSecond + int64(n)) * 1000
	return fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", millis>>16, millis&0xffff, n%4096, n%4095, n)
}

// fillSteps fill the tables. Parameters are the number of accounts, the time, and
// which pass it is.
var fillSteps = []struct {
	what      string
	passes    int
	statement string
}{
	{"accounts", 1, sqlEach + `
		INSERT INTO cloakroom_accounts (id, email, status) SELECT ` + sqlID + `, ` + sqlEmail + `, 1 FROM each`},
	{"subjects", 1, sqlEach + `
		INSERT INTO cloakroom_subjects (key, subject, epoch, version, deleted, name, email, email_verified, roles, attributes)
		SELECT n + 1, ` + sqlID + `, 1, 1, 0, 'Person ' || n, ` + sqlEmail + `, 0, '', '' FROM each`},
	{"sessions", sessionsEach, sqlEach + `
		INSERT INTO cloakroom_sessions (id, token, subject, epoch, global_epoch,
			created, authenticated, last_seen, idle_ends, absolute_ends, idle, level, methods, remember,
			user_agent, address, label)
		SELECT randomblob(16), randomblob(32), n + 1, 1, 1,
			?2 - 500000 + ?3 * 100000, ?2 - 500000 + ?3 * 100000, ?2 - 1000, ?2 + 600000, ?2 + 2000000, 604800, 1, 1, 0,
			'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', '192.0.2.1', '' FROM each`},
	{"audit", 1, sqlEach + `
		INSERT INTO cloakroom_audit (at, event, reason, actor, subject, session, address, user_agent, detail, count, until)
		SELECT ?2 - ?1 + n, 'session.issued', '', id, id, '', '192.0.2.1', 'Mozilla/5.0', '', 1, ?2 - ?1 + n
		FROM (SELECT n, ` + sqlID + ` AS id FROM each)`},
}

// administrator is who looks at the lists, with as many sessions as one may have.
type administrator struct{ token string }

// addAdministrator adds one to the file by the public calls.
func addAdministrator(ctx context.Context, path string) (administrator, error) {
	store, people, err := openTables(ctx, path)
	if err != nil {
		return administrator{}, err
	}
	m, stop, err := startManager(ctx, store)
	if err != nil {
		return administrator{}, errors.Join(err, store.Close())
	}
	found, err := administratorOf(ctx, m, people)
	stop()
	return found, errors.Join(err, store.Close())
}

func administratorOf(ctx context.Context, m *session.Manager, people *accounts.Accounts) (administrator, error) {
	const sessions = 100
	a, err := account.New("administrator@example.com")
	if err != nil {
		return administrator{}, err
	}
	var found administrator
	for i := range sessions {
		attempt, err := m.Begin(ctx, a.ID)
		if err != nil {
			return administrator{}, err
		}
		grant := browserGrant(i)
		if i == 0 {
			grant.Profile = &session.Profile{Name: userName, Email: a.Email, Roles: userRoles()}
			grant.Joins = []session.Join{people.Create(a, ""), people.SetAdmin(a.ID, true)}
		}
		token, _, err := m.Issue(ctx, attempt, grant)
		if err != nil {
			return administrator{}, err
		}
		found.token = token.Reveal()
	}
	return found, nil
}
