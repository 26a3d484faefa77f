package sqlite

import (
	"database/sql"
	"errors"
	"time"

	"cloakroom/session"
)

// ending is a session that ends with a creation, by an entry of its own.
type ending struct {
	key   int64
	token session.Hash
}

// create begins or continues a session. Everything that can be refused is
// refused before anything is written.
func (t *transaction) create(now time.Time, c session.Creation) (session.Created, error) {
	u, err := t.subject(c.Subject)
	switch {
	case err != nil:
		return session.Created{}, err
	case u.info.Deleted:
		return session.Created{}, session.ErrDeleted
	case c.Epochs != session.Epochs{Subject: u.epoch, Global: t.global}:
		return session.Created{}, session.ErrMoved
	}
	r := record{row: session.Row{ID: c.ID, Created: now.Truncate(time.Second), Remember: c.Remember}}
	if !c.Replace.IsZero() {
		if r, err = t.liveOf(c.Subject, c.Replace, now); err != nil {
			return session.Created{}, err
		}
	}
	ends, err := t.presented(c)
	if err != nil {
		return session.Created{}, err
	}
	if ends, err = t.makeRoom(c, u, r.key, ends, now); err != nil {
		return session.Created{}, err
	}
	before := t.head
	if err := t.carryOut(c, &u, &r, ends, now); err != nil {
		return session.Created{}, err
	}
	r.subject, r.global = u, t.global
	created := session.Created{Loaded: r.loaded(now)}
	if t.head != before {
		created.Position = t.head
	}
	return created, nil
}

// liveOf returns the subject's session with this id, which must be live.
func (t *transaction) liveOf(name string, id session.ID, now time.Time) (record, error) {
	r, err := scanRecord(t.row(recordByID, id[:]))
	if err == nil && (r.subject.info.Subject != name || !r.live(now)) {
		err = session.ErrNoSession
	}
	if err != nil {
		return record{}, err
	}
	return r, nil
}

// presented returns the session of the token that came with the sign-in, unless
// it is over already or goes on.
func (t *transaction) presented(c session.Creation) ([]ending, error) {
	if c.Presented == (session.Hash{}) {
		return nil, nil
	}
	r, err := byToken(t.row, c.Presented)
	switch {
	case errors.Is(err, session.ErrNoSession):
		return nil, nil
	case err != nil:
		return nil, err
	case r.ended() || r.row.ID == c.Replace:
		return nil, nil
	}
	return []ending{{r.key, r.token}}, nil
}

// makeRoom adds those that have to go for the limit: the longest unseen, and
// none of a higher level. replaced is the key of the session that goes on.
func (t *transaction) makeRoom(c session.Creation, u subject, replaced int64, ends []ending, now time.Time) ([]ending, error) {
	if u.key == 0 || c.RevokeOthers {
		return ends, nil
	}
	// Nearly always there is room, and the index alone says so.
	var rows int
	err := t.row(`SELECT count(*) FROM (SELECT 1 FROM cloakroom_sessions
		WHERE subject = ? AND epoch = ? AND ended IS NULL LIMIT ?)`, u.key, u.epoch, c.Limit).Scan(&rows)
	if err != nil || rows < c.Limit {
		return ends, err
	}
	var presented int64
	if len(ends) > 0 {
		presented = ends[0].key
	}
	found, err := t.rows(`SELECT key, token, level FROM cloakroom_sessions
		WHERE subject = ?1 AND epoch = ?2 AND ended IS NULL AND global_epoch = ?3
		  AND idle_ends > ?4 AND absolute_ends > ?4 AND key NOT IN (?5, ?6)
		ORDER BY last_seen, created, id`, u.key, u.epoch, t.global, now.Unix(), replaced, presented)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	over := 1 - c.Limit
	var candidates []ending
	for found.Next() {
		var e ending
		var level uint8
		if err := found.Scan(&e.key, fixed(e.token[:]), &level); err != nil {
			return nil, err
		}
		over++
		if level <= c.Level {
			candidates = append(candidates, e)
		}
	}
	switch err := found.Err(); {
	case err != nil:
		return nil, err
	case over > len(candidates):
		return nil, session.ErrSessionLimit
	}
	return append(ends, candidates[:max(over, 0)]...), nil
}

// carryOut writes what was decided: the subject, the session, and with their
// entries those that end.
func (t *transaction) carryOut(c session.Creation, u *subject, r *record, ends []ending, now time.Time) error {
	changed := c.RevokeOthers
	if c.RevokeOthers {
		u.epoch++
	}
	if c.Profile != nil && !c.Profile.Equal(u.info.Profile) {
		u.info.Profile = copyProfile(*c.Profile)
		changed = true
	}
	replaced := r.token
	at := now.Truncate(time.Second)
	r.token, r.epochs = c.Token, session.Epochs{Subject: u.epoch, Global: t.global}
	r.row.Authenticated, r.row.LastSeen = at, at
	r.row.Absolute = at.Add(c.Absolute)
	r.row.IdleEnds = at.Add(min(c.Idle, c.Absolute))
	r.row.Level, r.row.Methods, r.row.Bearer = c.Level, c.Methods, c.Bearer

	if r.key != 0 {
		if err := t.forgetTokens(ending{r.key, replaced}, now); err != nil {
			return err
		}
	}
	for _, e := range ends {
		if err := t.end(e, now); err != nil {
			return err
		}
	}
	if changed {
		u.info.Version = t.log(now, session.Entry{Kind: session.EntrySubject, Subject: c.Subject})
	}
	if changed || u.key == 0 {
		if err := t.store(u); err != nil {
			return err
		}
	}
	write := t.insert
	if r.key != 0 {
		write = t.goOn
	}
	if err := write(c, u, r); err != nil {
		return err
	}
	if c.Refresh == (session.Hash{}) {
		return nil
	}
	r.ends = sql.NullInt64{Int64: at.Add(c.TokenLifetime).Unix(), Valid: true}
	return t.insertPair(r.key, session.Own, c.Token, c.Refresh, c.Salt, r.ends.Int64)
}

// end revokes a session, with the entry that says so.
func (t *transaction) end(e ending, now time.Time) error {
	err := t.execOne(`UPDATE cloakroom_sessions SET ended = ? WHERE key = ? AND ended IS NULL`, now.Unix(), e.key)
	if err != nil {
		return err
	}
	hashes, err := t.tokensOf(e)
	if err != nil {
		return err
	}
	t.log(now, session.Entry{Kind: session.EntrySession, Hashes: hashes})
	return nil
}

func (t *transaction) insert(c session.Creation, u *subject, r *record) error {
	t.writes++
	return t.row(`INSERT INTO cloakroom_sessions (id, token, subject, epoch, global_epoch,
		created, authenticated, last_seen, idle_ends, absolute_ends, idle, level, methods, remember, bearer,
		user_agent, address, label)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key`,
		r.row.ID[:], r.token[:], u.key, r.epochs.Subject, r.epochs.Global,
		r.row.Created.Unix(), r.row.Authenticated.Unix(), r.row.LastSeen.Unix(), r.row.IdleEnds.Unix(), r.row.Absolute.Unix(),
		int64(c.Idle/time.Second), c.Level, uint16(c.Methods), c.Remember, c.Bearer,
		c.Client.UserAgent, c.Client.Address, c.Client.Label).Scan(&r.key)
}

// goOn lets a live session go on under a new token.
func (t *transaction) goOn(c session.Creation, _ *subject, r *record) error {
	return t.execOne(`UPDATE cloakroom_sessions SET token = ?, epoch = ?, global_epoch = ?,
		authenticated = ?, last_seen = ?, idle_ends = ?, absolute_ends = ?, idle = ?, level = ?, methods = ?, bearer = ?,
		user_agent = ?, address = ?, label = coalesce(nullif(?, ''), label) WHERE key = ? AND ended IS NULL`,
		r.token[:], r.epochs.Subject, r.epochs.Global,
		r.row.Authenticated.Unix(), r.row.LastSeen.Unix(), r.row.IdleEnds.Unix(), r.row.Absolute.Unix(),
		int64(c.Idle/time.Second), c.Level, uint16(c.Methods), c.Bearer,
		c.Client.UserAgent, c.Client.Address, c.Client.Label, r.key)
}
