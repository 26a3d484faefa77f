package authority

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/signin"
	"cloakroom/session"

	"golang.org/x/text/unicode/norm"
)

// mostTries is how often a change is tried that another came before. Each time
// some other change has succeeded.
const mostTries = 10

// SetProfile replaces the account's profile, roles among it; the address stays
// what it is. With a version other than 0 it is session.ErrMoved if the subject
// was changed since that version was read. A profile that breaks a rule is a
// *signin.InputError. It is account.ErrLastAdmin to take the role of
// administrators from the only one who can sign in.
func (s *Service) SetProfile(ctx context.Context, by By, id string, p session.Profile, version uint64) (session.Position, error) {
	p.Name = PlainName(p.Name)
	if err := checkProfile(p); err != nil {
		return session.Position{}, err
	}
	for try := 1; ; try++ {
		pos, err := s.setProfile(ctx, by, id, p, version)
		if version != 0 || try == mostTries || !errors.Is(err, session.ErrMoved) {
			return pos, err
		}
	}
}

// setProfile writes over what it has just read and nothing else, so that the
// record says rightly what was there before.
func (s *Service) setProfile(ctx context.Context, by By, id string, p session.Profile, version uint64) (session.Position, error) {
	found, info, err := s.Find(ctx, id)
	if err != nil {
		return session.Position{}, err
	}
	if version != 0 && version != info.Version {
		return session.Position{}, session.ErrMoved
	}
	p.Email = found.Email
	admin := slices.Contains(p.Roles, account.AdminRole)
	joins := []session.Join{
		s.Directory.SetAdmin(id, admin),
		s.Audit.Record(by.changes(id, info.Profile, p)...),
	}
	if !admin {
		joins = s.keepAdmin(by, id, joins...)
	}
	return s.apply(ctx, session.SetProfile(id, p, info.Version), joins...)
}

// changes are the entries of a profile that was replaced, at least one.
func (by By) changes(id string, before, after session.Profile) (entries []audit.Entry) {
	if !slices.Equal(before.Roles, after.Roles) {
		entries = append(entries, by.entry(audit.AccountRolesChanged, id, map[string]string{
			"before": strings.Join(before.Roles, " "), "after": strings.Join(after.Roles, " "),
		}))
		before.Roles = after.Roles
	}
	if len(entries) == 0 || !before.Equal(after) {
		entries = append(entries, by.entry(audit.AccountProfileChanged, id, nil))
	}
	return entries
}

// The rules of a profile, for signin.InputError.
var (
	errRoles = fmt.Errorf("these cannot be used as roles: each must have 1 to %d letters, digits or any of ._:- "+
		"and stand once, and there must be at most %d", session.MaxRole, session.MaxRoles)
	errAttributes = fmt.Errorf("these cannot be used as attributes: "+
		"they must be one JSON document of at most %d bytes", session.MaxAttributes)
)

// checkProfile says which field of a profile breaks a rule.
func checkProfile(p session.Profile) error {
	for _, c := range []struct {
		field string
		part  session.Profile
		err   error
	}{
		{"name", session.Profile{Name: p.Name}, fmt.Errorf(
			"%w: it must not have control characters, and at most %d bytes", signin.ErrInvalidName, session.MaxName)},
		{"roles", session.Profile{Roles: p.Roles}, errRoles},
		{"attributes", session.Profile{Attributes: p.Attributes}, errAttributes},
	} {
		if c.part.Validate() != nil {
			return &signin.InputError{Field: c.field, Err: c.err}
		}
	}
	return nil
}

// PlainName is a name as a profile keeps it.
func PlainName(name string) string { return strings.TrimSpace(norm.NFC.String(name)) }
