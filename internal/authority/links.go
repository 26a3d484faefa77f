package authority

import (
	"context"
	"errors"
	"slices"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/link"
	"cloakroom/internal/signin"
	"cloakroom/session"
)

// IssuedLink is a link that was made. Only its hash is kept: whoever asked for it
// has to pass it on.
type IssuedLink struct {
	Account account.Account
	Token   link.Token
	Kind    link.Kind
	Expires time.Time
}

// Invite makes an account without a password and the link by which the first one
// is set. The address counts as verified: somebody else vouches for it. An
// address or a profile that breaks a rule is a *signin.InputError, and an
// address that is in use account.ErrTaken. It is signin.ErrClosed where no
// accounts are made.
func (s *Service) Invite(ctx context.Context, by By, email, name string, roles []string) (IssuedLink, error) {
	a, p, err := s.newAccount(by, email, name, roles)
	if err != nil {
		return IssuedLink{}, err
	}
	issued, add := s.newLink(by, a, link.Invite)
	_, err = s.apply(ctx, session.SetProfile(a.ID, p, 0),
		s.Accounts.Create(a, ""),
		s.Directory.SetAdmin(a.ID, slices.Contains(roles, account.AdminRole)),
		add,
		s.Audit.Record(
			by.entry(audit.AccountCreated, a.ID, nil),
			by.entry(audit.LinkIssued, a.ID, map[string]string{"kind": link.Invite.String()})),
	)
	if err != nil {
		return IssuedLink{}, err
	}
	return issued, nil
}

// newAccount is an account that is about to be made, with its profile. The
// operator may make some where nobody else does.
func (s *Service) newAccount(by By, email, name string, roles []string) (account.Account, session.Profile, error) {
	if err := s.SignIn.Policy.AdmitsInvitations(); err != nil && by.Account != audit.Operator {
		return account.Account{}, session.Profile{}, err
	}
	canonical, err := account.CanonicalEmail(email)
	if err != nil {
		return account.Account{}, session.Profile{}, &signin.InputError{Field: "email", Err: err}
	}
	p := session.Profile{Name: PlainName(name), Email: canonical, EmailVerified: true, Roles: roles}
	if err := checkProfile(p); err != nil {
		return account.Account{}, session.Profile{}, err
	}
	a, err := account.New(canonical)
	return a, p, err
}

// IssueLink makes a link for an account, in the place of an earlier one of its
// kind. A disabled account gets none.
func (s *Service) IssueLink(ctx context.Context, by By, id string, kind link.Kind) (IssuedLink, error) {
	for try := 1; ; try++ {
		issued, err := s.issueLink(ctx, by, id, kind)
		if try == mostTries || !errors.Is(err, session.ErrMoved) {
			return issued, err
		}
	}
}

// issueLink writes the profile that is there once more: a link takes nothing
// away, and Apply wants a change.
func (s *Service) issueLink(ctx context.Context, by By, id string, kind link.Kind) (IssuedLink, error) {
	found, info, err := s.Find(ctx, id)
	if err != nil {
		return IssuedLink{}, err
	}
	if found.Status != account.Active {
		return IssuedLink{}, ErrDisabled
	}
	issued, add := s.newLink(by, found, kind)
	_, err = s.apply(ctx, session.SetProfile(id, info.Profile, info.Version),
		add, s.Audit.Record(by.entry(audit.LinkIssued, id, map[string]string{"kind": kind.String()})))
	if err != nil {
		return IssuedLink{}, err
	}
	return issued, nil
}

func (s *Service) newLink(by By, a account.Account, kind link.Kind) (IssuedLink, session.Join) {
	token, expires := link.NewToken(), s.now().Add(link.Life).UTC().Truncate(time.Second)
	return IssuedLink{a, token, kind, expires}, s.Links.Add(
		link.Link{Account: a.ID, Kind: kind, Expires: expires, CreatedBy: by.Account}, token.Hash())
}
