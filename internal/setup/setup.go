// Package setup is how a server gets its first administrator: by a code that
// only whoever started it can read. The server makes the code when it starts and
// nobody has been made administrator yet, shows it on standard output, and keeps
// its hash in memory. It is good until it was used, and then never again.
//
// The package knows no HTTP and no SQL. It owns the Store that it needs.
package setup

import (
	"context"
	"errors"

	"cloakroom/session"
)

// The refusals. Any other error is an outage.
var (
	ErrDone      = errors.New("there has been an administrator already")
	ErrWrongCode = errors.New("this is not the setup code")
)

// Store knows whether the setup is done. It is safe for concurrent use.
type Store interface {
	// Done reports whether the setup code was ever used, or there is an
	// administrator who got the role in another way.
	Done(ctx context.Context) (bool, error)

	// Claim returns the work of doing the setup, in the transaction that makes
	// the administrator's account, before that is made. It fails with ErrDone if
	// Done. Of any number of claims, also at the same time, one succeeds.
	Claim(account string) session.Join
}
