package signin

import (
	"net/netip"

	"cloakroom/internal/audit"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// Client is who asks, as far as a request tells.
type Client struct {
	Address   netip.Addr // the zero Addr if it is not known
	UserAgent string
	Device    throttle.Device // zero for a browser that signed in to no account yet
}

// entry begins what the record says of something that the account's owner did,
// or that somebody tried in their name.
func (c Client) entry(event audit.Event, account string) audit.Entry {
	e := audit.Entry{Event: event, Actor: account, Subject: account, UserAgent: c.UserAgent}
	if c.Address.IsValid() {
		e.Address = c.Address.String()
	}
	return e
}

// SignedOut is the entry of a sign-out, for Manager.SignOut.
func (s *Service) SignedOut(c Client, current session.Session) session.Join {
	e := c.entry(audit.SessionSignedOut, current.Subject())
	e.Session = current.ID().String()
	return s.Audit.Record(e)
}
