// Package audit is the record of who did what to whom. It only grows: an entry
// is never changed, and goes only when the time it is kept for is over.
//
// An act and its entry are one. Store.Record returns a session.Join, which
// writes the entry in the transaction of the act: neither can be without the
// other, and an act whose entry cannot be written does not happen.
//
// Refused attempts change nothing, cost their sender nothing and come in any
// number. They are counted in memory by Refusals, which writes what they come
// to, at a rate that has a bound.
//
// Entries hold no secrets: no passwords, no tokens, no codes, and no text typed
// where one of these is typed. The package knows no HTTP and no SQL.
package audit

import (
	"context"
	"time"

	"cloakroom/session"
)

// Operator is the actor of what is done on the command line.
const Operator = "operator"

// Entry is one line of the record. Event is required; what is not known or does
// not apply is left empty. A store keeps entries in the form that Prepare gives
// them.
type Entry struct {
	// Seq is the entry's number, given by the store: consecutive, in the order
	// in which entries were committed.
	Seq int64
	// At is when it happened, of several attempts the first: whole seconds, UTC.
	// An entry that says nothing else happens when it is written.
	At time.Time

	Event  Event
	Reason Reason // why an attempt was refused

	Actor     string // an account's id, Operator, or "" for nobody that is known
	Subject   string // the id of the account that it was done to
	Session   string // a session's public id
	Address   string // the client's, or what all addresses of several attempts have in common
	UserAgent string

	// Detail is what else there is to say, by name: the roles before and after.
	// At most 16 facts and 2 KB.
	Detail map[string]string

	// Count is how many attempts the entry stands for, 1 unless set, and Until
	// when the last of them was, At unless set.
	Count int
	Until time.Time
}

// MaxPage is how many entries List returns at most.
const MaxPage = 100

// Filter says which entries are wanted: those that match in every field that is
// set. The zero Filter matches all.
type Filter struct {
	Subject string
	Actor   string
	Event   Event
	Since   time.Time // Entry.At is not before
	Until   time.Time // Entry.At is before
}

// Store keeps the record. An implementation must pass dbtest.Audit. It is safe
// for concurrent use. Any error but session.ErrInvalid is an outage.
//
// Nothing in a store's tables can be changed, and nothing that is younger than a
// day deleted, by a statement that goes astray. That does not bind whoever may
// write the database's files.
type Store interface {
	// Record returns the work of writing entries in the transaction of the act.
	// It fails, and the act with it, unless all of them are written. An entry
	// of no known event is session.ErrInvalid.
	Record(entries ...Entry) session.Join

	// Append writes entries in their order, all or none, in a transaction of
	// its own.
	Append(ctx context.Context, entries []Entry) error

	// List returns up to limit entries, the latest first (by At, then Seq),
	// after the cursor of an earlier call ("" for the first page), and the next
	// cursor, "" at the end. What was there when the first page was read is on
	// exactly one page, whatever is written meanwhile. It takes time by what it
	// returns and not by what is kept, if at most one of the subject, the actor
	// and the event is asked for, and otherwise by what one of these has. A
	// cursor of another shape, or a limit that is not 1 to MaxPage, is
	// session.ErrInvalid.
	List(ctx context.Context, f Filter, after string, limit int) ([]Entry, string, error)

	// Sweep deletes up to limit entries, the oldest first, of which all lies
	// before a time, and says how many. If one of these is younger than a day
	// it fails and deletes nothing.
	Sweep(ctx context.Context, before time.Time, limit int) (int, error)
}

// OwnActivity is List for the account's owner: what was done to the account.
// From where and in which session somebody else did it is left out.
func OwnActivity(ctx context.Context, s Store, account, after string, limit int) ([]Entry, string, error) {
	if account == "" {
		return nil, "", nil // not everybody's
	}
	list, next, err := s.List(ctx, Filter{Subject: account}, after, limit)
	for i, e := range list {
		if e.byOther() {
			list[i].Session, list[i].Address, list[i].UserAgent = "", "", ""
		}
	}
	return list, next, err
}

// byOther reports whether somebody who is known, and not the subject, did it.
func (e Entry) byOther() bool { return e.Actor != "" && e.Actor != e.Subject }
