package forwardauth

import (
	"context"
	"net/http"
	"testing"
	"time"

	"cloakroom/session"
)

func TestAPolicyLetsInWhoMeetsItAndNobodyElse(t *testing.T) {
	d := newDoor(t) // whose sessions are of level 2
	token := d.signIn(t, "u-1", session.Profile{Roles: []string{"staff", "editor"}})
	for name, c := range map[string]struct {
		policy Policy
		status int
	}{
		"nothing":               {Policy{}, http.StatusOK},
		"a role":                {Policy{Roles: []string{"staff"}}, http.StatusOK},
		"one of two roles":      {Policy{Roles: []string{"admin", "editor"}}, http.StatusOK},
		"another role":          {Policy{Roles: []string{"admin"}}, http.StatusForbidden},
		"part of a role's name": {Policy{Roles: []string{"staf", "edit", "staff,editor"}}, http.StatusForbidden},
		"its level":             {Policy{Level: 2}, http.StatusOK},
		"a higher level":        {Policy{Level: 3}, http.StatusForbidden},
		"recent":                {Policy{Recent: time.Minute}, http.StatusOK},
		"fresh":                 {Policy{Consistency: session.Fresh}, http.StatusOK},
		"all of it but one":     {Policy{Roles: []string{"staff"}, Level: 3, Recent: time.Minute}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			d.Policy = c.policy
			w := d.ask(request("GET", token))
			if w.Code != c.status || (w.Code == http.StatusOK) != (w.Header().Get("Remote-User") == "u-1") || w.Header()["Location"] != nil {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		})
	}
}

func TestWhoSignedInTooLongAgoIsShownWhereToConfirmIt(t *testing.T) {
	d := newDoor(t)
	token := d.signIn(t, "u-1", session.Profile{Roles: []string{"staff"}})
	d.Policy = Policy{Roles: []string{"staff"}, Recent: time.Nanosecond}
	w := d.ask(request("GET", token))
	if w.Code != http.StatusForbidden || w.Header().Get("Location") != reauthenticateURL || w.Header()["Remote-User"] != nil {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	d.Policy.Roles = []string{"admin"} // which no password helps with
	if w := d.ask(request("GET", token)); w.Code != http.StatusForbidden || w.Header()["Location"] != nil {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// TestAFreshPolicyWaitsForTheStore: memory answers without waiting, so whoever
// has no time left is told apart.
func TestAFreshPolicyWaitsForTheStore(t *testing.T) {
	d := newDoor(t)
	token := d.signIn(t, "u-1", session.Profile{})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	r := request("GET", token)
	if w := d.ask(r.WithContext(over)); w.Code != http.StatusOK {
		t.Errorf("from memory: %d", w.Code)
	}
	d.Policy.Consistency = session.Fresh
	if w := d.ask(r.WithContext(over)); w.Code != http.StatusServiceUnavailable {
		t.Errorf("fresh: %d", w.Code)
	}
	if w := d.ask(r); w.Code != http.StatusOK {
		t.Errorf("with time: %d", w.Code)
	}
}
