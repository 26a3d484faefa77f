package docs

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

func TestASessionGoesOnByItsRenewals(t *testing.T) {
	sessions := running(t, renewing(memory.New()))
	send := func(h http.Handler, path string, cookies ...*http.Cookie) *http.Response {
		r := httptest.NewRequest(http.MethodPost, path, nil)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	if err := sessions.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	attempt, err := sessions.Begin(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	signedIn := send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := sessions.SignIn(w, r, attempt, session.Grant{Methods: session.Password, Renewable: true})
		if left := time.Until(s.TokenExpiresAt()); err != nil || left > time.Hour {
			t.Errorf("it ends in %v, %v", left, err)
		}
	}), "/sign-in").Cookies()
	if len(signedIn) != 2 || signedIn[1].Path != "/session/renew" {
		t.Fatalf("cookies %v", signedIn)
	}
	renewed := send(renew(sessions), "/session/renew", signedIn...)
	if renewed.StatusCode != http.StatusOK || len(renewed.Cookies()) != 2 {
		t.Fatalf("%d, %v", renewed.StatusCode, renewed.Cookies())
	}
	if s, err := sessions.Check(t.Context(), renewed.Cookies()[0].Value, session.Cached); err != nil || s.Subject() != "ada" {
		t.Errorf("%v, %v", s, err)
	}
	if r := send(renew(sessions), "/session/renew"); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a cookie: %d", r.StatusCode)
	}
}
