package sqlite

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"cloakroom/session"
)

// record is a session's row with its subject and the global epoch, from one
// statement.
type record struct {
	key     int64
	token   session.Hash
	epochs  session.Epochs // that it was issued under
	global  uint64         // the global epoch as it is
	revoked bool
	row     session.Row
	subject subject

	place session.Place
	ends  sql.NullInt64 // when the access token does, if by itself
	grace int64
}

const (
	recordColumns = subjectColumns + `, s.key, s.id, s.token, s.epoch, s.global_epoch,
		(SELECT global_epoch FROM cloakroom_meta), s.ended IS NOT NULL,
		s.created, s.authenticated, s.last_seen, s.idle_ends, s.absolute_ends, s.level, s.methods, s.remember, s.bearer,
		coalesce(p.place, 0), p.ends, coalesce(p.grace, 0)`
	recordTables = `cloakroom_sessions s LEFT JOIN cloakroom_subjects u ON u.key = s.subject
		LEFT JOIN cloakroom_pairs p ON p.session = s.key AND p.place = 0`
	pairTables = `cloakroom_pairs p JOIN cloakroom_sessions s ON s.key = p.session
		LEFT JOIN cloakroom_subjects u ON u.key = s.subject`

	recordByToken   = `SELECT ` + recordColumns + ` FROM ` + recordTables + ` WHERE s.token = ?`
	recordByID      = `SELECT ` + recordColumns + ` FROM ` + recordTables + ` WHERE s.id = ?`
	recordByAccess  = `SELECT ` + recordColumns + ` FROM ` + pairTables + ` WHERE p.access = ?`
	recordByRefresh = `SELECT ` + recordColumns + `, p.salt, p.access FROM ` + pairTables + ` WHERE p.refresh = ?`
)

// scanRecord returns session.ErrNoSession if there is no row. A session without
// a subject, or a store without a global epoch, is an error of its own: NULL
// has no place to be scanned into.
func scanRecord(row scanner, more ...any) (record, error) {
	var r record
	var err error
	r.subject, err = scanSubject(row, append([]any{
		&r.key, fixed(r.row.ID[:]), fixed(r.token[:]), &r.epochs.Subject, &r.epochs.Global, &r.global, &r.revoked,
		second{&r.row.Created}, second{&r.row.Authenticated}, second{&r.row.LastSeen},
		second{&r.row.IdleEnds}, second{&r.row.Absolute}, &r.row.Level, &r.row.Methods, &r.row.Remember, &r.row.Bearer,
		&r.place, &r.ends, &r.grace,
	}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return record{}, session.ErrNoSession
	}
	return r, err
}

// byToken finds the session of an access token: its own, which nearly all are, or
// another of its pairs.
func byToken(row func(query string, args ...any) scanner, token session.Hash) (record, error) {
	r, err := scanRecord(row(recordByToken, token[:]))
	if errors.Is(err, session.ErrNoSession) {
		return scanRecord(row(recordByAccess, token[:]))
	}
	return r, err
}

// ended reports whether the session is over for good. One that has only expired
// is not: a touch from before its idle limit may still arrive.
func (r *record) ended() bool {
	return r.revoked || r.epochs != session.Epochs{Subject: r.subject.epoch, Global: r.global}
}

func (r *record) live(now time.Time) bool {
	return !r.ended() && now.Before(r.row.IdleEnds) && now.Before(r.row.Absolute)
}

// loaded describes the session as it stands at now, for the token by which it was
// found.
func (r *record) loaded(now time.Time) session.Loaded {
	ends := r.row.Absolute
	if r.ends.Valid {
		ends = earlier(ends, r.ends.Int64)
	}
	if r.place == session.Superseded {
		ends = earlier(ends, r.grace)
	}
	return session.Loaded{
		Place:        r.place,
		TokenLeft:    ends.Sub(now),
		Session:      r.row,
		Subject:      r.subject.info,
		Ended:        r.ended(),
		IdleLeft:     r.row.IdleEnds.Sub(now),
		AbsoluteLeft: r.row.Absolute.Sub(now),
		Age:          now.Sub(r.row.Authenticated),
	}
}

func earlier(a time.Time, unix int64) time.Time {
	if b := time.Unix(unix, 0).UTC(); b.Before(a) {
		return b
	}
	return a
}

// second scans Unix seconds.
type second struct{ to *time.Time }

func (s second) Scan(value any) error {
	n, ok := value.(int64)
	if !ok {
		return errors.New("stored value is no time")
	}
	*s.to = time.Unix(n, 0).UTC()
	return nil
}

// Load reads one session and its subject.
func (s *Store) Load(ctx context.Context, now time.Time, token session.Hash) (session.Loaded, error) {
	reads, err := s.reads()
	if err != nil {
		return session.Loaded{}, err
	}
	r, err := byToken(func(query string, args ...any) scanner { return reads.row(ctx, query, args...) }, token)
	if err != nil {
		return session.Loaded{}, fmt.Errorf("sqlite: load session: %w", err)
	}
	return r.loaded(s.clock.judge(now)), nil
}

// Touch records when sessions were last seen.
func (s *Store) Touch(ctx context.Context, now time.Time, touches []session.Touch) error {
	s.clock.judge(now)
	for some := range slices.Chunk(touches, maxBatch) {
		err := s.write(ctx, func(t *transaction) error {
			for _, touch := range some {
				if err := t.touch(touch); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("sqlite: touch sessions: %w", err)
		}
	}
	return nil
}

// touch changes a row that could be accepted at the time it was seen.
func (t *transaction) touch(touch session.Touch) error {
	t.clock.judge(touch.Seen) // never behind what is stored
	_, err := t.exec(`UPDATE cloakroom_sessions AS s
		SET last_seen = max(last_seen, ?1), idle_ends = max(idle_ends, min(?1 + idle, absolute_ends))
		WHERE id = ?2 AND ended IS NULL AND idle_ends > ?1 AND absolute_ends > ?1
		  AND global_epoch = (SELECT global_epoch FROM cloakroom_meta)
		  AND epoch = (SELECT epoch FROM cloakroom_subjects WHERE key = s.subject)`,
		touch.Seen.Unix(), touch.ID[:])
	return err
}

// List returns live sessions, newest first.
func (s *Store) List(ctx context.Context, now time.Time, name, after string, limit int) ([]session.Details, string, error) {
	created, id, err := parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	reads, err := s.reads()
	if err != nil {
		return nil, "", err
	}
	rows, err := reads.rows(ctx, `SELECT s.id, s.created, s.authenticated, s.last_seen, s.idle_ends, s.absolute_ends,
		s.level, s.methods, s.user_agent, s.address, s.label, s.bearer
		FROM cloakroom_meta m, cloakroom_subjects u, cloakroom_sessions s
		WHERE u.subject = ?1 AND s.subject = u.key AND s.epoch = u.epoch AND s.ended IS NULL
		  AND s.global_epoch = m.global_epoch AND s.idle_ends > ?2 AND s.absolute_ends > ?2
		  AND (s.created, s.id) < (?3, ?4)
		ORDER BY s.created DESC, s.id DESC LIMIT ?5`,
		name, s.clock.judge(now).Unix(), created, id[:], limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("sqlite: list sessions: %w", err)
	}
	defer rows.Close()
	var page []session.Details
	for rows.Next() {
		var d session.Details
		err := rows.Scan(fixed(d.ID[:]), second{&d.CreatedAt}, second{&d.AuthenticatedAt}, second{&d.LastSeenAt},
			second{&d.IdleExpiresAt}, second{&d.ExpiresAt},
			&d.Level, &d.Methods, &d.Client.UserAgent, &d.Client.Address, &d.Client.Label, &d.Bearer)
		if err != nil {
			return nil, "", fmt.Errorf("sqlite: list sessions: %w", err)
		}
		page = append(page, d)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("sqlite: list sessions: %w", err)
	}
	if len(page) <= limit {
		return page, "", nil
	}
	page = page[:limit]
	return page, cursor(page[limit-1]), nil
}

// CountLive counts the live sessions of all subjects. It reads every session: a second
// of a processor for a few million.
func (s *Store) CountLive(ctx context.Context, now time.Time) (n int64, err error) {
	reads, err := s.reads()
	if err != nil {
		return 0, err
	}
	err = reads.row(ctx, `SELECT count(*) FROM cloakroom_meta m, cloakroom_sessions s JOIN cloakroom_subjects u ON u.key = s.subject
		WHERE s.ended IS NULL AND s.epoch = u.epoch AND s.global_epoch = m.global_epoch AND s.idle_ends > ?1 AND s.absolute_ends > ?1`,
		s.clock.judge(now).Unix()).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("sqlite: count sessions: %w", err)
	}
	return n, nil
}

// A cursor is the place of a session in the order of the list, so that it holds
// also when that session is gone: created (8 bytes) and id (16), in base64url.

var cursorText = base64.RawURLEncoding.Strict()

func cursor(d session.Details) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(d.CreatedAt.Unix()))
	return cursorText.EncodeToString(append(b, d.ID[:]...))
}

// parseCursor returns the place before all sessions for "".
func parseCursor(text string) (created int64, id session.ID, err error) {
	if text == "" {
		return math.MaxInt64, session.ID{}, nil
	}
	b, err := cursorText.DecodeString(text)
	if err != nil || len(b) != 24 || len(text) != 32 {
		return 0, session.ID{}, fmt.Errorf("%w: cursor", session.ErrInvalid)
	}
	return int64(binary.BigEndian.Uint64(b)), session.ID(b[8:]), nil
}
