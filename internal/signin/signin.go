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
	// ErrInvalidLabel is a label that does not fit a list of devices.
	ErrInvalidLabel = fmt.Errorf("this cannot be used as a label: it must not have control characters, and at most %d bytes", maxLabel)
)

// maxLabel is how many bytes a label may have.
const maxLabel = 64

// InputError says which input of a sign-up is not accepted. Its text states the
// rule for people and never holds the value.
type InputError struct {
	Field string // "email", "password" or "name"
	Err   error  // account.ErrInvalidEmail, password.ErrTooShort, ErrInvalidName, ...
}

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

// Service takes the decisions. Policy, Now and Logger have defaults, the other
// fields are required.
type Service struct {
	Policy    Policy // Open unless set
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
	o, err := s.proven(ctx, c, email, pass)
	if err != nil {
		return Outcome{}, err
	}
	o.Grant.Remember = remember
	return s.known(ctx, c, o)
}

// ForToken is WithPassword for what has no cookies: a phone, a script. The label is
// what its owner calls it.
func (s *Service) ForToken(ctx context.Context, c Client, email, pass, label string) (Outcome, error) {
	if len(label) > maxLabel || (session.Profile{Name: label}).Validate() != nil {
		return Outcome{}, &InputError{"label", ErrInvalidLabel}
	}
	o, err := s.proven(ctx, c, email, pass)
	if err != nil {
		return Outcome{}, err
	}
	o.Grant.Bearer = true
	o.Grant.Client = c.Described(label)
	return o, nil
}

// proven is what is granted to who knows an account's password.
func (s *Service) proven(ctx context.Context, c Client, email, pass string) (Outcome, error) {
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
	return Outcome{Attempt: p.attempt, Account: p.account.Account, Grant: session.Grant{
		Methods: session.Password,
		Joins:   append(s.rehash(ctx, p, pass), s.Audit.Record(c.entry(audit.SessionIssued, g.account))),
	}}, nil
}

// SignUp decides about a new account, if the policy lets its owner make one: see
// Policy.AdmitsVisitors. Carrying out the outcome adds account, subject and
// session in one transaction, and fails with account.ErrTaken if there is an
// account with this address.
func (s *Service) SignUp(ctx context.Context, c Client, email, pass, name string, remember bool) (Outcome, error) {
	if err := s.Policy.AdmitsVisitors(); err != nil {
		return Outcome{}, err
	}
	return s.NewAccount(ctx, c, email, pass, name, remember)
}

// NewAccount is SignUp under any policy, for who has another right to an account.
func (s *Service) NewAccount(ctx context.Context, c Client, email, pass, name string, remember bool) (Outcome, error) {
	canonical, err := account.CanonicalEmail(email)
	if err != nil {
		return Outcome{}, &InputError{"email", err}
	}
	profile := &session.Profile{Name: strings.TrimSpace(norm.NFC.String(name)), Email: canonical}
	if err := profile.Validate(); err != nil {
		return Outcome{}, &InputError{"name", fmt.Errorf(
			"%w: it must not have control characters, and at most %d bytes", ErrInvalidName, session.MaxName)}
	}
	at, err := s.countSignUp(ctx, c, canonical, func() error { return s.Passwords.Check(pass, canonical, profile.Name) })
	if err != nil {
		return Outcome{}, err
	}
	hash, err := s.Passwords.Hash(ctx, at, pass)
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
	return s.on(throttle.NewDevice(), Outcome{Attempt: attempt, Account: a, Grant: session.Grant{
		Methods: session.Password, Remember: remember, Profile: profile,
		Joins: []session.Join{
			s.Accounts.Create(a, hash),
			s.Audit.Record(c.entry(audit.AccountCreated, a.ID), c.entry(audit.SessionIssued, a.ID)),
		},
	}}), nil
}

// countSignUp counts a sign-up against the client's network, and gives it back
// if the password is acceptable and the address is free: what is bounded is
// finding out who has an account, and the work of refusing passwords. Sign-ups go
// last: those who have an account already do not wait for new ones.
func (s *Service) countSignUp(ctx context.Context, c Client, email string, check func() error) (at password.Place, err error) {
	claim, err := s.Throttle.Look(ctx, throttle.Attempt{Address: c.Address})
	if err != nil {
		return at, err
	}
	charge, err := claim.Count(ctx)
	if err != nil {
		return at, err
	}
	at = password.Place{Rank: password.Last, Of: claim.Of()}
	if err := check(); err != nil {
		return at, &InputError{"password", err}
	}
	_, err = s.Accounts.IDByEmail(ctx, email)
	if err == nil {
		return at, nil // carrying the outcome out will say so, at the same cost
	}
	s.giveBack(ctx, charge) // also if nothing was found out
	if !errors.Is(err, account.ErrNotFound) {
		return at, fmt.Errorf("find the account: %w", err)
	}
	return at, nil
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
	hash, err := s.Passwords.Hash(ctx, password.Place{Rank: password.First, Of: current.Subject()}, pass)
	if err != nil {
		return Outcome{}, fmt.Errorf("hash the password: %w", err)
	}
	// On a new device, so that whoever copied the old one has nothing of it any more.
	return s.on(throttle.NewDevice(), Outcome{Attempt: p.attempt, Account: p.account.Account, Grant: session.Grant{
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

// known is on for the client's device if the account remembers it, and otherwise
// a new one: of one that was forgotten there may be copies, and of another
// account's, too.
func (s *Service) known(ctx context.Context, c Client, o Outcome) (Outcome, error) {
	if c.Device != (throttle.Device{}) {
		remembered, err := s.Devices.Known(ctx, o.Account.ID, c.Device.Hash())
		if err != nil {
			return Outcome{}, fmt.Errorf("look the device up: %w", err)
		}
		if remembered {
			return s.on(c.Device, o), nil
		}
	}
	return s.on(throttle.NewDevice(), o), nil
}

// on has the account remember the device together with what the outcome does, and
// the client as well.
func (s *Service) on(d throttle.Device, o Outcome) Outcome {
	o.Device = d
	o.Grant.Joins = append(o.Grant.Joins, s.Devices.Remember(o.Account.ID, d.Hash(), s.now()))
	return o
}

// rehash renews a hash that is cheaper than those made today. It is no reason
// to refuse anybody: the next sign-in tries again.
func (s *Service) rehash(ctx context.Context, p proof, pass string) []session.Join {
	if !p.stale {
		return nil
	}
	hash, err := s.Passwords.Hash(ctx, password.Place{Rank: password.Last, Of: p.account.ID}, pass)
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
