package conformance

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	cookieName   = "__Host-session"
	refreshName  = "__Secure-refresh"
	goodPassword = "correct horse battery staple"
	wrongAnswer  = "incorrect horse battery staple"
)

// transport follows no redirect and keeps no cookie. It goes where it is told to,
// whatever the environment says of proxies.
var transport = &http.Transport{MaxIdleConnsPerHost: 32, ResponseHeaderTimeout: time.Minute}

// browser is somebody at a server: what a page's script would send, with the one
// session cookie that is said.
type browser struct {
	*house
	t       *testing.T
	cookie  string // the value of the session cookie, or ""
	refresh string // that of the refresh cookie beside it
	// record, unless nil, gets every answer.
	record func(answer)
	// via is how requests are sent: by transport unless set.
	via *http.Transport
}

func (h *house) browser(t *testing.T) *browser { return &browser{house: h, t: t} }

// with is another browser at the same server that presents this cookie.
func (b *browser) with(cookie string) *browser {
	c := *b
	if c.cookie = cookie; cookie != b.cookie {
		c.refresh = ""
	}
	return &c
}

// at is the same cookies presented to another server, where they are renewed first if
// the token has ended, as the script of a page does.
func (b *browser) at(h *house) *browser {
	c := *b
	c.house = h
	if c.refresh != "" && strings.Contains(c.do("GET", "/v1/session", "").text, "token-ended") {
		c.renew()
		b.cookie, b.refresh = c.cookie, c.refresh
	}
	return &c
}

func (b *browser) renew() answer { return b.do("POST", "/v1/session/renew", "") }

// from is the same browser at another address of this machine, 127.0.0.0/8.
func (b *browser) from(address string) *browser {
	c := *b
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c.via = &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
	return &c
}

// edit changes a request before it is sent.
type edit func(*http.Request)

// set replaces a header; without values it is not sent.
func set(name string, values ...string) edit {
	return func(r *http.Request) {
		if len(values) == 0 {
			r.Header.Del(name)
			return
		}
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
}

// do sends a request to a path under /auth. A body is JSON unless an edit says
// otherwise. The cookie that is handed out is the one presented from then on.
func (b *browser) do(method, path, body string, edits ...edit) answer {
	b.t.Helper()
	return b.to(method, "/auth"+path, body, edits...)
}

// to is do with a path from the root.
func (b *browser) to(method, path, body string, edits ...edit) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url()+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if b.cookie != "" {
		cookies := cookieName + "=" + b.cookie
		if path == "/auth/v1/session/renew" && b.refresh != "" {
			cookies += "; " + refreshName + "=" + b.refresh
		}
		r.Header.Set("Cookie", cookies)
	}
	for _, e := range edits {
		e(r)
	}
	via := transport
	if b.via != nil {
		via = b.via
	}
	response, err := via.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a := answer{b.t, method + " " + path, response.StatusCode, response.Header, string(text)}
	if value, ok := a.handedOut(); ok {
		b.cookie, b.refresh = value, a.handsOut(refreshName)
	}
	if b.record != nil {
		b.record(a)
	}
	return a
}

// form sends the form of a page: its fields, and the token of the page's forms
// if there is one.
func (b *browser) form(path string, fields url.Values, edits ...edit) answer {
	b.t.Helper()
	edits = append([]edit{set("Content-Type", "application/x-www-form-urlencoded")}, edits...)
	return b.do("POST", path, fields.Encode(), edits...)
}

var formToken = regexp.MustCompile(`name="form_token" value="([^"]*)"`)

// formToken returns what the page's forms carry.
func (b *browser) formToken(page string) string {
	b.t.Helper()
	m := formToken.FindStringSubmatch(b.do("GET", page, "").is(http.StatusOK).text)
	if m == nil {
		b.t.Fatalf("%s has no form with a token", page)
	}
	return m[1]
}

// object is a JSON body.
func object(pairs ...string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	text, _ := json.Marshal(m) // texts only
	return string(text)
}

// newEmail is an address that nobody has.
func newEmail() string { return strings.ToLower(rand.Text()) + "@example.com" }

// member is a browser that has just signed up, and the address it did so with.
func (h *house) member(t *testing.T) (b *browser, email string) {
	t.Helper()
	b, email = h.browser(t), newEmail()
	b.do("POST", "/v1/sign-up", object("email", email, "password", goodPassword)).is(http.StatusCreated)
	return b, email
}

// signIn is another browser that has just signed in.
func (h *house) signIn(t *testing.T, email string) *browser {
	t.Helper()
	b := h.browser(t)
	b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)).is(http.StatusOK)
	return b
}

// phone is somebody without cookies.
type phone struct {
	*browser
	token, renewal string
}

// script signs in what has no cookies.
func (h *house) script(t *testing.T, email string) *phone {
	t.Helper()
	p := &phone{browser: h.browser(t)}
	return p.take(p.do("POST", "/v1/token", object("email", email, "password", goodPassword, "label", "a phone")))
}

func (p *phone) take(a answer) *phone {
	p.t.Helper()
	a.is(http.StatusOK)
	p.token, p.renewal = a.word("token"), a.word("refresh_token")
	return p
}

func (p *phone) refresh() answer {
	return p.do("POST", "/v1/token/refresh", object("refresh_token", p.renewal))
}

// bearer presents the token wherever one is looked at.
func (p *phone) bearer(status int) {
	p.t.Helper()
	for _, path := range []string{"/check", "/v1/session", "/v1/sessions"} {
		p.do("GET", path, "", set("Authorization", "Bearer "+p.token)).is(status)
	}
}

// lives fails the test unless the browser is signed in, or unless it is not, for
// everything that asks who is there.
func (b *browser) lives(want bool) {
	b.t.Helper()
	status, page := http.StatusOK, http.StatusOK
	if !want {
		status, page = http.StatusUnauthorized, http.StatusSeeOther
	}
	for _, path := range []string{"/check", "/v1/session", "/v1/sessions"} {
		a := b.do("GET", path, "").is(status)
		if !want {
			a.refuses(status)
		}
	}
	b.do("GET", "/account", "").is(page)
}

func (b *browser) sessionID() string {
	b.t.Helper()
	return b.do("GET", "/v1/session", "").is(http.StatusOK).word("session.id")
}

// reauthenticate proves again who it is; it has a new token then.
func (b *browser) reauthenticate() answer {
	b.t.Helper()
	return b.do("POST", "/v1/reauthenticate", object("password", goodPassword)).is(http.StatusOK)
}
