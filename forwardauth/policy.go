package forwardauth

import (
	"fmt"
	"slices"
	"time"

	"cloakroom/session"
)

// Policy is what a part of an application demands beyond a session. The zero
// Policy demands nothing.
type Policy struct {
	Roles       []string            // one of them; none are needed if there are none
	Level       int                 // of assurance, at least
	Recent      time.Duration       // since the sign-in, at most; 0 for any
	Consistency session.Consistency // of the check
}

// Admits returns nil, or session.ErrForbidden or session.ErrNotRecent with what is
// missing. Whoever may not enter at all is not asked for the password first.
func (p Policy) Admits(s session.Session) error {
	switch {
	case s.Level() < p.Level:
		return fmt.Errorf("%w: needs a session of level %d", session.ErrForbidden, p.Level)
	case len(p.Roles) > 0 && !slices.ContainsFunc(p.Roles, s.HasRole):
		return fmt.Errorf("%w: needs one of the roles %q", session.ErrForbidden, p.Roles)
	case p.Recent > 0 && s.Age() > p.Recent:
		return fmt.Errorf("%w: needs an authentication within the last %v", session.ErrNotRecent, p.Recent)
	}
	return nil
}
