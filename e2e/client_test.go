//go:build browser

package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// signInAs signs in as some other program would.
func signInAs(t *testing.T, base, agent string) {
	t.Helper()
	form := url.Values{"email": {email}, "password": {secret}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/auth/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", agent)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("sign-in as %s: %s", agent, answer.Status)
	}
}

// program is a program of the administrator's, which uses the API.
type program struct {
	t            *testing.T
	base, cookie string
	version      string // of the profile that it changes
}

// adminProgram signs in as the administrator.
func adminProgram(t *testing.T, base string) *program {
	t.Helper()
	p := &program{t: t, base: base}
	p.call(http.MethodPost, "/auth/v1/sign-in", `{"email":"`+adminEmail+`","password":"`+secret+`"}`, &struct{}{})
	return p
}

// call reads the answer into answer, unless that is nil.
func (p *program) call(method, path, body string, answer any) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Origin", p.base)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", p.cookie)
	if p.version != "" {
		r.Header.Set("If-Match", `"`+p.version+`"`)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	for _, c := range response.Cookies() {
		if c.Name == "__Host-session" {
			p.cookie = c.Name + "=" + c.Value
		}
	}
	if answer != nil {
		err = json.NewDecoder(response.Body).Decode(answer)
	}
	if err != nil || response.StatusCode > 299 {
		p.t.Fatalf("%s %s: %s, %v", method, path, response.Status, err)
	}
}

// path is where the API has the account with this address.
func (p *program) path(address string) string {
	p.t.Helper()
	var found struct{ Accounts []struct{ ID string } }
	p.call(http.MethodGet, "/auth/v1/admin/accounts?email="+url.QueryEscape(address), "", &found)
	if len(found.Accounts) != 1 {
		p.t.Fatalf("%d accounts have the address %s", len(found.Accounts), address)
	}
	return "/auth/v1/admin/accounts/" + found.Accounts[0].ID
}

// linkTo has the administrator make a one-time link to an account, and returns
// where it leads.
func linkTo(t *testing.T, base, address, kind string) string {
	t.Helper()
	var made struct{ URL string }
	p := adminProgram(t, base)
	p.call(http.MethodPost, p.path(address)+"/links", `{"kind":"`+kind+`"}`, &made)
	return made.URL
}
