package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"cloakroom/session"
)

// browser is one device: it keeps the cookies and sends what a browser sends.
type browser struct {
	site   *site
	agent  string
	cookie string // the session's
	notice string // what the sign-in page is to say
}

func (s *site) browser(agent string) *browser { return &browser{site: s, agent: agent} }

// page is an answer.
type page struct {
	*httptest.ResponseRecorder
	t *testing.T
}

func (b *browser) send(r *http.Request) page {
	r.Header.Set("User-Agent", b.agent)
	if b.cookie != "" {
		r.Header.Set("Cookie", "__Host-session="+b.cookie)
	}
	if b.notice != "" {
		r.AddCookie(&http.Cookie{Name: noticeCookie, Value: b.notice})
	}
	w := httptest.NewRecorder()
	b.site.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		switch c.Name {
		case "__Host-session":
			b.cookie = c.Value
		case noticeCookie:
			b.notice = c.Value
		}
	}
	return page{w, b.site.t}
}

func (b *browser) get(path string) page {
	return b.send(httptest.NewRequest(http.MethodGet, path, nil))
}

// request makes the POST that a form of this site makes.
func request(path string, fields url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(fields.Encode()))
	r.Header.Set("Content-Type", formType)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", origin)
	return r
}

func (b *browser) post(path string, fields url.Values) page { return b.send(request(path, fields)) }

// act presses a button of a page that is open: with the token that it carries.
func (b *browser) act(open page, path string, fields url.Values) page {
	b.site.t.Helper()
	if fields == nil {
		fields = url.Values{}
	}
	fields.Set("form_token", open.formToken())
	return b.post(path, fields)
}

func (b *browser) signUp() *browser {
	b.site.t.Helper()
	b.post("/auth/sign-up", url.Values{"email": {email}, "password": {secret}, "name": {"Ada"}}).
		redirects("/auth/account")
	return b
}

func (b *browser) signIn() *browser {
	b.site.t.Helper()
	b.post("/auth/sign-in", url.Values{"email": {email}, "password": {secret}}).redirects("/auth/account")
	return b
}

// subject is the account that the browser is signed in to.
func (b *browser) subject() string {
	b.site.t.Helper()
	s, err := b.site.sessions.Check(b.site.t.Context(), b.cookie, session.Cached)
	if err != nil {
		b.site.t.Fatal(err)
	}
	return s.Subject()
}

var tokenField = regexp.MustCompile(`name="form_token" value="([^"]+)"`)

func (p page) formToken() string {
	p.t.Helper()
	found := tokenField.FindStringSubmatch(p.Body.String())
	if found == nil {
		p.t.Fatalf("the page has no form token:\n%s", p.Body)
	}
	return found[1]
}

func (p page) is(status int) page {
	p.t.Helper()
	if p.Code != status {
		p.t.Fatalf("status %d, want %d; Location %q\n%s", p.Code, status, p.Header().Get("Location"), p.Body)
	}
	return p
}

func (p page) redirects(to string) page {
	p.t.Helper()
	p.is(http.StatusSeeOther)
	if got := p.Header().Get("Location"); got != to {
		p.t.Fatalf("redirects to %q, want %q", got, to)
	}
	return p
}

func (p page) shows(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.Body.String(), text) {
			p.t.Fatalf("the page does not show %q:\n%s", text, p.Body)
		}
	}
	return p
}

func (p page) hides(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.Body.String(), text) {
			p.t.Fatalf("the page shows %q:\n%s", text, p.Body)
		}
	}
	return p
}

// setsNoCookie fails if the answer touches the session cookie.
func (p page) setsNoCookie() page {
	p.t.Helper()
	if c := p.Header().Get("Set-Cookie"); c != "" {
		p.t.Fatalf("the answer sets a cookie: %s", c)
	}
	return p
}
