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
	return audit.Entry{Event: event, Actor: account, Subject: account, UserAgent: c.UserAgent, Address: c.address()}
}

// address is the client's in words, or "".
func (c Client) address() string {
	if !c.Address.IsValid() {
		return ""
	}
	return c.Address.String()
}

// Described is what a session that is issued to the client says of it.
func (c Client) Described(label string) session.Client {
	return session.Client{UserAgent: c.UserAgent, Address: c.address(), Label: label}
}

// Own returns the work of recording what the session's owner does to the account
// or its sessions, in the transaction of the act.
func (s *Service) Own(c Client, current session.Session, event audit.Event) session.Join {
	return s.Audit.Record(own(c, current, event))
}

// Revoked is Own for the end of one session, which the entry names.
func (s *Service) Revoked(c Client, current session.Session, id session.ID) session.Join {
	e := own(c, current, audit.SessionRevoked)
	e.Detail = map[string]string{"session": id.String()}
	return s.Audit.Record(e)
}

// Reused returns the work of recording that two have used one refresh token of a
// session, and of telling the account's owner, in the transaction that ends it. Who
// they are is not known: either may be the thief.
func (s *Service) Reused(e *session.ReusedError) []session.Join {
	return []session.Join{
		s.Audit.Record(audit.Entry{Event: audit.SessionReused, Subject: e.Subject, Session: e.Session.String()}),
		s.Accounts.Alert(e.Subject, s.now()),
	}
}

func own(c Client, current session.Session, event audit.Event) audit.Entry {
	e := c.entry(event, current.Subject())
	e.Session = current.ID().String()
	return e
}
