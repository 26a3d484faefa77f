package server

import (
	"net/http"
	"strings"
	"testing"

	"cloakroom/internal/signin"
)

// setUp is a browser of the first administrator, who has the setup code.
func (s *site) setUp(email string) *browser {
	s.t.Helper()
	code, ok := s.TakeSetupCode()
	if !ok {
		s.t.Fatal("there is no setup code")
	}
	authority := *s.authority
	authority.SignIn = s.signin // which a handler has with its policy, and this goes round
	outcome, err := authority.SetUp(s.t.Context(), signin.Client{}, code.Reveal(), email, goodPassword, "Root")
	if err == nil {
		_, _, err = s.sessions.Issue(s.t.Context(), outcome.Attempt, outcome.Grant)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return s.browser().signIn(email)
}

// TestWhoMayMakeAnAccount is the same for API and pages, and whatever the policy
// there is a first administrator.
func TestWhoMayMakeAnAccount(t *testing.T) {
	for policy, want := range map[string]struct {
		alone, invited int
		page           string
	}{
		"open":    {http.StatusCreated, http.StatusCreated, "Create an account"},
		"invited": {http.StatusForbidden, http.StatusCreated, "Sign-up is by invitation"},
		"closed":  {http.StatusForbidden, http.StatusForbidden, "Sign-up is closed"},
	} {
		t.Run(policy, func(t *testing.T) {
			s := newSite(t, func(o *Options) { o.Config.SignUp = policy })
			root := s.setUp("root@example.com")
			refused := func(a answer, status int) {
				t.Helper()
				if a.is(status); status == http.StatusForbidden {
					a.problem(status, "sign-up-closed").setsNoCookie()
				}
			}
			refused(s.browser().do("POST", "/v1/sign-up", credentials("ada@example.com", goodPassword)), want.alone)
			refused(root.do("POST", "/v1/admin/accounts", `{"email":"eve@example.com"}`), want.invited)
			status := map[int]int{http.StatusCreated: http.StatusOK, http.StatusForbidden: http.StatusForbidden}[want.alone]
			if a := s.browser().do("GET", "/sign-up", "").is(status); !strings.Contains(a.text, want.page) {
				t.Errorf("the page does not say %q: %s", want.page, a.text)
			}
			made := 1
			for _, status := range []int{want.alone, want.invited} {
				if status == http.StatusCreated {
					made++
				}
			}
			var n int
			if err := s.store.Read().QueryRow(`SELECT count(*) FROM cloakroom_accounts`).Scan(&n); err != nil || n != made {
				t.Errorf("%d accounts, %v, want %d", n, err, made)
			}
		})
	}
}
