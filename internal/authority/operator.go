package authority

import (
	"context"
	"fmt"
	"slices"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/signin"
	"cloakroom/session"
)

// CreateAccount makes an account that can be signed in to with a password, which
// whoever acts has to tell its owner. The address counts as verified. Errors are
// those of Invite, and of a password a *signin.InputError, too.
func (s *Service) CreateAccount(ctx context.Context, by By, email, name string, roles []string, pass string) (account.Account, error) {
	a, p, err := s.newAccount(by, email, name, roles)
	if err != nil {
		return account.Account{}, err
	}
	hash, err := s.newHash(ctx, pass, p)
	if err != nil {
		return account.Account{}, err
	}
	_, err = s.apply(ctx, session.SetProfile(a.ID, p, 0),
		s.Accounts.Create(a, hash),
		s.Directory.SetAdmin(a.ID, slices.Contains(roles, account.AdminRole)),
		s.Audit.Record(by.entry(audit.AccountCreated, a.ID, nil)),
	)
	return a, err
}

// SetPassword gives an account a new password without asking for the old one, and
// ends all of its sessions, every sign-in under way and its links.
func (s *Service) SetPassword(ctx context.Context, by By, id, pass string) (session.Position, error) {
	owner, info, err := s.Find(ctx, id)
	if err != nil {
		return session.Position{}, err
	}
	p := info.Profile
	p.Email = owner.Email
	hash, err := s.newHash(ctx, pass, p)
	if err != nil {
		return session.Position{}, err
	}
	return s.apply(ctx, session.RevokeAll(id),
		s.Accounts.SetPassword(id, hash),
		s.Audit.Record(by.entry(audit.AccountPasswordChanged, id, nil)),
	)
}

// newHash hashes a password that is acceptable for this person.
func (s *Service) newHash(ctx context.Context, pass string, p session.Profile) (string, error) {
	if err := s.Passwords.Check(pass, p.Email, p.Name); err != nil {
		return "", &signin.InputError{Field: "password", Err: err}
	}
	hash, err := s.Passwords.Hash(ctx, password.Place{Rank: password.First, Of: "operator"}, pass)
	if err != nil {
		return "", fmt.Errorf("hash the password: %w", err)
	}
	return hash, nil
}
