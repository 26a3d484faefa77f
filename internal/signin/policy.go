package signin

import "errors"

// Policy says who may make an account. The first administrator may under each.
type Policy string

// The policies.
const (
	Open    Policy = "open"    // anybody; the zero Policy is the same
	Invited Policy = "invited" // nobody alone, but administrators make accounts and invite to them
	Closed  Policy = "closed"  // nobody, administrators neither
)

// The refusals of a policy.
var (
	ErrInvitedOnly = errors.New("accounts are by invitation only")
	ErrClosed      = errors.New("no accounts are made")
)

// AdmitsVisitors is nil if anybody may make an account alone, and otherwise
// ErrInvitedOnly or ErrClosed. A policy that is not known admits nobody.
func (p Policy) AdmitsVisitors() error {
	switch p {
	case Open, "":
		return nil
	case Invited:
		return ErrInvitedOnly
	}
	return ErrClosed
}

// AdmitsInvitations is nil if administrators may make accounts, and otherwise
// ErrClosed.
func (p Policy) AdmitsInvitations() error {
	switch p {
	case Open, Invited, "":
		return nil
	}
	return ErrClosed
}
