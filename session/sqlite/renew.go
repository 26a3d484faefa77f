package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"cloakroom/session"
)

var errForeignPair = errors.New("a refresh token is followed by another pair than was derived of it before")

// pair is what a session has in one place.
type pair struct {
	access, refresh session.Hash
	ends            int64
}

// Renew answers a refresh token.
func (s *Store) Renew(ctx context.Context, now time.Time, r session.Renewal) (session.Renewed, error) {
	var renewed session.Renewed
	err := s.write(ctx, func(t *transaction) (err error) {
		renewed, err = t.renew(r, t.clock.judge(now))
		return err
	})
	if err != nil {
		return session.Renewed{}, fmt.Errorf("sqlite: renew session: %w", err)
	}
	return renewed, nil
}

func (t *transaction) renew(r session.Renewal, now time.Time) (session.Renewed, error) {
	var renewed session.Renewed
	var access session.Hash // beside the refresh token
	of, err := scanRecord(t.row(recordByRefresh, r.Refresh[:]), fixed(renewed.Salt[:]), fixed(access[:]))
	if err != nil {
		return session.Renewed{}, err
	}
	renewed.Own = of.token
	renewed.Reused = of.place == session.Superseded && now.Unix() >= of.grace
	if !of.live(now) || renewed.Reused {
		renewed.Loaded = of.loaded(now)
		return renewed, nil
	}
	if of.row.Bearer != r.Bearer || r.Beside != (session.Hash{}) && r.Beside != access {
		return session.Renewed{}, session.ErrNoSession
	}
	place := of.place
	if place == session.Next {
		if err := t.confirm(&of, now, r.Grace); err != nil {
			return session.Renewed{}, err
		}
		renewed.Own, renewed.Position = of.token, t.head
	}
	follows := session.Next
	if place == session.Superseded {
		follows = session.Own
	}
	p, err := t.follow(of.key, follows, renewed.Salt, r, now)
	if err != nil {
		return session.Renewed{}, err
	}
	of.place, of.ends.Int64, of.ends.Valid = session.Own, p.ends, true
	renewed.Loaded = of.loaded(now)
	renewed.Place = place
	return renewed, nil
}

// follow returns the pair that follows a refresh token, which is in that place, and
// makes it where there is none. A next one is given its whole life.
func (t *transaction) follow(key int64, place session.Place, salt session.Salt, r session.Renewal, now time.Time) (pair, error) {
	var p, there pair
	p.access, p.refresh = r.Derive(salt)
	p.ends = now.Truncate(time.Second).Add(r.Lifetime).Unix()
	err := t.row(`SELECT access, refresh, ends FROM cloakroom_pairs WHERE session = ? AND place = ?`, key, place).
		Scan(fixed(there.access[:]), fixed(there.refresh[:]), &there.ends)
	switch {
	case errors.Is(err, sql.ErrNoRows) && place == session.Next:
		return p, t.insertPair(key, place, p.access, p.refresh, r.Salt, p.ends)
	case err != nil:
		return pair{}, err
	case there.access != p.access || there.refresh != p.refresh:
		return pair{}, errForeignPair
	case place == session.Own:
		return there, nil
	}
	return p, t.execOne(`UPDATE cloakroom_pairs SET ends = ? WHERE session = ? AND place = ?`, p.ends, key, place)
}

// Confirm makes an unconfirmed pair the session's own.
func (s *Store) Confirm(ctx context.Context, now time.Time, token session.Hash, grace time.Duration) (session.Position, error) {
	var position session.Position
	err := s.write(ctx, func(t *transaction) error {
		now := t.clock.judge(now)
		r, err := byToken(t.row, token)
		if err == nil && !r.live(now) {
			err = session.ErrNoSession
		}
		if err == nil && r.place == session.Next {
			err = t.confirm(&r, now, grace)
		}
		position = t.head
		return err
	})
	if err != nil {
		return session.Position{}, fmt.Errorf("sqlite: confirm a token: %w", err)
	}
	return position, nil
}

// confirm makes the next pair the session's own, with the entry that says so.
func (t *transaction) confirm(r *record, now time.Time, grace time.Duration) error {
	old := pair{access: r.token}
	err := t.row(`SELECT own.refresh, next.access FROM cloakroom_pairs own
		JOIN cloakroom_pairs next ON next.session = own.session AND next.place = 1
		WHERE own.session = ? AND own.place = 0`, r.key).
		Scan(fixed(old.refresh[:]), fixed(r.token[:]))
	if err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM cloakroom_pairs WHERE session = ? AND place = 2`, r.key); err != nil {
		return err
	}
	err = t.execOne(`UPDATE cloakroom_pairs SET place = 2, grace = ? WHERE session = ? AND place = 0`,
		now.Truncate(time.Second).Add(grace).Unix(), r.key)
	if err != nil {
		return err
	}
	if err := t.execOne(`UPDATE cloakroom_pairs SET place = 0 WHERE session = ? AND place = 1`, r.key); err != nil {
		return err
	}
	if err := t.execOne(`UPDATE cloakroom_sessions SET token = ? WHERE key = ?`, r.token[:], r.key); err != nil {
		return err
	}
	t.log(now, session.Entry{Kind: session.EntrySuperseded, Hashes: []session.Hash{old.access, old.refresh}})
	return nil
}

func (t *transaction) insertPair(key int64, place session.Place, access, refresh session.Hash, salt session.Salt, ends int64) error {
	return t.execOne(`INSERT INTO cloakroom_pairs (session, place, access, refresh, salt, ends, grace)
		VALUES (?, ?, ?, ?, ?, ?, 0)`, key, place, access[:], refresh[:], salt[:], ends)
}

// tokensOf returns every token of a session, its own first.
func (t *transaction) tokensOf(e ending) ([]session.Hash, error) {
	all := []session.Hash{e.token}
	found, err := t.rows(`SELECT access, refresh FROM cloakroom_pairs WHERE session = ?`, e.key)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var p pair
		if err := found.Scan(fixed(p.access[:]), fixed(p.refresh[:])); err != nil {
			return nil, err
		}
		if p.access != e.token {
			all = append(all, p.access)
		}
		all = append(all, p.refresh)
	}
	return all, found.Err()
}

// forgetTokens takes all its tokens away from a session that goes on, with the entry
// that says so. That of its row is replaced by the caller.
func (t *transaction) forgetTokens(e ending, now time.Time) error {
	hashes, err := t.tokensOf(e)
	if err != nil {
		return err
	}
	t.log(now, session.Entry{Kind: session.EntrySession, Hashes: hashes})
	_, err = t.exec(`DELETE FROM cloakroom_pairs WHERE session = ?`, e.key)
	return err
}
