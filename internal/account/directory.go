package account

import (
	"context"

	"cloakroom/session"
)

// AdminRole is the role that makes an account an administrator's.
const AdminRole = "admin"

// MaxPage is how many accounts List returns at most.
const MaxPage = 100

// Query asks for one page of the accounts that match in every field that is
// set.
type Query struct {
	EmailPrefix string // as EmailPrefix returns it
	Status      Status
	After       string // the cursor of an earlier page, "" for the first
	Limit       int    // 1 to MaxPage
}

// Directory is what administration needs of the accounts.
//
// Each Join is to be carried out in the transaction that ends the account's
// sessions or changes its profile, with the entry of the audit: package
// authority is the one place that does so. A Join fails with ErrNotFound if
// there is no such account.
type Directory interface {
	// Get returns an account, or ErrNotFound.
	Get(ctx context.Context, id string) (Account, error)

	// List returns the accounts that match, ordered by their addresses, and the
	// cursor of the next page, "" at the end. What is there all the while is on
	// exactly one page, whatever comes and goes meanwhile. It takes time by what
	// it returns and not by how many accounts there are. A cursor of another
	// shape, or a limit that is not 1 to MaxPage, is session.ErrInvalid.
	List(ctx context.Context, q Query) ([]Account, string, error)

	// SetStatus returns the work of setting the account's status.
	SetStatus(id string, s Status) session.Join

	// SetAdmin returns the work of noting whether the account's profile has
	// AdminRole, with the change of that profile. KeepAdmin goes by this note.
	SetAdmin(id string, admin bool) session.Join

	// KeepAdmin returns work that fails with ErrLastAdmin if the account is an
	// active administrator's and no other is. It goes before what takes that
	// away, in the same transaction: so of two administrators who do this to
	// each other at the same time, one stays. An account that is not there is
	// nobody's.
	KeepAdmin(id string) session.Join

	// Delete returns the work of deleting the account, with its password, links
	// and known devices.
	Delete(id string) session.Join
}
