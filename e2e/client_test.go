//go:build browser

package e2e

import (
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
