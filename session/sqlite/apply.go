package sqlite

import (
	"fmt"
	"time"

	"cloakroom/session"
)

// apply carries out a change, with its entry. What there is nothing to do for
// leaves the log as it is.
func (t *transaction) apply(now time.Time, c session.Change) error {
	if c.Kind == session.ChangeEverything {
		return t.revokeEverything(now)
	}
	u, err := t.subject(c.Subject)
	switch {
	case err != nil:
		return err
	case u.info.Deleted && c.Kind == session.ChangeDelete:
		return nil
	case u.info.Deleted:
		return session.ErrDeleted
	}
	switch c.Kind {
	case session.ChangeRevoke:
		return t.revoke(c, now)
	case session.ChangeOthers:
		return t.revokeOthers(c, &u, now)
	case session.ChangeAll:
		u.epoch++
	case session.ChangeProfile:
		if c.Version != 0 && (u.key == 0 || c.Version != u.info.Version) {
			return session.ErrMoved
		}
		u.info.Profile = copyProfile(c.Profile)
	case session.ChangeDelete:
		u.epoch++
		u.info.Profile, u.info.Deleted = session.Profile{}, true
	default:
		return fmt.Errorf("%w: change of kind %d", session.ErrInvalid, c.Kind)
	}
	return t.change(&u, now)
}

// change stores a subject that is no longer what it was, with the entry that
// says so.
func (t *transaction) change(u *subject, now time.Time) error {
	u.info.Version = t.log(now, session.Entry{Kind: session.EntrySubject, Subject: u.info.Subject})
	return t.store(u)
}

func (t *transaction) revokeEverything(now time.Time) error {
	t.global++
	if err := t.execOne(`UPDATE cloakroom_meta SET global_epoch = ?`, t.global); err != nil {
		return err
	}
	t.log(now, session.Entry{Kind: session.EntryAll})
	return nil
}

// revoke ends a session that has only expired, too: a touch from before its
// limit would otherwise bring it back.
func (t *transaction) revoke(c session.Change, now time.Time) error {
	r, err := scanRecord(t.row(recordByID, c.Session[:]))
	switch {
	case err != nil:
		return err
	case r.subject.info.Subject != c.Subject:
		return session.ErrNoSession
	case r.ended():
		return nil
	}
	return t.end(ending{r.key, r.token}, now)
}

// revokeOthers moves the subject to a new epoch, and takes one session along.
func (t *transaction) revokeOthers(c session.Change, u *subject, now time.Time) error {
	r, err := t.liveOf(c.Subject, c.Session, now)
	if err != nil {
		return err
	}
	u.epoch++
	err = t.execOne(`UPDATE cloakroom_sessions SET epoch = ? WHERE key = ? AND ended IS NULL`, u.epoch, r.key)
	if err != nil {
		return err
	}
	return t.change(u, now)
}
