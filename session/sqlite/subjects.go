package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cloakroom/session"
)

// subject is a subject's row. One without a row has the key 0 and epoch 1.
type subject struct {
	key   int64
	epoch uint64
	info  session.SubjectInfo
}

const subjectColumns = `u.key, u.subject, u.epoch, u.version, u.deleted,
	u.name, u.email, u.email_verified, u.roles, u.attributes`

// fields are the places for subjectColumns. After the scan, roles is what
// splitRoles makes a profile's roles of.
func (u *subject) fields(roles *string) []any {
	p := &u.info.Profile
	return []any{&u.key, &u.info.Subject, &u.epoch, &u.info.Version, &u.info.Deleted,
		&p.Name, &p.Email, &p.EmailVerified, roles, (*[]byte)(&p.Attributes)}
}

func splitRoles(roles string) []string {
	if roles == "" {
		return nil
	}
	return strings.Split(roles, ",")
}

func scanSubject(row scanner, more ...any) (subject, error) {
	var u subject
	var roles string
	if err := row.Scan(append(u.fields(&roles), more...)...); err != nil {
		return subject{}, err
	}
	u.info.Profile.Roles = splitRoles(roles)
	return u, nil
}

// Begin returns the epochs that an authentication beginning now stands under.
func (s *Store) Begin(ctx context.Context, name string) (session.Epochs, error) {
	reads, err := s.reads()
	if err != nil {
		return session.Epochs{}, err
	}
	var (
		epochs  session.Epochs
		epoch   sql.NullInt64
		deleted sql.NullBool
	)
	// From meta, so that no row at all means broken, not a new subject.
	err = reads.row(ctx, `SELECT m.global_epoch, u.epoch, u.deleted
		FROM cloakroom_meta m LEFT JOIN cloakroom_subjects u ON u.subject = ?`, name).
		Scan(&epochs.Global, &epoch, &deleted)
	switch {
	case err != nil:
		return session.Epochs{}, fmt.Errorf("sqlite: read epochs: %w", err)
	case deleted.Bool:
		return session.Epochs{}, session.ErrDeleted
	case !epoch.Valid:
		epochs.Subject = 1
	default:
		epochs.Subject = uint64(epoch.Int64)
	}
	return epochs, nil
}

// Subjects returns those of the subjects that have a row.
func (s *Store) Subjects(ctx context.Context, names []string) ([]session.SubjectInfo, error) {
	reads, err := s.reads()
	if err != nil {
		return nil, err
	}
	list, err := json.Marshal(names)
	if err != nil {
		return nil, fmt.Errorf("sqlite: read subjects: %w", err)
	}
	rows, err := reads.rows(ctx, `SELECT `+subjectColumns+` FROM cloakroom_subjects u
		WHERE u.subject IN (SELECT value FROM json_each(?))`, string(list))
	if err != nil {
		return nil, fmt.Errorf("sqlite: read subjects: %w", err)
	}
	defer rows.Close()
	var found []session.SubjectInfo
	for rows.Next() {
		u, err := scanSubject(rows)
		if err != nil {
			return nil, fmt.Errorf("sqlite: read subjects: %w", err)
		}
		found = append(found, u.info)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlite: read subjects: %w", err)
	}
	return found, nil
}

// subject reads a subject's row, or says what holds without one.
func (t *transaction) subject(name string) (subject, error) {
	u, err := scanSubject(t.row(`SELECT `+subjectColumns+` FROM cloakroom_subjects u WHERE u.subject = ?`, name))
	if errors.Is(err, sql.ErrNoRows) {
		return subject{epoch: 1, info: session.SubjectInfo{Subject: name, Version: t.head.Number}}, nil
	}
	return u, err
}

// store writes u, which was read in this transaction, as an insert if it has no
// row yet and as an update otherwise.
func (t *transaction) store(u *subject) error {
	p := u.info.Profile
	values := []any{u.epoch, u.info.Version, u.info.Deleted,
		p.Name, p.Email, p.EmailVerified, strings.Join(p.Roles, ","), string(p.Attributes)}
	if u.key != 0 {
		return t.execOne(`UPDATE cloakroom_subjects SET epoch = ?, version = ?, deleted = ?,
			name = ?, email = ?, email_verified = ?, roles = ?, attributes = ? WHERE key = ?`,
			append(values, u.key)...)
	}
	t.writes++
	return t.row(`INSERT INTO cloakroom_subjects
		(epoch, version, deleted, name, email, email_verified, roles, attributes, subject)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key`,
		append(values, u.info.Subject)...).Scan(&u.key)
}

func copyProfile(p session.Profile) session.Profile {
	p.Roles = slices.Clone(p.Roles)
	p.Attributes = slices.Clone(p.Attributes)
	return p
}
