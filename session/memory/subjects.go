package memory

import (
	"context"
	"errors"

	"cloakroom/session"
)

// errNoSubject is broken data, which is not the same as no session.
var errNoSubject = errors.New("memory: a session's subject has no row")

// Begin returns the epochs that an authentication beginning now stands under.
func (s *Store) Begin(ctx context.Context, name string) (session.Epochs, error) {
	if err := ctx.Err(); err != nil {
		return session.Epochs{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub := s.state.subjects[name]; sub != nil && sub.info.Deleted {
		return session.Epochs{}, session.ErrDeleted
	}
	return s.state.epochs(name), nil
}

// Subjects returns those of the subjects that have a row.
func (s *Store) Subjects(ctx context.Context, names []string) ([]session.SubjectInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []session.SubjectInfo
	for _, name := range names {
		if sub := s.state.subjects[name]; sub != nil {
			found = append(found, copyInfo(sub.info))
		}
	}
	return found, nil
}
