// Package problem is the one place of the server where an error becomes HTTP:
// a problem document (RFC 9457) with a stable type. Handlers return errors and
// Handle answers.
//
// What a client is told is chosen here, by what the error is, and never made
// from its text, unless the text is a rule that was written for people. No
// value of a request is repeated. An error that is not known here is an
// outage: 503, with the cause in the log alone.
package problem

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/authority"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// Problem is an error that says itself what the client is told.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"` // the key or parameter at fault
	Allow  string `json:"-"`               // of a 405: the methods that work
	// RetryAfter is the header's seconds; 0 for a 503 means 2.
	RetryAfter int `json:"-"`
}

func (p Problem) Error() string { return p.Title + ": " + p.Detail }

const urn = "urn:cloakroom:problem:"

// Malformed is a request that cannot be read.
func Malformed(field, detail string) error {
	return Problem{Type: urn + "malformed", Title: "The request cannot be read",
		Status: http.StatusBadRequest, Detail: detail, Field: field}
}

// Invalid is a request that can be read and breaks a rule.
func Invalid(field, detail string) Problem {
	return Problem{Type: urn + "invalid", Title: "The request breaks a rule",
		Status: http.StatusUnprocessableEntity, Detail: detail, Field: field}
}

// NotFound is a path, or an id, that there is not.
func NotFound() error { return notFound }

var notFound = Problem{Type: urn + "not-found", Title: "Not found",
	Status: http.StatusNotFound, Detail: "There is nothing at this address."}

// MethodNotAllowed is a method that the path does not have.
func MethodNotAllowed(allow string) error {
	return Problem{Type: urn + "method-not-allowed", Title: "Method not allowed",
		Status: http.StatusMethodNotAllowed, Detail: "This address answers " + allow + " only.", Allow: allow}
}

// UnknownPolicy is a check by a policy that is not configured. It is not a 404,
// which proxies turn into an error of their own.
func UnknownPolicy() error {
	return Problem{Type: urn + "unknown-policy", Title: "There is no such policy",
		Status: http.StatusForbidden, Detail: "The proxy asks for a policy that is not configured, so nobody is let in. It has to be added under policies, or the proxy's address corrected."}
}

// TooLarge is a body of more bytes than limit.
func TooLarge(limit int) error {
	return Problem{Type: urn + "too-large", Title: "The request is too large",
		Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("A body may have at most %d bytes.", limit)}
}

// MediaType is a body that is not JSON.
func MediaType() error {
	return Problem{Type: urn + "media-type", Title: "Wrong content type",
		Status: http.StatusUnsupportedMediaType, Detail: `The body must be sent as "Content-Type: application/json".`}
}

// WrongPassword is a signed-in person's wrong password. It is not a 401: they
// are signed in.
func WrongPassword() error {
	return Problem{Type: urn + "wrong-password", Title: "Wrong password",
		Status: http.StatusForbidden, Detail: "The password is not the one of this account."}
}

// PreconditionRequired is a change that does not say what it is based on.
func PreconditionRequired() error {
	return Problem{Type: urn + "precondition-required", Title: "Which version is to be changed?",
		Status: http.StatusPreconditionRequired,
		Detail: `Send the version that was read in the header If-Match, in quotes: If-Match: "17".`}
}

// PreconditionFailed is a change of what is not any more what it is based on.
func PreconditionFailed() error {
	return Problem{Type: urn + "precondition-failed", Title: "Changed in the meantime",
		Status: http.StatusPreconditionFailed,
		Detail: "Something was changed since this version was read. Nothing was done; read it again and repeat the change."}
}

// throttled is a guess that was not looked at, because too many came before it.
func throttled(e *throttle.Error) Problem {
	seconds := int((e.RetryAfter + time.Second - 1) / time.Second)
	return Problem{Type: urn + "throttled", Title: "Too many attempts",
		Status: http.StatusTooManyRequests, RetryAfter: seconds,
		Detail: fmt.Sprintf("There were too many attempts. Try again in %d s, or from a device that you signed in on before.", seconds)}
}

// known are the problems of errors that other packages return. The first that
// matches counts. The errors of session have a table of their own, in
// session.Problem, which is asked last.
var known = []struct {
	err error
	Problem
}{
	{signin.ErrBadCredentials, badCredentials},
	{session.ErrDeleted, badCredentials}, // while signing in: there is no such account any more
	{signin.ErrDisabled, Problem{Type: urn + "disabled", Title: "The account is disabled",
		Status: http.StatusForbidden, Detail: "The password is right, but this account may not sign in."}},
	{signin.ErrInvitedOnly, Problem{Type: urn + "sign-up-closed", Title: "Sign-up is by invitation",
		Status: http.StatusForbidden, Detail: "Nobody makes an account here alone. Ask an administrator for an invitation."}},
	{signin.ErrClosed, Problem{Type: urn + "sign-up-closed", Title: "Sign-up is closed",
		Status: http.StatusForbidden, Detail: "No accounts are made here at present."}},
	{account.ErrTaken, Problem{Type: urn + "taken", Title: "There is such an account",
		Status: http.StatusConflict, Detail: "There is an account with this address. Sign in instead.", Field: "email"}},
	{account.ErrNotFound, notFound},
	{account.ErrLastAdmin, Problem{Type: urn + "last-administrator", Title: "This is the last administrator",
		Status: http.StatusConflict, Detail: "Nobody else who can sign in is an administrator. Make somebody else one first."}},
	{authority.ErrDisabled, Problem{Type: urn + "account-disabled", Title: "The account is disabled",
		Status: http.StatusConflict, Detail: "A disabled account has no one-time links. It has to be enabled first."}},
	{password.ErrBusy, Problem{Type: urn + "busy", Title: "Too many sign-ins at the moment",
		Status: http.StatusServiceUnavailable, Detail: "Too many passwords are being verified. Try again in a few seconds."}},
}

var badCredentials = Problem{Type: urn + "bad-credentials", Title: "Wrong email or password",
	Status: http.StatusUnauthorized, Detail: "There is no account with this address and password."}

// of returns the problem that an error is, and whether it is one of this
// package's.
func of(err error) (Problem, bool) {
	if p, ok := errors.AsType[Problem](err); ok {
		return p, true
	}
	if input, ok := errors.AsType[*signin.InputError](err); ok {
		return Invalid(input.Field, input.Error()), true
	}
	if refused, ok := errors.AsType[*throttle.Error](err); ok {
		return throttled(refused), true
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return k.Problem, true
		}
	}
	return Problem{}, false
}
