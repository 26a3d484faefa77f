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

// linkTo asks the API for a one-time link to an account, as a program of the
// administrator's would, and returns where it leads.
func linkTo(t *testing.T, base, address, kind string) string {
	t.Helper()
	cookie := ""
	call := func(method, path, body string, answer any) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", base)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", cookie)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		for _, c := range response.Cookies() {
			if c.Name == "__Host-session" {
				cookie = c.Name + "=" + c.Value
			}
		}
		if err := json.NewDecoder(response.Body).Decode(answer); err != nil || response.StatusCode > 299 {
			t.Fatalf("%s %s: %s, %v", method, path, response.Status, err)
		}
	}
	var found struct{ Accounts []struct{ ID string } }
	var made struct{ URL string }
	call(http.MethodPost, "/auth/v1/sign-in", `{"email":"`+adminEmail+`","password":"`+secret+`"}`, &struct{}{})
	call(http.MethodGet, "/auth/v1/admin/accounts?email="+url.QueryEscape(address), "", &found)
	if len(found.Accounts) != 1 {
		t.Fatalf("%d accounts have the address %s", len(found.Accounts), address)
	}
	call(http.MethodPost, "/auth/v1/admin/accounts/"+found.Accounts[0].ID+"/links", `{"kind":"`+kind+`"}`, &made)
	return made.URL
}
