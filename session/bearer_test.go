package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

func reading(c *session.Config) { renewing(c); c.Bearer = true }

func TestABearerTokenIsReadWhereItIsAskedFor(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store, reading), join(t, store, renewing)
		token := a.issueRenewable("ada")
		access, refresh := token.Reveal(), token.Refresh().Reveal()
		cookie, _ := a.signIn("bob")
		inCookie := cookieName + "=" + cookie
		for name, c := range map[string]struct {
			authorization []string
			cookies       []string
			status        int
			who           string
		}{
			"a token":                 {[]string{"Bearer " + access}, nil, 200, "ada"},
			"in another case":         {[]string{"bEARER " + access}, nil, 200, "ada"},
			"with more spaces":        {[]string{"Bearer   " + access + " "}, nil, 200, "ada"},
			"among the application's": {[]string{"Basic YWRhOmFkYQ==", "Bearer " + access}, nil, 200, "ada"},
			"twice":                   {[]string{"Bearer " + access, "Bearer " + access}, nil, 200, "anonymous"},
			"cut short":               {[]string{"Bearer " + access[:52]}, nil, 200, "anonymous"},
			"too long":                {[]string{"Bearer " + access + "A"}, nil, 200, "anonymous"},
			"a refresh token":         {[]string{"Bearer " + refresh}, nil, 200, "anonymous"},
			"a session's":             {[]string{"Bearer " + cookie}, nil, 200, "anonymous"},
			"without its scheme":      {[]string{access}, nil, 200, "anonymous"},
			"another scheme":          {[]string{"Basic " + access}, nil, 200, "anonymous"},
			"the application's alone": {[]string{"Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"}, []string{inCookie}, 200, "bob"},
			"in a cookie":             {nil, []string{cookieName + "=" + access}, 200, "anonymous"},
			"the refresh token, too":  {nil, []string{cookieName + "=" + refresh}, 200, "anonymous"},
			"and a cookie":            {[]string{"Bearer " + access}, []string{inCookie}, 400, ""},
			"and an empty cookie":     {[]string{"Bearer " + access}, []string{cookieName + "="}, 400, ""},
			"malformed and a cookie":  {[]string{"Bearer cka_"}, []string{inCookie}, 400, ""},
		} {
			r := ask(a.Load(whoami), "GET", "/", http.Header{"Authorization": c.authorization}, c.cookies...)
			if r.StatusCode != c.status || who(r) != c.who || r.Header.Get("Vary") != "Cookie, Authorization" {
				t.Errorf("%s: %d, %q, Vary %q", name, r.StatusCode, who(r), r.Header.Get("Vary"))
			}
			if c.status == 400 {
				wantProblem(t, r, 400, "two-tokens")
			}
		}
		one := http.Header{"Authorization": {"Bearer " + access}}
		if r := ask(b.Load(whoami), "POST", "/", one, inCookie); r.StatusCode != http.StatusForbidden {
			t.Errorf("where nobody reads it, a cookie without an origin: %d", r.StatusCode)
		}
		if r := ask(b.Load(whoami), "GET", "/", one); who(r) != "anonymous" || r.Header.Get("Vary") != "Cookie" {
			t.Errorf("where nobody reads it: %q", who(r))
		}
		if r := ask(a.Load(whoami), "POST", "/", one); who(r) != "ada" {
			t.Errorf("a script has to say where it comes from: %d", r.StatusCode)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+access)
		r.Header.Set("Cookie", inCookie)
		if _, err := a.CheckRequest(r, session.Cached); !errors.Is(err, session.ErrTwoTokens) || !errors.Is(err, session.ErrNoSession) {
			t.Errorf("both: %v", err)
		}
		if !a.IsBearer(r) || b.IsBearer(r) {
			t.Error("IsBearer")
		}
	})
}

// TestWhatIsForTheHeaderIsForNoCookie, and the other way round.
func TestWhatIsForTheHeaderIsForNoCookie(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, reading)
		attempt, err := a.Begin(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		request := httptest.NewRequest("POST", "/", nil)
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		w := httptest.NewRecorder()
		if _, err := a.SignIn(w, request, attempt, session.Grant{Bearer: true}); !errors.Is(err, session.ErrInvalid) || len(w.Header()) > 0 {
			t.Errorf("%v, %v", err, w.Header())
		}
		if _, err := a.SignIn(w, request, attempt, session.Grant{Renewable: true}); err != nil {
			t.Fatal(err)
		}
		cookies := w.Result().Cookies()
		if _, _, err := a.Renew(t.Context(), cookies[1].Value); !errors.Is(err, session.ErrNoSession) {
			t.Errorf("the refresh token of a cookie, by hand: %v", err)
		}
		bearer := a.issueRenewable("ada")
		request.Header.Set("Cookie", "__Secure-refresh="+bearer.Refresh().Reveal()+"; "+cookieName+"="+cookies[0].Value)
		if _, err := a.RenewRequest(httptest.NewRecorder(), request); !errors.Is(err, session.ErrNoSession) {
			t.Errorf("a bearer's refresh token, in a cookie: %v", err)
		}
		list, _, err := a.List(t.Context(), "ada", "")
		if err != nil || len(list) != 2 || !list[0].Bearer == !list[1].Bearer {
			t.Errorf("%+v, %v", list, err)
		}
		a.accepts("I8", a.renew(bearer).Reveal())
	})
}

func TestATokenThatHasEndedSaysThatItCanBeRenewed(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, renewing, func(c *session.Config) { c.Idle = time.Hour })
		token := a.issueRenewable("ada").Reveal()
		ends := func(can bool) {
			t.Helper()
			_, err := a.Check(t.Context(), token, session.Cached)
			if !errors.Is(err, session.ErrNoSession) || errors.Is(err, session.ErrTokenEnded) != can {
				t.Errorf("%v", err)
			}
		}
		time.Sleep(11 * time.Minute)
		ends(true)
		time.Sleep(time.Hour)
		ends(false)
	})
}
