// Package sessiontest holds the suite that every session.Store must pass, and
// helpers for the tests of applications that use sessions.
//
// A store's own test is one call:
//
//	func TestStore(t *testing.T) { sessiontest.Run(t, open) }
package sessiontest

import (
	"context"
	"testing"
	"time"

	"cloakroom/session"
)

// Engine is a fresh, empty store and what the suite needs around it. Everything
// is required but where it says otherwise.
type Engine struct {
	Store session.Store

	// JoinWrite returns a Join of this engine that writes key within the
	// transaction, where Written finds it once that is committed (a row of a
	// scratch table), and then returns what then returns. then may be nil.
	JoinWrite func(key string, then func(context.Context) error) session.Join

	// Written reports whether a JoinWrite of this key was committed.
	Written func(key string) bool

	// LoseSubject deletes a subject's row, and nothing else, behind the
	// store's back.
	LoseSubject func(subject string)

	// CutLog forgets all entries of the log but the latest.
	CutLog func()

	// Reopen closes the store and opens what it has kept. Nil for an engine
	// that keeps nothing.
	Reopen func() session.Store

	// Now and Advance are for an engine with a clock of its own: its present
	// time, and a way to move it on. Both nil means that the engine judges by
	// the time it is given.
	Now     func() time.Time
	Advance func(time.Duration)
}

// Run tests the store that open returns against every promise of
// session.Store. open is called once for each of them, and cleans up by
// t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	for _, chapter := range []struct {
		name     string
		promises []promise
	}{
		{"no resurrection", resurrection()},
		{"sign-in", signIn()},
		{"continuing and replacing", replacing()},
		{"renewal", renewal()},
		{"revocation", revocation()},
		{"profile", profiles()},
		{"log", logging()},
		{"session limit", sessionLimit()},
		{"expiry", expiry()},
		{"list", listing()},
		{"sweep", sweeping()},
		{"data", data()},
		{"joins", joining()},
		{"contexts", contexts()},
		{"concurrency", concurrency()},
		{"reopening", reopening()},
	} {
		t.Run(chapter.name, func(t *testing.T) {
			for _, p := range chapter.promises {
				t.Run(p.name, func(t *testing.T) { p.test(newFixture(t, open(t))) })
			}
		})
	}
}

// promise is one line of the contract, as its test's name states it.
type promise struct {
	name string
	test func(*fixture)
}
