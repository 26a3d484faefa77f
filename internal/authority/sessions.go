package authority

import (
	"context"

	"cloakroom/internal/audit"
	"cloakroom/session"
)

// RevokeSession ends one session of the account. A session that is not the
// account's is session.ErrNoSession.
func (s *Service) RevokeSession(ctx context.Context, by By, id string, one session.ID) (session.Position, error) {
	return s.apply(ctx, session.Revoke(id, one),
		s.Audit.Record(by.entry(audit.SessionRevoked, id, map[string]string{"session": one.String()})))
}

// RevokeSessions ends all sessions of the account and every sign-in under way.
func (s *Service) RevokeSessions(ctx context.Context, by By, id string) (session.Position, error) {
	if _, _, err := s.Find(ctx, id); err != nil {
		return session.Position{}, err
	}
	return s.apply(ctx, session.RevokeAll(id), s.Audit.Record(by.entry(audit.SessionsRevokedAll, id, nil)))
}

// RevokeEverything ends all sessions of all accounts, that of whoever does it
// among them.
func (s *Service) RevokeEverything(ctx context.Context, by By) (session.Position, error) {
	return s.Sessions.Apply(ctx, session.RevokeEverything(),
		s.Audit.Record(by.entry(audit.SessionsRevokedEverything, "", nil)))
}
