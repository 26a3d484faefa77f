package authority

import (
	"context"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/session"
)

// Disable ends all sessions of the account and every sign-in under way, makes
// its links void, and lets nobody sign in to it. It is account.ErrLastAdmin for
// the only administrator who can sign in.
func (s *Service) Disable(ctx context.Context, by By, id string) (session.Position, error) {
	return s.apply(ctx, session.RevokeAll(id), s.keepAdmin(by, id,
		s.Directory.SetStatus(id, account.Disabled),
		s.Links.Void(id),
		s.Audit.Record(by.entry(audit.AccountDisabled, id, nil)),
	)...)
}

// Enable lets the account be signed in to again. What was ended stays ended.
func (s *Service) Enable(ctx context.Context, by By, id string) (session.Position, error) {
	return s.apply(ctx, session.RevokeAll(id),
		s.Directory.SetStatus(id, account.Active),
		s.Audit.Record(by.entry(audit.AccountEnabled, id, nil)),
	)
}

// Delete ends all sessions of the account and deletes it with its profile. Its
// id is not used again, and the record of what was done to it stays. It is
// account.ErrLastAdmin for the only administrator who can sign in.
func (s *Service) Delete(ctx context.Context, by By, id string) (session.Position, error) {
	return s.apply(ctx, session.DeleteSubject(id), s.keepAdmin(by, id,
		s.Directory.Delete(id),
		s.Audit.Record(by.entry(audit.AccountDeleted, id, nil)),
	)...)
}
