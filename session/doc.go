// Package session is authentication on stateful, server-side sessions: an
// opaque token in a cookie, a record in a store, and a check that is answered
// from memory and still sees every revocation in time.
//
// # Use
//
// Open a store, make a Manager, keep its Run alive, and wrap your handlers:
//
//	store, err := sqlite.Open(ctx, "app.db")
//	sessions, err := session.New(session.Config{Store: store})
//	go func() { done <- sessions.Run(ctx) }()        // until the last request is answered
//
//	attempt, err := sessions.Begin(ctx, userID)      // before the password is read
//	// ... verify the password ...
//	_, err = sessions.SignIn(w, r, attempt, session.Grant{Methods: session.Password})
//
//	server.Handler = sessions.Load(mux)              // FromContext in the handlers
//
// # Promises
//
//   - Here: after a revocation has returned on a node, no check that starts
//     later on that node accepts.
//   - Bounded: no check that starts [Config.Delta] after it returned accepts,
//     on any node, whatever pauses, crashes or is cut off.
//   - Strict: no check that starts after [Manager.Wait] has returned for it
//     accepts, on any node.
//   - Fresh: checks at the level [Fresh] are linearizable with revocations.
//   - No resurrection: nothing that began before a revocation (a touch, a load,
//     a sign-in, a data write) makes the session acceptable after it.
//   - Accuracy: no check rejects without a cause; while the store cannot be
//     reached it may be [ErrUnavailable], which is not a rejection.
//   - Closed: missing, unreadable or unknown data never accepts.
//
// # Compatibility
//
// The package imports the standard library only. Until version 1 names may
// change between minor versions; the promises above do not.
package session
