// Package link is the one-time link: the way back in for those who have lost
// their password, and the way in for those who were invited. Whoever holds it
// may set the account's password, once, within an hour. An administrator or the
// operator makes it and passes it on.
//
// The package knows no HTTP and no SQL. It owns the Store that it needs.
package link

import (
	"context"
	"errors"
	"time"

	"cloakroom/session"
)

// ErrGone means that there is no such link: it was never made, was used or
// replaced, has expired, is of another kind, or is void because the account's
// password was changed or the account disabled. Callers are told nothing more.
var ErrGone = errors.New("this link is not valid, or not any more")

// Life is how long a link is good for, of every kind.
const Life = time.Hour

// Kind says what a link is for. The zero value is none.
type Kind uint8

// The kinds. Their values are stored; none is ever renumbered.
const (
	Reset  Kind = 1 // a new password in the place of one that was lost
	Invite Kind = 2 // the first password of an account that somebody else made
)

// String returns the name that the API and the link's address use.
func (k Kind) String() string {
	switch k {
	case Reset:
		return "reset"
	case Invite:
		return "invite"
	}
	return "unknown"
}

// ParseKind is the inverse of Kind.String, for the kinds that there are.
func ParseKind(name string) (Kind, bool) {
	for _, k := range []Kind{Reset, Invite} {
		if name == k.String() {
			return k, true
		}
	}
	return 0, false
}

// Link is a live link.
type Link struct {
	Account   string // its id
	Kind      Kind
	Expires   time.Time // whole seconds, UTC: it is good before that
	CreatedBy string    // an account's id, or audit.Operator
}

// Store keeps the live links, by the hashes of their tokens. It is safe for
// concurrent use, and judges by the time that it is given. Any error but ErrGone,
// and account.ErrNotFound of Add, is an outage.
type Store interface {
	// Add returns the work of adding a link, in the transaction with the audit's
	// entry. An earlier one of the same account and kind is replaced: there is
	// at most one. It fails with account.ErrNotFound if there is no such account.
	Add(l Link, hash Hash) session.Join

	// Find returns the link, or ErrGone if there is none or it has expired.
	Find(ctx context.Context, hash Hash, now time.Time) (Link, error)

	// Use returns the work of using the link up, in the transaction of what it
	// is used for. It fails with ErrGone if there is none of this kind, it has
	// expired, or the account is disabled. Of any number of uses, also at the
	// same time, one succeeds.
	Use(hash Hash, kind Kind, now time.Time) session.Join

	// Void returns the work of making all links of the account invalid. That is
	// also done by account.Store.SetPassword, and when the account is deleted.
	Void(account string) session.Join

	// Sweep deletes up to limit links that have expired, and says how many. It
	// changes nothing that Find or Use could tell.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}
