package session

import (
	"errors"
	"fmt"
)

// The sentinels of this package. Everything that Manager returns matches at
// most one of them under errors.Is, but for two that are an ErrNoSession as well, and
// except a Join's own error, which is returned as it is. "Not found" and "broken" never merge: only ErrNoSession
// means that nobody is signed in.
var (
	// ErrNoSession is every rejection: the token is malformed, unknown,
	// expired or revoked, or the id is not one of this subject's. Which of
	// them it was stands in the error's text, for logs; callers are told
	// nothing more.
	ErrNoSession = errors.New("no such session")

	// ErrTokenEnded is the ErrNoSession of a token that has ended while its session has
	// not: with the refresh token beside it it can be renewed.
	ErrTokenEnded = fmt.Errorf("%w: the token has ended, and can be renewed", ErrNoSession)

	// ErrTwoTokens is the ErrNoSession of a request with a session cookie and a bearer
	// token: nothing says which of the two counts. Load does not take it for a visitor.
	ErrTwoTokens = fmt.Errorf("%w: the request carries a session cookie and a bearer token", ErrNoSession)

	// ErrUnavailable means that nothing could be decided: answer 503 and
	// leave the cookie alone.
	ErrUnavailable = errors.New("sessions are unavailable")

	// ErrNotRecent means that the session was authenticated too long ago for
	// what it asks.
	ErrNotRecent = errors.New("authentication is not recent enough")

	// ErrForbidden means that the session is valid and lacks a level or role.
	ErrForbidden = errors.New("forbidden")

	// ErrMoved means that something changed since the caller looked: an epoch
	// since Begin, or a profile's version.
	ErrMoved = errors.New("changed in the meantime")

	// ErrDeleted means that the subject was deleted; its name is not reused.
	ErrDeleted = errors.New("subject is deleted")

	// ErrOrigin means that an unsafe request did not prove where it came from.
	ErrOrigin = errors.New("request does not come from this site")

	// ErrSessionLimit means that the subject holds as many sessions as it may,
	// each of a higher level than the one asked for.
	ErrSessionLimit = errors.New("too many sessions of a higher level")

	// ErrUnknownOutcome means that a commit was begun and its outcome is not
	// known. Nothing is promised; every write of this package is safe to
	// repeat.
	ErrUnknownOutcome = errors.New("outcome of the write is unknown")

	// ErrWrongStore means that a Join was made for another engine, or that a
	// store refused a second Manager.
	ErrWrongStore = errors.New("wrong store")

	// ErrInvalid means that an argument breaks a documented limit; nothing was
	// written.
	ErrInvalid = errors.New("invalid argument")

	// ErrTooLarge means that a session's data would pass MaxData; nothing was
	// written.
	ErrTooLarge = errors.New("session data is too large")
)

// JoinError carries a Join's own error from a store to the Manager, which
// unwraps it: the caller gets back what its function returned.
type JoinError struct{ Err error }

func (e *JoinError) Error() string { return "join: " + e.Err.Error() }
func (e *JoinError) Unwrap() error { return e.Err }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
