// Package signin decides who is let in. It knows no HTTP and no SQL: it returns
// an Outcome, and the handler hands its Attempt and Grant to Manager.SignIn,
// which carries all of it out in one transaction.
package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"cloakroom/internal/account"
	"cloakroom/internal/factor/password"
	"cloakroom/session"

	"golang.org/x/text/unicode/norm"
)

// The refusals. Any other error is one of session, password.ErrBusy, or an
// outage.
var (
	// ErrBadCredentials is an unknown address, a wrong password, or an account
	// without one: callers are told nothing more.
	ErrBadCredentials = errors.New("wrong email or password")
	// ErrDisabled is told only to those who gave the right password.
	ErrDisabled = errors.New("the account is disabled")
	// ErrInvalidName is a name that a profile cannot hold.
	ErrInvalidName = errors.New("this cannot be used as a name")
)

// InputError says which input of a sign-up is not accepted. Its text states the
// rule for people and never holds the value.
type InputError struct {
	Field string // "email", "password" or "name"
	Err   error  // account.ErrInvalidEmail, password.ErrTooShort, ErrInvalidName, ...
}

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

// Service takes the decisions. All fields but Logger are required.
type Service struct {
	Sessions  *session.Manager
	Accounts  account.Store
	Passwords *password.Hasher
	Logger    *slog.Logger // slog.Default unless set
}

// Outcome is a sign-in that was granted and not yet carried out.
type Outcome struct {
	Attempt session.Attempt
	Grant   session.Grant
	Account account.Account
}

// WithPassword decides about a sign-in with email and password. An address
// without an account costs as much as a wrong password and is answered alike.
func (s *Service) WithPassword(ctx context.Context, email, pass string, remember bool) (Outcome, error) {
	canonical, err := account.CanonicalEmail(email)
	if err != nil {
		return Outcome{}, s.refuse(ctx, pass)
	}
	id, err := s.Accounts.IDByEmail(ctx, canonical)
	if errors.Is(err, account.ErrNotFound) {
		return Outcome{}, s.refuse(ctx, pass)
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("find the account: %w", err)
	}
	outcome, err := s.verify(ctx, id, pass)
	if err != nil {
		return Outcome{}, err
	}
	outcome.Grant.Remember = remember
	return outcome, nil
}

// SignUp decides about a new account. Carrying out the outcome adds account,
// subject and session in one transaction, and fails with account.ErrTaken if
// there is an account with this address.
func (s *Service) SignUp(ctx context.Context, email, pass, name string, remember bool) (Outcome, error) {
	canonical, err := account.CanonicalEmail(email)
	if err != nil {
		return Outcome{}, &InputError{"email", err}
	}
	profile := &session.Profile{Name: strings.TrimSpace(norm.NFC.String(name)), Email: canonical}
	if err := profile.Validate(); err != nil {
		return Outcome{}, &InputError{"name", fmt.Errorf(
			"%w: it must not have control characters, and at most %d bytes", ErrInvalidName, session.MaxName)}
	}
	if err := s.Passwords.Check(pass, canonical, profile.Name); err != nil {
		return Outcome{}, &InputError{"password", err}
	}
	hash, err := s.Passwords.Hash(ctx, pass)
	if err != nil {
		return Outcome{}, fmt.Errorf("hash the password: %w", err)
	}
	a, err := account.New(canonical)
	if err != nil {
		return Outcome{}, err
	}
	attempt, err := s.Sessions.Begin(ctx, a.ID)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{attempt, session.Grant{
		Methods: session.Password, Remember: remember, Profile: profile,
		Joins: []session.Join{s.Accounts.Create(a, hash)},
	}, a}, nil
}

// Reauthenticate decides whether the session's owner is present. Carrying out
// the outcome continues the same session under a new token; the old one is
// dead at once.
func (s *Service) Reauthenticate(ctx context.Context, current session.Session, pass string) (Outcome, error) {
	outcome, err := s.verify(ctx, current.Subject(), pass)
	if err != nil {
		return Outcome{}, err
	}
	outcome.Grant.Replace = current.ID()
	return outcome, nil
}

// verify begins before it reads hash and status, so that a sign-in that
// verified an old password dies when the password's change ended all sessions.
func (s *Service) verify(ctx context.Context, id, pass string) (Outcome, error) {
	attempt, err := s.Sessions.Begin(ctx, id)
	if errors.Is(err, session.ErrDeleted) {
		return Outcome{}, s.refuse(ctx, pass)
	}
	if err != nil {
		return Outcome{}, err
	}
	found, err := s.Accounts.Credentials(ctx, id)
	if errors.Is(err, account.ErrNotFound) || err == nil && found.Hash == "" {
		return Outcome{}, s.refuse(ctx, pass)
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("read the credentials: %w", err)
	}
	ok, stale, err := s.Passwords.Verify(ctx, found.Hash, pass)
	switch {
	case err != nil:
		return Outcome{}, fmt.Errorf("verify the password: %w", err)
	case !ok:
		return Outcome{}, ErrBadCredentials
	case found.Status != account.Active:
		return Outcome{}, ErrDisabled
	}
	grant := session.Grant{Methods: session.Password}
	if stale {
		grant.Joins = s.rehash(ctx, found, pass)
	}
	return Outcome{attempt, grant, found.Account}, nil
}

// refuse answers for an account that is not there, at the price of one that is.
func (s *Service) refuse(ctx context.Context, pass string) error {
	if err := s.Passwords.Waste(ctx, pass); err != nil {
		return fmt.Errorf("verify the password: %w", err)
	}
	return ErrBadCredentials
}

// rehash renews a hash that is cheaper than those made today. It is no reason
// to refuse anybody: the next sign-in tries again.
func (s *Service) rehash(ctx context.Context, found account.Credentials, pass string) []session.Join {
	hash, err := s.Passwords.Hash(ctx, pass)
	if err != nil {
		s.logger().Info("signin: a password's hash could not be renewed", "account", found.ID, "error", err)
		return nil
	}
	return []session.Join{s.Accounts.Rehash(found.ID, found.Hash, hash)}
}

func (s *Service) logger() *slog.Logger {
	if s.Logger == nil {
		return slog.Default()
	}
	return s.Logger
}
