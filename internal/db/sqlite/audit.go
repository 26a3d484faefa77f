package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/session"
	"cloakroom/session/sqlite"

	"github.com/go-json-experiment/json"
)

var _ audit.Store = (*Audit)(nil)

// Audit is an audit.Store beside a session store.
type Audit struct {
	store *sqlite.Store
	now   func() time.Time
}

// NewAudit returns the record in the file of the accounts, whose tables are up
// to date. now is the clock of entries that bring no time of their own:
// time.Now if it is nil.
func NewAudit(accounts *Accounts, now func() time.Time) *Audit {
	if now == nil {
		now = time.Now
	}
	return &Audit{accounts.store, now}
}

// Record writes the entries in the transaction that it joins. They get their
// time and their numbers there, while nothing else is written, so that the two
// agree.
func (a *Audit) Record(entries ...audit.Entry) session.Join {
	return sqlite.Join(func(ctx context.Context, tx *sql.Tx) error { return a.insert(ctx, tx, entries) })
}

// Append writes the entries in a transaction of its own.
func (a *Audit) Append(ctx context.Context, entries []audit.Entry) error {
	return a.store.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { return a.insert(ctx, tx, entries) })
}

func (a *Audit) insert(ctx context.Context, tx *sql.Tx, entries []audit.Entry) error {
	for _, e := range entries {
		e, err := e.Prepare(a.now())
		if err != nil {
			return err
		}
		detail, err := textOf(e.Detail)
		if err != nil {
			return broken("write to the audit", err)
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO cloakroom_audit
				(at, event, reason, actor, subject, session, address, user_agent, detail, count, until)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			e.At.Unix(), string(e.Event), string(e.Reason), e.Actor, e.Subject, e.Session,
			e.Address, e.UserAgent, detail, e.Count, e.Until.Unix())
		if err != nil {
			return broken("write to the audit", err)
		}
	}
	return nil
}

func textOf(detail map[string]string) (string, error) {
	if len(detail) == 0 {
		return "", nil
	}
	text, err := json.Marshal(detail, json.Deterministic(true))
	return string(text), err
}

// List walks down the index of what is asked for.
func (a *Audit) List(ctx context.Context, f audit.Filter, after string, limit int) ([]audit.Entry, string, error) {
	if limit < 1 || limit > audit.MaxPage {
		return nil, "", fmt.Errorf("%w: a page has 1 to %d entries", session.ErrInvalid, audit.MaxPage)
	}
	query, args, err := page(f, after, limit+1)
	if err != nil {
		return nil, "", err
	}
	list, err := a.read(ctx, query, args)
	if err != nil {
		return nil, "", broken("read the audit", err)
	}
	if len(list) <= limit {
		return list, "", nil
	}
	list = list[:limit]
	last := list[limit-1]
	return list, fmt.Sprintf("%d.%d", last.At.Unix(), last.Seq), nil
}

// page is the query for so many entries of those that match.
func page(f audit.Filter, after string, limit int) (query string, args []any, err error) {
	at, seq, err := place(after)
	if err != nil {
		return "", nil, err
	}
	query = `SELECT seq, at, event, reason, actor, subject, session, address, user_agent, detail, count, until
		FROM cloakroom_audit WHERE (at, seq) < (?, ?)`
	args = []any{at, seq}
	add := func(condition string, arg any) {
		query += " AND " + condition
		args = append(args, arg)
	}
	if f.Subject != "" {
		add("subject = ?", f.Subject)
	}
	if f.Actor != "" {
		add("actor = ?", f.Actor)
	}
	if f.Event != "" {
		add("event = ?", string(f.Event))
	}
	if !f.Since.IsZero() {
		add("at >= ?", ceil(f.Since))
	}
	if !f.Until.IsZero() {
		add("at < ?", ceil(f.Until))
	}
	return query + " ORDER BY at DESC, seq DESC LIMIT ?", append(args, limit), nil
}

// ceil rounds up: no whole second is between t and what it returns.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// place parses a cursor: the place of the last entry that was returned, which
// holds also when that is swept. "" is the place before all entries.
func place(after string) (at, seq int64, err error) {
	if after == "" {
		return math.MaxInt64, math.MaxInt64, nil
	}
	first, second, _ := strings.Cut(after, ".")
	at, err1 := strconv.ParseInt(first, 10, 64)
	seq, err2 := strconv.ParseInt(second, 10, 64)
	if err1 != nil || err2 != nil || fmt.Sprintf("%d.%d", at, seq) != after {
		return 0, 0, fmt.Errorf("%w: cursor", session.ErrInvalid)
	}
	return at, seq, nil
}

func (a *Audit) read(ctx context.Context, query string, args []any) ([]audit.Entry, error) {
	rows, err := a.store.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []audit.Entry
	for rows.Next() {
		var e audit.Entry
		var at, until int64
		var detail []byte
		err := rows.Scan(&e.Seq, &at, &e.Event, &e.Reason, &e.Actor, &e.Subject, &e.Session,
			&e.Address, &e.UserAgent, &detail, &e.Count, &until)
		if err != nil {
			return nil, err
		}
		e.At, e.Until = time.Unix(at, 0).UTC(), time.Unix(until, 0).UTC()
		if len(detail) > 0 {
			if err := json.Unmarshal(detail, &e.Detail); err != nil {
				return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
			}
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

// Sweep deletes the oldest entries that are over before a time.
func (a *Audit) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	var n int64
	err := a.store.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			DELETE FROM cloakroom_audit WHERE seq IN (
				SELECT seq FROM cloakroom_audit WHERE at < ?1 AND until < ?1 ORDER BY at, seq LIMIT ?2)`,
			before.Unix(), limit)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return 0, broken("sweep the audit", err)
	}
	return int(n), nil
}
