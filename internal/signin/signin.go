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
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/throttle"
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

// Service takes the decisions. Now and Logger have defaults, the other fields
// are required.
type Service struct {
	Sessions  *session.Manager
	Accounts  account.Store
	Passwords *password.Hasher
	Throttle  *throttle.Throttle
	Devices   throttle.Devices
	Audit     audit.Store
	Refusals  *audit.Refusals
	Now       func() time.Time // time.Now unless set
	Logger    *slog.Logger     // slog.Default unless set
}

// Outcome is what was granted and not yet carried out.
type Outcome struct {
	Attempt session.Attempt
	Grant   session.Grant
	Account account.Account
	// Device is what the client is to be known as, once the outcome has been
	// carried out.
	Device throttle.Device
}

// WithPassword decides about a sign-in with email and password. An address
// without an account costs as much as a wrong password and is answered alike.
// Too many attempts are throttle.ErrThrottled.
func (s *Service) WithPassword(ctx context.Context, c Client, email, pass string, remember bool) (Outcome, error) {
	g := guess{client: c, password: pass, refused: audit.SignInRefused}
	var err error
	if g.email, err = account.CanonicalEmail(email); err == nil {
		g.account, err = s.Accounts.IDByEmail(ctx, g.email)
		if err != nil && !errors.Is(err, account.ErrNotFound) {
			return Outcome{}, fmt.Errorf("find the account: %w", err)
		}
	}
	p, err := s.judge(ctx, g)
	if err != nil {
		return Outcome{}, err
	}
	grant := session.Grant{
		Methods: session.Password, Remember: remember,
		Joins: append(s.rehash(ctx, p, pass), s.Audit.Record(c.entry(audit.SessionIssued, g.account))),
	}
	return s.known(c, Outcome{Attempt: p.attempt, Grant: grant, Account: p.account.Account}), nil
}

// SignUp decides about a new account. Carrying out the outcome adds account,
// subject and session in one transaction, and fails with account.ErrTaken if
// there is an account with this address.
func (s *Service) SignUp(ctx context.Context, c Client, email, pass, name string, remember bool) (Outcome, error) {
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
	if err := s.countSignUp(ctx, c, canonical); err != nil {
		return Outcome{}, err
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
	return s.known(c, Outcome{Attempt: attempt, Account: a, Grant: session.Grant{
		Methods: session.Password, Remember: remember, Profile: profile,
		Joins: []session.Join{
			s.Accounts.Create(a, hash),
			s.Audit.Record(c.entry(audit.AccountCreated, a.ID), c.entry(audit.SessionIssued, a.ID)),
		},
	}}), nil
}

// countSignUp counts a sign-up against the client's network, and gives it back
// if the address is free: what is bounded is finding out who has an account.
func (s *Service) countSignUp(ctx context.Context, c Client, email string) error {
	charge, err := s.Throttle.Take(ctx, throttle.Attempt{Address: c.Address})
	if err != nil {
		return err
	}
	_, err = s.Accounts.IDByEmail(ctx, email)
	if err == nil {
		return nil // carrying the outcome out will say so, at the same cost
	}
	if !errors.Is(err, account.ErrNotFound) {
		return fmt.Errorf("find the account: %w", err)
	}
	s.giveBack(ctx, charge)
	return nil
}

// Reauthenticate decides whether the session's owner is present. Carrying out
// the outcome continues the same session under a new token; the old one is
// dead at once.
func (s *Service) Reauthenticate(ctx context.Context, c Client, current session.Session, pass string) (Outcome, error) {
	p, err := s.judgeOwner(ctx, c, current, pass, audit.ReauthenticationRefused)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Attempt: p.attempt, Account: p.account.Account, Device: c.Device, Grant: session.Grant{
		Methods: session.Password, Replace: current.ID(),
		Joins: append(s.rehash(ctx, p, pass), s.Own(c, current, audit.SessionReauthenticated)),
	}}, nil
}

// ChangePassword decides about a new password for the session's owner. Carrying
// out the outcome ends all other sessions, and continues this one under a new
// token.
func (s *Service) ChangePassword(ctx context.Context, c Client, current session.Session, old, pass string) (Outcome, error) {
	p, err := s.judgeOwner(ctx, c, current, old, audit.PasswordChangeRefused)
	if err != nil {
		return Outcome{}, err
	}
	if err := s.Passwords.Check(pass, current.Email(), current.Name(), p.account.Email); err != nil {
		return Outcome{}, &InputError{"new_password", err}
	}
	hash, err := s.Passwords.Hash(ctx, pass)
	if err != nil {
		return Outcome{}, fmt.Errorf("hash the password: %w", err)
	}
	return s.known(c, Outcome{Attempt: p.attempt, Account: p.account.Account, Grant: session.Grant{
		Methods: session.Password, Replace: current.ID(), RevokeOthers: true,
		Joins: []session.Join{s.Accounts.SetPassword(current.Subject(), hash), s.Own(c, current, audit.AccountPasswordChanged)},
	}}), nil
}

// judgeOwner judges a guess at the password of who is signed in. It counts for
// the account's own address, like a guess of somebody who types that.
func (s *Service) judgeOwner(
	ctx context.Context, c Client, current session.Session, pass string, refused audit.Event,
) (proof, error) {
	found, err := s.Accounts.Credentials(ctx, current.Subject())
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return proof{}, fmt.Errorf("read the account: %w", err)
	}
	return s.judge(ctx, guess{
		client: c, email: found.Email, account: current.Subject(), password: pass, refused: refused,
	})
}

// known makes the client a known device of the account, with what the outcome
// does. One that is the device of another account, too, stays what it is.
func (s *Service) known(c Client, o Outcome) Outcome {
	o.Device = c.Device
	if o.Device == (throttle.Device{}) {
		o.Device = throttle.NewDevice()
	}
	o.Grant.Joins = append(o.Grant.Joins, s.Devices.Remember(o.Account.ID, o.Device.Hash(), s.now()))
	return o
}

// rehash renews a hash that is cheaper than those made today. It is no reason
// to refuse anybody: the next sign-in tries again.
func (s *Service) rehash(ctx context.Context, p proof, pass string) []session.Join {
	if !p.stale {
		return nil
	}
	hash, err := s.Passwords.Hash(ctx, pass)
	if err != nil {
		s.logger().Info("signin: a password's hash could not be renewed", "account", p.account.ID, "error", err)
		return nil
	}
	return []session.Join{s.Accounts.Rehash(p.account.ID, p.account.Hash, hash)}
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Service) logger() *slog.Logger {
	if s.Logger == nil {
		return slog.Default()
	}
	return s.Logger
}
