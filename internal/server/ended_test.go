package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// ending is an act that ends sessions of an account. In its path stand {id} for
// the account and {session} for one of its sessions.
type ending struct{ method, path, body string }

// at is the act on an account and a session of it.
func (e ending) at(id, sessionID string) (method, path, body string) {
	return e.method, strings.NewReplacer("{id}", id, "{session}", sessionID).Replace(e.path), e.body
}

// byAdministrators are the acts that end somebody's sessions, and leave the
// account if they can.
var byAdministrators = []ending{
	{"DELETE", "/v1/admin/accounts/{id}/sessions/{session}", ""},
	{"DELETE", "/v1/admin/accounts/{id}/sessions", ""},
	{"PUT", "/v1/admin/accounts/{id}/status", `{"status":"disabled"}`},
	{"DELETE", "/v1/admin/accounts/{id}", ""},
}

// TestAStrictActOfAnAdministratorIsAnsweredOnceItHolds and says where in the log
// it stands, or how the account is now.
func TestAStrictActOfAnAdministratorIsAnsweredOnceItHolds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	for i, act := range byAdministrators {
		ada := s.browser().signUp(fmt.Sprintf("ada%d@example.com", i))
		id, sessionID := ada.accountID(), ada.sessionID()
		method, path, body := act.at(id, sessionID)
		a := root.do(method, path+"?strict=true", body).is(http.StatusOK).setsNoCookie()
		if body == "" && a.at("position") == "" || body != "" && a.at("account.status") != "disabled" {
			t.Errorf("%s %s: %s", method, path, a.text)
		}
		ada.do("GET", "/check", "").problem(http.StatusUnauthorized, "signed-out")
	}
	root.do("GET", "/check", "").is(http.StatusOK)
}

// TestWhatEndsOnesOwnSessionClearsItsCookies, whoever one is and however it ends.
func TestWhatEndsOnesOwnSessionClearsItsCookies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.admin("root@example.com") // somebody has to stay
	own := append([]ending{
		{"DELETE", "/v1/sessions/{session}", ""}, {"DELETE", "/v1/sessions?all=true", ""},
		{"POST", "/v1/admin/revoke-everything", ""},
	}, byAdministrators...)
	for i, act := range own {
		for _, strict := range []bool{false, true} {
			me := s.admin(fmt.Sprintf("me%d%v@example.com", i, strict))
			before := me.cookie
			method, path, body := act.at(me.accountID(), me.sessionID())
			status := http.StatusNoContent
			if strict {
				separator := "?"
				if strings.Contains(path, "?") {
					separator = "&"
				}
				path += separator + "strict=true"
			}
			if strict || body != "" {
				status = http.StatusOK
			}
			a := me.do(method, path, body).is(status)
			if got := a.header["Set-Cookie"]; len(got) != 2 || !strings.HasPrefix(got[0], cookieName+"=; Path=/; Max-Age=0; ") ||
				!strings.HasPrefix(got[1], refreshName+"=; Path=/auth/v1/session/renew; Max-Age=0; ") {
				t.Errorf("%s %s: Set-Cookie: %q", method, path, got)
			}
			s.with(before).do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
		}
	}
}
