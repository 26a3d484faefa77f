package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// cast is who it takes to carry out any operation of the contract: an
// administrator, and somebody with two sessions.
type cast struct {
	*site
	root, ada, second *browser
	email, id         string // of ada
	sessionID         string // of the second session
	script            answer // the tokens of a third, which has no cookies
}

// newCast signs them in, under addresses with this name.
func (s *site) newCast(name string) cast {
	s.t.Helper()
	c := cast{site: s, email: "ada-" + strings.ToLower(name) + "@example.com"}
	c.root = s.admin("root-" + strings.ToLower(name) + "@example.com")
	c.ada = s.browser().signUp(c.email)
	c.second = s.browser().signIn(c.email)
	c.id, c.sessionID = c.ada.accountID(), c.second.sessionID()
	c.script = s.browser().do("POST", "/v1/token", credentials(c.email, goodPassword)).is(http.StatusOK)
	return c
}

// good is a body with which an operation succeeds, nil for one without.
func (c cast) good(id string) map[string]any {
	return map[string]map[string]any{
		"signUp":          {"email": "new-" + c.email, "password": goodPassword, "name": "New"},
		"signIn":          {"email": c.email, "password": goodPassword, "remember": true},
		"issueToken":      {"email": c.email, "password": goodPassword, "label": "a script"},
		"refreshToken":    {"refresh_token": c.script.at("refresh_token")},
		"revokeToken":     {"token": c.script.at("token")},
		"reauthenticate":  {"password": goodPassword},
		"changeAccount":   {"name": "Ada"},
		"changePassword":  {"current_password": goodPassword, "new_password": nextPassword},
		"adminInvite":     {"email": "invited-" + c.email, "name": "Invited", "roles": []any{"staff"}},
		"adminSetProfile": {"name": "Ada", "roles": []any{"staff"}, "attributes": map[string]any{"team": "a"}, "email_verified": true},
		"adminSetStatus":  {"status": "disabled"},
		"adminIssueLink":  {"kind": "reset"},
	}[id]
}

// carryOut asks for an operation, with a good body.
func (c cast) carryOut(d described, edits ...edit) answer {
	c.t.Helper()
	body := ""
	if d.body != nil {
		text, err := json.Marshal(c.good(d.id))
		if err != nil || string(text) == "null" {
			c.t.Fatalf("there is no good body for %s: %v", d, err)
		}
		body = string(text)
	}
	return c.ask(d, body, edits...)
}

// ask sends a body to an operation, as who may do it and about ada.
func (c cast) ask(d described, body string, edits ...edit) answer {
	c.t.Helper()
	b := c.ada
	switch {
	case strings.HasPrefix(d.path, "/v1/admin/"):
		b = c.root
	case d.id == "signUp", d.id == "signIn", strings.HasPrefix(d.path, "/v1/token"):
		b = c.browser()
	}
	id := c.id
	if strings.HasPrefix(d.path, "/v1/sessions/") {
		id = c.sessionID
	}
	if d.id == "adminSetProfile" {
		edits = append([]edit{ifMatch(c.root.account(c.id))}, edits...)
	}
	return b.do(d.method, strings.NewReplacer("{id}", id, "{session}", c.sessionID).Replace(d.path), body, edits...)
}

// live fails the test unless nobody of them was signed out.
func (c cast) live() {
	c.t.Helper()
	for _, b := range []*browser{c.root, c.ada, c.second} {
		b.do("GET", "/v1/session", "").is(http.StatusOK)
	}
}

// changing are the operations that change something.
func changing(t *testing.T) (list []described) {
	t.Helper()
	for _, d := range theOperations(t) {
		if d.method != "GET" {
			list = append(list, d)
		}
	}
	return list
}

// acting are those that are an act of somebody's, and recorded: not the renewals, for
// which there is room in a full database, too.
func acting(t *testing.T) []described {
	t.Helper()
	return slices.DeleteFunc(changing(t), func(d described) bool { return d.id == "renewSession" || d.id == "refreshToken" })
}

// everything is what the tables hold that anybody's authority comes from, and the
// record of it.
func (s *site) everything() string {
	s.t.Helper()
	var b strings.Builder
	for _, query := range []string{
		`* FROM cloakroom_accounts`, `* FROM cloakroom_passwords`, `* FROM cloakroom_links`, `* FROM cloakroom_admins`,
		`* FROM cloakroom_setup`, `* FROM cloakroom_devices`, `* FROM cloakroom_subjects`, `* FROM cloakroom_audit`,
		`number, global_epoch FROM cloakroom_meta`, `session, place, access, refresh, grace FROM cloakroom_pairs`,
		`id, token, subject, epoch, global_epoch, authenticated, absolute_ends, level, methods, remember, ended FROM cloakroom_sessions`,
	} {
		rows, err := s.store.Read().QueryContext(s.t.Context(), "SELECT "+query)
		if err != nil {
			s.t.Fatal(err)
		}
		names, err := rows.Columns()
		if err != nil {
			s.t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(names))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				s.t.Fatal(err)
			}
			fmt.Fprint(&b, query)
			for i := range names {
				fmt.Fprintf(&b, " %v", *values[i].(*any))
			}
			fmt.Fprintln(&b)
		}
		if err := rows.Err(); err != nil {
			s.t.Fatal(err)
		}
	}
	return b.String()
}
