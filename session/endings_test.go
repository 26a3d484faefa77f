package session_test

import (
	"net/http/httptest"
	"testing"

	"cloakroom/session"
	"cloakroom/session/memory"
)

// ending is one way in which a session of ada's ends on a node.
type ending struct {
	perSubject int // Config.PerSubject of the nodes, unless 0
	end        func(n *node, token string, s session.Session)
}

// endings are all the ways there are: the changes, and what a sign-in ends.
func endings() map[string]ending {
	all := map[string]ending{
		"a sign-in that ends all others": {end: func(n *node, _ string, _ session.Session) {
			n.signIn("ada", func(g *session.Grant) { g.RevokeOthers = true })
		}},
		"a renewal": {end: func(n *node, _ string, s session.Session) {
			n.signIn("ada", func(g *session.Grant) { g.Replace = s.ID() })
		}},
		"a sign-in that presents it": {end: func(n *node, token string, _ session.Session) {
			n.signInPresenting("bob", token)
		}},
		"a sign-in beyond the limit": {perSubject: 1, end: func(n *node, _ string, _ session.Session) {
			n.signIn("ada")
		}},
	}
	for name, change := range changes {
		all[name] = ending{end: func(n *node, _ string, s session.Session) { n.apply(change(n, s)) }}
	}
	return all
}

// eachEnding runs a schedule in a bubble for every ending, with two nodes and a
// session of ada's that was issued on the first.
func eachEnding(t *testing.T, schedule func(t *testing.T, a, b *node, token string, end func(*node))) {
	t.Helper()
	for name, e := range endings() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, store *memory.Store) {
				limit := func(c *session.Config) { c.PerSubject = e.perSubject }
				a, b := join(t, store, limit), join(t, store, limit)
				token, s := a.signIn("ada")
				schedule(t, a, b, token, func(n *node) { e.end(n, token, s) })
			})
		})
	}
}

// signInPresenting signs in over HTTP with the cookie of another session.
func (n *node) signInPresenting(subject, token string) {
	n.t.Helper()
	attempt, err := n.Begin(n.t.Context(), subject)
	if err != nil {
		n.t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/sign-in", nil)
	r.Header.Set("Cookie", cookieName+"="+token)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if _, err := n.SignIn(httptest.NewRecorder(), r, attempt, session.Grant{}); err != nil {
		n.t.Fatal(err)
	}
}
