// Package authority changes what accounts may do. Every change of a credential,
// a role or a status, but those that people make themselves by signing in, goes
// through one method of Service, and each method carries out three things in one
// Manager.Apply, so that none can be without the others: the account's row, the
// epoch or the profile of its sessions, and the entry of the audit. When a method
// has returned, no check that starts later on this node sees the old state.
//
// The package knows no HTTP and no SQL, and does not ask whether whoever acts may
// do so: that is for those who call it.
package authority

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/link"
	"cloakroom/internal/setup"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// ErrDisabled means that a disabled account gets no link and accepts none. Other
// errors are account.ErrNotFound, account.ErrTaken, account.ErrLastAdmin,
// link.ErrGone, those of setup, *signin.InputError, throttle.ErrThrottled,
// password.ErrBusy, those of session, or an outage.
var ErrDisabled = errors.New("the account is disabled")

// Service makes the changes. Now, Logger and Code have defaults, the other
// fields are required.
type Service struct {
	Sessions  *session.Manager
	Accounts  account.Store
	Directory account.Directory
	Links     link.Store
	Setup     setup.Store
	SignIn    *signin.Service // signs the first administrator up
	Passwords *password.Hasher
	Throttle  *throttle.Throttle
	Devices   throttle.Devices
	Audit     audit.Store
	Refusals  *audit.Refusals

	Code   setup.Hash       // of the setup code: none unless set, and SetUp is refused
	Now    func() time.Time // time.Now unless set
	Logger *slog.Logger     // slog.Default unless set
}

// By is who acts, as far as the audit should know.
type By struct {
	Account   string // an account's id, or audit.Operator on the command line
	Session   string // the public id of the session that it is done in
	Address   string
	UserAgent string
}

// Actor is the By of somebody who is signed in.
func Actor(c signin.Client, s session.Session) By {
	by := client(c)
	by.Account, by.Session = s.Subject(), s.ID().String()
	return by
}

// Operator is the By of the command line, and may do what would leave no
// administrator.
func Operator() By { return By{Account: audit.Operator} }

func client(c signin.Client) By {
	by := By{UserAgent: c.UserAgent}
	if c.Address.IsValid() {
		by.Address = c.Address.String()
	}
	return by
}

// entry is what the record says of something that is done to an account.
func (by By) entry(event audit.Event, account string, detail map[string]string) audit.Entry {
	return audit.Entry{
		Event: event, Actor: by.Account, Subject: account, Session: by.Session,
		Address: by.Address, UserAgent: by.UserAgent, Detail: detail,
	}
}

// apply carries out the change of an account that there is. Of a deleted one
// nothing is left to be changed.
func (s *Service) apply(ctx context.Context, c session.Change, joins ...session.Join) (session.Position, error) {
	if !session.ValidSubject(c.Subject) {
		return session.Position{}, account.ErrNotFound
	}
	pos, err := s.Sessions.Apply(ctx, c, joins...)
	if errors.Is(err, session.ErrDeleted) {
		return session.Position{}, account.ErrNotFound
	}
	return pos, err
}

// keepAdmin comes before the joins of what could leave no administrator, unless
// the operator does it, who can make another.
func (s *Service) keepAdmin(by By, id string, joins ...session.Join) []session.Join {
	if by.Account == audit.Operator {
		return joins
	}
	return append([]session.Join{s.Directory.KeepAdmin(id)}, joins...)
}

// Find returns an account and its subject, or account.ErrNotFound.
func (s *Service) Find(ctx context.Context, id string) (account.Account, session.SubjectInfo, error) {
	found, err := s.Directory.Get(ctx, id)
	if errors.Is(err, account.ErrNotFound) {
		return account.Account{}, session.SubjectInfo{}, err
	}
	if err != nil {
		return account.Account{}, session.SubjectInfo{}, fmt.Errorf("find the account: %w", err)
	}
	infos, err := s.Sessions.Subjects(ctx, id)
	switch {
	case err != nil:
		return account.Account{}, session.SubjectInfo{}, err
	case len(infos) == 0:
		return account.Account{}, session.SubjectInfo{}, fmt.Errorf("the account %s has no subject", id)
	case infos[0].Deleted: // since it was found
		return account.Account{}, session.SubjectInfo{}, account.ErrNotFound
	}
	return found, infos[0], nil
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
