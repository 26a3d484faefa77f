package main

import (
	"context"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

// forgetful is a store that keeps no session: it answers a sign-in, and the
// Manager's cache alone remembers it. With it the large caches are filled in
// seconds, the heap holds the cache and nothing of a store, and a check that
// the cache could not answer fails instead of being slow. No last uses are
// written either: with a million sessions in use that is 17,000 rows a second,
// work of another processor, which a row of its own shows.
//
// Its leases are held ones, as SQLite's are: there is one node.
type forgetful struct{ *memory.Store }

func newForgetful() session.Store { return forgetful{memory.New()} }

// Create answers as a store does that keeps what it is given.
func (forgetful) Create(_ context.Context, now time.Time, c session.Creation, _ []session.Join) (session.Created, error) {
	at := now.Truncate(time.Second)
	l := session.Loaded{
		Session: session.Row{
			ID: c.ID, Created: at, Authenticated: at, LastSeen: at,
			IdleEnds: at.Add(c.Idle), Absolute: at.Add(c.Absolute),
			Level: c.Level, Methods: c.Methods,
		},
		Subject:  session.SubjectInfo{Subject: c.Subject, Version: 1},
		IdleLeft: c.Idle, AbsoluteLeft: c.Absolute, TokenLeft: c.Absolute,
	}
	if c.Profile != nil {
		l.Subject.Profile = *c.Profile
	}
	return session.Created{Loaded: l}, nil
}

// Touch keeps nothing.
func (forgetful) Touch(context.Context, time.Time, []session.Touch) error { return nil }

// Tick gives a lease without an end.
func (s forgetful) Tick(ctx context.Context, after session.Position, limit int) (session.Batch, error) {
	b, err := s.Store.Tick(ctx, after, limit)
	b.Lease = session.LeaseHeld
	return b, err
}
