package session_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

const cookieName = "__Host-session"

// ask sends a request with these Cookie headers through a handler.
func ask(h http.Handler, method, target string, header http.Header, cookies ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for name, values := range header {
		r.Header[name] = values
	}
	for _, c := range cookies {
		r.Header.Add("Cookie", c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// whoami answers with the subject, or "anonymous".
var whoami = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	who := "anonymous"
	if s, ok := session.FromContext(r.Context()); ok {
		who = s.Subject()
	}
	w.Header().Set("X-Who", who)
})

func who(r *http.Response) string { return r.Header.Get("X-Who") }

func wantProblem(t *testing.T, r *http.Response, status int, name string) {
	t.Helper()
	var p struct{ Type, Title, Detail string }
	err := json.NewDecoder(r.Body).Decode(&p)
	if r.StatusCode != status || err != nil || p.Type != "urn:cloakroom:problem:"+name || p.Title == "" || p.Detail == "" {
		t.Errorf("answered %d %+v (%v), want %d %s", r.StatusCode, p, err, status, name)
	}
	if r.Header.Get("Content-Type") != "application/problem+json" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("answered with headers %v", r.Header)
	}
	if c := r.Header["Set-Cookie"]; len(c) > 0 {
		t.Errorf("a refusal set a cookie: %v", c)
	}
}

func TestLoadDecidesNothingForTheHandler(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		token, _ := a.signIn("ada")
		other, _ := a.signIn("bob")
		h := a.Load(whoami)
		valid := cookieName + "=" + token
		for name, c := range map[string]struct {
			cookies []string
			want    string
		}{
			"no cookie":             {nil, "anonymous"},
			"valid":                 {[]string{valid}, "ada"},
			"among others":          {[]string{"a=b; " + valid + "; c=d"}, "ada"},
			"without the space":     {[]string{"a=b;" + valid + ";c=d"}, "ada"},
			"in a second header":    {[]string{"a=b", valid}, "ada"},
			"quoted":                {[]string{cookieName + `="` + token + `"`}, "anonymous"},
			"doubled":               {[]string{valid + "; " + valid}, "anonymous"},
			"doubled, other first":  {[]string{cookieName + "=" + other + "; " + valid}, "anonymous"},
			"doubled, other second": {[]string{valid, cookieName + "=" + other}, "anonymous"},
			"doubled, empty":        {[]string{cookieName + "=; " + valid}, "anonymous"},
			"another case":          {[]string{"__host-session=" + token}, "anonymous"},
			"another name":          {[]string{"x" + valid}, "anonymous"},
			"with a space inside":   {[]string{cookieName + " =" + token}, "anonymous"},
			"with a space after":    {[]string{valid + " ; a=b"}, "anonymous"},
			"empty":                 {[]string{cookieName + "="}, "anonymous"},
			"oversized":             {[]string{valid + strings.Repeat("A", 8<<10)}, "anonymous"},
			"a bearer's":            {[]string{"session=" + token}, "anonymous"},
		} {
			r := ask(h, "GET", "/", nil, c.cookies...)
			if r.StatusCode != 200 || who(r) != c.want {
				t.Errorf("%s: %d, %q, want %q", name, r.StatusCode, who(r), c.want)
			}
			if len(r.Header["Set-Cookie"]) > 0 {
				t.Errorf("%s: a read wrote a cookie", name)
			}
		}
		for _, text := range mutations(token) {
			if r := ask(h, "GET", "/", nil, cookieName+"="+text); r.StatusCode != 200 || who(r) != "anonymous" {
				t.Errorf("%q: %d, %q", text, r.StatusCode, who(r))
			}
		}
		bearer := http.Header{"Authorization": {"Bearer " + token}}
		if r := ask(h, "GET", "/?__Host-session="+token+"&session="+token, bearer); who(r) != "anonymous" {
			t.Error("a token was taken from a URL or another header")
		}
	})
}

func TestAnOutageIsNoVisitor(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		b.link.cut()
		time.Sleep(2 * delta)
		cookie := cookieName + "=" + token
		for name, h := range map[string]http.Handler{"Load": b.Load(whoami), "Require": b.Require()(whoami)} {
			r := ask(h, "GET", "/", nil, cookie)
			if who(r) != "" {
				t.Errorf("%s: the handler was asked although nothing could be decided", name)
			}
			wantProblem(t, r, http.StatusServiceUnavailable, "unavailable")
			if r.Header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", name)
			}
		}
		if r := ask(b.Load(whoami), "GET", "/", nil); who(r) != "anonymous" {
			t.Error("a visitor without a cookie is one, whatever the store does")
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Cookie", cookie)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if err := b.SignOut(w, r); !errors.Is(err, session.ErrUnavailable) || len(w.Result().Header["Set-Cookie"]) > 0 {
			t.Errorf("a sign-out that cannot be known: %v, %v", err, w.Result().Header)
		}
		b.link.mend()
		time.Sleep(delta)
		if r := ask(b.Load(whoami), "GET", "/", nil, cookie); who(r) != "ada" {
			t.Error("after the outage the same cookie is not accepted")
		}
	})
}

func TestRequire(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, s := a.signIn("ada", func(g *session.Grant) { g.Profile = &session.Profile{Roles: []string{"staff"}} })
		cookie := cookieName + "=" + token
		through := func(q ...session.Requirement) *http.Response {
			return ask(b.Require(q...)(whoami), "GET", "/", nil, cookie)
		}
		wantProblem(t, ask(b.Require()(whoami), "GET", "/", nil), http.StatusUnauthorized, "signed-out")
		wantProblem(t, through(session.Role("admin")), http.StatusForbidden, "forbidden")
		wantProblem(t, through(session.Role("sta")), http.StatusForbidden, "forbidden")
		wantProblem(t, through(session.Level(2)), http.StatusForbidden, "forbidden")
		for _, q := range [][]session.Requirement{nil, {session.Role("staff"), session.Level(1), session.Recent(time.Minute)}} {
			if r := through(q...); who(r) != "ada" {
				t.Errorf("%d: %s", r.StatusCode, who(r))
			}
		}
		if r := ask(b.Load(b.Require(session.Role("staff"))(whoami)), "GET", "/", nil, cookie); who(r) != "ada" {
			t.Error("Require behind Load")
		}
		a.apply(session.SetProfile("ada", session.Profile{Roles: []string{"staff"}, Name: "new"}, 0))
		named := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, _ := session.FromContext(r.Context())
			w.Header().Set("X-Who", s.Name())
		})
		if r := ask(b.Require(session.Consistent(session.Fresh))(named), "GET", "/", nil, cookie); who(r) != "new" {
			t.Errorf("the handler got %q and not the session that was checked", who(r))
		}
		time.Sleep(time.Minute)
		wantProblem(t, through(session.Recent(time.Minute)), http.StatusForbidden, "not-recent")
		a.apply(session.Revoke("ada", s.ID()))
		wantProblem(t, through(session.Consistent(session.Fresh)), http.StatusUnauthorized, "signed-out")
	})
}

func TestUnsafeRequestsProveWhereTheyComeFrom(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		with := join(t, store, func(c *session.Config) { c.Origins = []string{"https://example.com", "http://localhost:8080"} })
		without := join(t, store)
		token, _ := with.signIn("ada")
		for _, c := range []struct {
			site, origin  string
			cookie        bool
			with, without bool // is it let through
		}{
			{"same-origin", "", true, true, true},
			{"none", "", true, true, true},
			{"same-site", "", true, false, false},
			{"cross-site", "", true, false, false},
			{"bogus", "", true, false, false},
			{"", "", true, false, false},
			{"", "", false, true, true},
			{"cross-site", "", false, false, false},
			{"same-origin", "https://example.com", true, true, true},
			{"", "https://example.com", true, true, false},
			{"", "http://localhost:8080", true, true, false},
			{"", "https://example.com", false, true, false},
			{"", "https://evil.example", true, false, false},
			{"", "https://evil.example", false, false, false},
			{"", "http://example.com", true, false, false},
			{"", "https://example.com:8443", true, false, false},
			{"", "https://x@example.com", true, false, false},
			{"", "https://example.com.evil.example", true, false, false},
			{"", "https://EXAMPLE.com", true, false, false},
			{"", "https://example.com/", true, false, false},
			{"", "null", true, false, false},
			{"same-origin", "null", true, true, true},
			{"none", "null", true, false, false},
			{"same-origin", "https://evil.example", true, false, true},
		} {
			header := http.Header{}
			if c.site != "" {
				header.Set("Sec-Fetch-Site", c.site)
			}
			if c.origin != "" {
				header.Set("Origin", c.origin)
			}
			var cookies []string
			if c.cookie {
				cookies = []string{cookieName + "=" + token}
			}
			for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "FOO"} {
				for n, want := range map[*node]bool{with: c.with, without: c.without} {
					r := ask(n.Load(whoami), method, "https://example.com/", header, cookies...)
					if got := who(r) != ""; got != want {
						t.Errorf("%s %+v: let through %v, with origins %v", method, c, got, n == with)
					}
					if who(r) == "" {
						wantProblem(t, r, http.StatusForbidden, "origin")
					}
				}
			}
			for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
				if r := ask(with.Load(whoami), method, "/", header, cookies...); who(r) == "" {
					t.Errorf("%s %+v: a safe request was refused", method, c)
				}
			}
		}
		twice := http.Header{"Sec-Fetch-Site": {"same-origin", "same-origin"}}
		if r := ask(with.Load(whoami), "POST", "/", twice, cookieName+"="+token); who(r) != "" {
			t.Error("a doubled Sec-Fetch-Site was let through")
		}
	})
}

// signInOverHTTP is what a sign-in handler does once it has verified.
func signInOverHTTP(t *testing.T, n *node, subject string, g session.Grant, header http.Header) (*http.Response, error) {
	t.Helper()
	a, err := n.Begin(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/sign-in", nil)
	r.Header = header
	w := httptest.NewRecorder()
	_, err = n.SignIn(w, r, a, g)
	return w.Result(), err
}

func cookieOf(t *testing.T, r *http.Response) *http.Cookie {
	t.Helper()
	cookies := r.Cookies()
	if len(cookies) != 1 || cookies[0].Name != cookieName {
		t.Fatalf("cookies %v", r.Header["Set-Cookie"])
	}
	return cookies[0]
}

func TestSignInSetsACookieAndEndsWhatWasPresented(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		planted, _ := a.signIn("mallory")
		r, err := signInOverHTTP(t, a, "ada", session.Grant{}, http.Header{
			"Cookie": {cookieName + "=" + planted}, "Sec-Fetch-Site": {"same-origin"}, "User-Agent": {"agent"},
		})
		if err != nil {
			t.Fatal(err)
		}
		c := cookieOf(t, r)
		if got, want := r.Header.Get("Set-Cookie"), cookieName+"="+c.Value+"; Path=/; Secure; HttpOnly; SameSite=Lax"; got != want {
			t.Errorf("Set-Cookie: %s\nwant %s", got, want)
		}
		if r.Header.Get("Cache-Control") != "no-store" {
			t.Error("an answer with a cookie may be stored")
		}
		if c.Value == planted {
			t.Error("the presented token was adopted")
		}
		a.rejects("I1", planted)
		if s := a.accepts("I8", c.Value); s.Subject() != "ada" {
			t.Errorf("signed in as %s", s.Subject())
		}
		list, _, err := a.List(t.Context(), "ada", "")
		if err != nil || len(list) != 1 || list[0].Client.UserAgent != "agent" || list[0].Client.Address != "192.0.2.1" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestSignInFromElsewhereIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		r, err := signInOverHTTP(t, a, "ada", session.Grant{}, http.Header{"Sec-Fetch-Site": {"cross-site"}})
		if !errors.Is(err, session.ErrOrigin) || len(r.Header["Set-Cookie"]) > 0 {
			t.Fatalf("%v, %v", err, r.Header)
		}
		if list, _, _ := a.List(t.Context(), "ada", ""); len(list) != 0 {
			t.Error("a session was made")
		}
	})
}

func TestRememberedSessionsStayRemembered(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		for _, remember := range []bool{true, false} {
			r, err := signInOverHTTP(t, a, "ada", session.Grant{Remember: remember}, http.Header{})
			if err != nil {
				t.Fatal(err)
			}
			c := cookieOf(t, r)
			want := 0
			if remember {
				want = 30 * 24 * 60 * 60
			}
			if c.MaxAge != want {
				t.Errorf("Max-Age %d, want %d", c.MaxAge, want)
			}
			old := a.accepts("I8", c.Value)
			time.Sleep(time.Hour)
			again, err := signInOverHTTP(t, a, "ada", session.Grant{Replace: old.ID(), Remember: !remember}, http.Header{
				"Cookie": {cookieName + "=" + c.Value}, "Sec-Fetch-Site": {"same-origin"},
			})
			if err != nil {
				t.Fatal(err)
			}
			renewed := cookieOf(t, again)
			if renewed.MaxAge != want {
				t.Errorf("re-authenticated: Max-Age %d, want %d", renewed.MaxAge, want)
			}
			a.rejects("I1", c.Value)
			s := a.accepts("I8", renewed.Value)
			if s.ID() != old.ID() || !s.CreatedAt().Equal(old.CreatedAt()) || s.Age() > time.Minute {
				t.Errorf("the session did not go on: %+v", shown(s))
			}
		}
	})
}

func TestSignOut(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		token, _ := a.signIn("ada")
		signOut := func(cookie string, site string) (*http.Response, error) {
			r := httptest.NewRequest("POST", "/sign-out", nil)
			r.Header.Set("Cookie", cookie)
			if site != "" {
				r.Header.Set("Sec-Fetch-Site", site)
			}
			w := httptest.NewRecorder()
			err := a.SignOut(w, r)
			return w.Result(), err
		}
		for _, site := range []string{"", "cross-site"} {
			if r, err := signOut(cookieName+"="+token, site); !errors.Is(err, session.ErrOrigin) || len(r.Header["Set-Cookie"]) > 0 {
				t.Errorf("from %q: %v", site, err)
			}
		}
		a.accepts("I8", token)
		cleared := cookieName + "=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"
		for _, cookie := range []string{cookieName + "=" + token, cookieName + "=" + token, cookieName + "=nonsense", "a=b"} {
			r, err := signOut(cookie, "same-origin")
			if err != nil || r.Header.Get("Set-Cookie") != cleared || r.Header.Get("Clear-Site-Data") != `"cache", "storage"` {
				t.Errorf("%s: %v, %v", cookie, err, r.Header)
			}
			a.rejects("I1", token)
		}
	})
}

func TestRedirectTo(t *testing.T) {
	answer := session.RedirectTo("/sign-in")
	navigate := http.Header{"Sec-Fetch-Mode": {"navigate"}}
	html := http.Header{"Accept": {"text/html,*/*"}}
	script := http.Header{"Sec-Fetch-Mode": {"cors"}, "Accept": {"text/html"}}
	for name, c := range map[string]struct {
		method, target string
		header         http.Header
		err            error
		location       string
		status         int
	}{
		"page load":            {"GET", "/cart?x=1&y=2", navigate, session.ErrNoSession, "/sign-in?return_to=%2Fcart%3Fx%3D1%26y%3D2", 303},
		"old browser":          {"GET", "/cart", html, session.ErrNoSession, "/sign-in?return_to=%2Fcart", 303},
		"not recent":           {"GET", "/cart", html, session.ErrNotRecent, "/sign-in?return_to=%2Fcart", 303},
		"another site's path":  {"GET", "//evil.example/x", navigate, session.ErrNoSession, "/sign-in", 303},
		"script":               {"GET", "/cart", script, session.ErrNoSession, "", 401},
		"form":                 {"POST", "/cart", navigate, session.ErrNoSession, "", 401},
		"outage":               {"GET", "/cart", navigate, session.ErrUnavailable, "", 503},
		"forbidden":            {"GET", "/cart", navigate, session.ErrForbidden, "", 403},
		"anything else broken": {"GET", "/cart", navigate, errors.New("x"), "", 503},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(c.target, "?")
		r.Header = c.header
		w := httptest.NewRecorder()
		answer(w, r, c.err)
		got := w.Result()
		if got.StatusCode != c.status || got.Header.Get("Location") != c.location || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q, want %d %q", name, got.StatusCode, got.Header.Get("Location"), c.status, c.location)
		}
	}
}

func TestDataBelongsToALiveSession(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		_, s := a.signIn("ada")
		ctx, data := t.Context(), a.Data(s)
		if err := data.Put(ctx, "cart", []byte("tea")); err != nil {
			t.Fatal(err)
		}
		if v, ok, err := data.Get(ctx, "cart"); string(v) != "tea" || !ok || err != nil {
			t.Fatalf("%q, %v, %v", v, ok, err)
		}
		if _, ok, err := data.Get(ctx, "other"); ok || err != nil {
			t.Fatalf("%v, %v", ok, err)
		}
		if v, ok, err := data.Take(ctx, "cart"); string(v) != "tea" || !ok || err != nil {
			t.Fatalf("%q, %v, %v", v, ok, err)
		}
		if _, ok, err := data.Take(ctx, "cart"); ok || err != nil {
			t.Fatalf("taken twice: %v, %v", ok, err)
		}
		if err := data.Delete(ctx, "cart"); err != nil {
			t.Fatal(err)
		}
		if err := data.Put(ctx, "big", make([]byte, session.MaxData)); !errors.Is(err, session.ErrTooLarge) {
			t.Fatalf("too large: %v", err)
		}
		for _, key := range []string{"", strings.Repeat("k", session.MaxKey+1)} {
			if err := data.Put(ctx, key, nil); !errors.Is(err, session.ErrInvalid) {
				t.Errorf("key of %d bytes: %v", len(key), err)
			}
		}
		if err := a.Data(session.Session{}).Put(ctx, "k", nil); !errors.Is(err, session.ErrInvalid) {
			t.Errorf("nobody's data: %v", err)
		}
		a.apply(session.Revoke("ada", s.ID()))
		if err := data.Put(ctx, "cart", nil); !errors.Is(err, session.ErrNoSession) {
			t.Errorf("I10: data of an ended session: %v", err)
		}
	})
}

func TestEveryErrorHasItsAnswer(t *testing.T) {
	for err, status := range map[error]int{
		session.ErrNoSession: 401, session.ErrNotRecent: 403, session.ErrForbidden: 403, session.ErrOrigin: 403,
		session.ErrMoved: 409, session.ErrDeleted: 409, session.ErrSessionLimit: 409, session.ErrTooLarge: 413,
		session.ErrInvalid: 422, session.ErrUnknownOutcome: 503, session.ErrUnavailable: 503,
		session.ErrWrongStore: 503, errors.New("anything else"): 503,
	} {
		w := httptest.NewRecorder()
		session.Problem(w, httptest.NewRequest("GET", "/", nil), err)
		if w.Code != status {
			t.Errorf("%v: %d, want %d", err, w.Code, status)
		}
	}
}
