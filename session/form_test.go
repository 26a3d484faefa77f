package session_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"cloakroom/session"
	"cloakroom/session/memory"
)

func TestAFormTokenBelongsToOneToken(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, s := a.signIn("ada")
		other, _ := a.signIn("ada")
		renewed, _ := a.signIn("ada", func(g *session.Grant) { g.Replace = s.ID() })
		form := func(n *node, cookies ...string) string {
			r := httptest.NewRequest("GET", "/", nil)
			for _, c := range cookies {
				r.Header.Add("Cookie", cookieName+"="+c)
			}
			return n.FormToken(r)
		}
		first := form(a, token)
		if len(first) != 43 || form(a, token) != first || form(b, token) != first {
			t.Errorf("form token %q is not the same again, or not on another node", first)
		}
		if strings.Contains(token, first) || form(a, other) == first || form(a, renewed) == first {
			t.Error("two tokens share a form token")
		}
		if form(a) != "" || form(a, token, token) != "" || form(a, "nonsense") != "" {
			t.Error("a form token without a session")
		}
	})
}
