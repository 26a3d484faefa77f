// Package account is what the server knows of a person beside their sessions:
// the address they sign in with, their password's hash, and whether they may
// sign in. Name, roles and attributes live on the session subject's profile;
// an account's id is the subject.
//
// The package knows no HTTP and no SQL. It owns the interfaces of what keeps
// accounts: Store is what signing in needs, Directory what administration does.
package account

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"cloakroom/session"

	"github.com/google/uuid"
)

// The sentinels of this package. ErrNotFound and a broken store never merge:
// any error that is none of these is an outage.
var (
	ErrNotFound     = errors.New("no such account")
	ErrTaken        = errors.New("there is an account with this address")
	ErrInvalidEmail = errors.New("this cannot be used as an email address")
	ErrLastAdmin    = errors.New("there would be no administrator left who can sign in")
)

// Account is one person's account.
type Account struct {
	ID        string // a UUIDv7; the session subject
	Email     string // in the canonical form, see CanonicalEmail
	Status    Status
	CreatedAt time.Time // CreatedAt(ID)
	// AlertedAt is when a copied token of the account was last used; zero if that
	// has not happened since its password was set.
	AlertedAt time.Time
}

// Status says whether an account may sign in. The zero value means nothing, so
// that a status that was not read is never taken for Active.
type Status uint8

// The statuses. Their values are stored; none is ever renumbered.
const (
	Active   Status = 1
	Disabled Status = 2 // its sessions were ended, and it signs in no more
)

// String returns the name that the API uses.
func (s Status) String() string {
	switch s {
	case Active:
		return "active"
	case Disabled:
		return "disabled"
	}
	return "unknown"
}

// ParseStatus is the inverse of Status.String, for the statuses that there are.
func ParseStatus(name string) (Status, bool) {
	for _, s := range []Status{Active, Disabled} {
		if name == s.String() {
			return s, true
		}
	}
	return 0, false
}

// Credentials are what a password is verified against.
type Credentials struct {
	Account
	Hash string // a PHC string, or "" for an account without a password
}

// Store is what signing in needs of the accounts. Emails are canonical; ids are
// looked up as they are.
type Store interface {
	// IDByEmail returns the id of the account with this address, or
	// ErrNotFound.
	IDByEmail(ctx context.Context, email string) (string, error)

	// Credentials returns the account with its password's hash, in one
	// snapshot, or ErrNotFound.
	Credentials(ctx context.Context, id string) (Credentials, error)

	// Create returns the work of adding an account, in the transaction that
	// makes its subject. It fails with ErrTaken if there is an account with this
	// address. With the hash "" the account has no password: nobody can sign in
	// to it before SetPassword.
	Create(a Account, hash string) session.Join

	// Rehash returns the work of replacing a password's hash by a stronger one
	// of the same password, within the transaction of a sign-in. It does
	// nothing if the hash is no longer old: a password that was changed in the
	// meantime stays changed.
	Rehash(id, old, hash string) session.Join

	// SetPassword returns the work of giving the account this password, whether
	// or not it had one, in the transaction that ends its sessions. All one-time
	// links of the account are void, its known devices are forgotten, and it is no
	// longer alerted: with a new password nothing is left of what the old one has
	// opened. It fails with ErrNotFound if there is no such account.
	SetPassword(id, hash string) session.Join

	// Alert returns the work of noting that a copied token of the account was used,
	// in the transaction that ends the session. An account that is not there is no
	// error.
	Alert(id string, at time.Time) session.Join
}

// New returns a new active account. The email must be canonical.
func New(email string) (Account, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Account{}, fmt.Errorf("make an account id: %w", err)
	}
	text := id.String()
	return Account{ID: text, Email: email, Status: Active, CreatedAt: CreatedAt(text)}, nil
}

// CreatedAt returns, to the second, when the account with this id was created.
// The time is part of the id, so that it need not be looked up; it is zero for
// an id of another shape.
func CreatedAt(id string) time.Time {
	u, err := uuid.Parse(id)
	if err != nil || u.Version() != 7 {
		return time.Time{}
	}
	millis := int64(binary.BigEndian.Uint64(u[:8]) >> 16)
	return time.UnixMilli(millis).UTC().Truncate(time.Second)
}
