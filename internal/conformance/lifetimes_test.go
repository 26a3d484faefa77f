package conformance

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

// clockwork is a server whose clock is set by starting it anew.
type clockwork struct {
	*house
	t        *testing.T
	database string
	args     []string
}

func newClockwork(t *testing.T, args ...string) *clockwork {
	c := &clockwork{t: t, database: filepath.Join(t.TempDir(), "cloakroom.db"), args: append([]string{"--cheap"}, args...)}
	c.ahead(0)
	return c
}

// ahead sets the clock as far ahead of the real one.
func (c *clockwork) ahead(by time.Duration) {
	c.t.Helper()
	if c.house != nil {
		if err := c.stop(); err != nil {
			c.t.Fatal(err)
		}
	}
	c.house = reopen(c.t, driven, c.database, append(c.args, "--ahead="+by.String())...)
}

// idle and absolute are the limits that the product documents.
const (
	idle     = 7 * day
	absolute = 30 * day
)

func TestRow023AnIdleSessionEndsAndStaysEnded(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	b, _ := c.member(t)
	c.ahead(idle - time.Minute)
	b.at(c.house).do("GET", "/v1/session", "").is(http.StatusOK) // is no use of it
	c.ahead(idle + time.Minute)
	b.at(c.house).lives(false)
	c.member(t) // which is a write, and with each of them the time is kept
	c.ahead(0)
	b.at(c.house).lives(false)
}

func TestRow025UseExtendsTheIdleLimit(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	b, _ := c.member(t)
	c.ahead(idle - time.Minute)
	b.at(c.house).do("GET", "/check", "").is(http.StatusOK)
	c.ahead(2*idle - 2*time.Minute)
	b.at(c.house).lives(true)
}

func TestRow018And024And025NoUseExtendsTheAbsoluteLimit(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	b, email := c.member(t)
	start := time.Now()
	kept := c.browser(t)
	in := kept.do("POST", "/v1/sign-in", `{"email":"`+email+`","password":"`+goodPassword+`","remember":true}`).is(http.StatusOK)
	end := in.when("session.expires_at")
	if got := end.Sub(start); got < absolute-time.Minute || got > absolute+time.Minute {
		t.Errorf("the session ends after %v", got)
	}
	if got := maxAge(t, in); got <= 0 || got > absolute {
		t.Errorf("the cookie is kept for %v", got)
	}
	plain := c.signIn(t, email).with("").do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)).is(http.StatusOK)
	if got := plain.sessionLine(); got == "" || strings.Contains(got, "Max-Age") || strings.Contains(got, "Expires") {
		t.Errorf("the cookie outlives the browser, or there is none: %d bytes", len(got))
	}
	for at := 6 * day; at < absolute; at += 6 * day {
		c.ahead(at)
		b.at(c.house).do("GET", "/check", "").is(http.StatusOK)
		kept.at(c.house).do("GET", "/v1/sessions", "").is(http.StatusOK)
		if shown := kept.at(c.house).do("GET", "/v1/session", "").is(http.StatusOK); !shown.when("session.expires_at").Equal(end) {
			t.Errorf("use has moved the end to %s: %s", shown.word("session.expires_at"), shown.text)
		}
	}
	c.ahead(24*day + time.Minute)
	proved := b.at(c.house)
	a := proved.reauthenticate()
	for path, limit := range map[string]time.Duration{"session.expires_at": absolute, "session.idle_expires_at": idle} {
		if got := a.when(path).Sub(start); got < 24*day+limit || got > 24*day+limit+10*time.Minute {
			t.Errorf("%s is %v after the start, when the password was given again after 24 days", path, got)
		}
	}
	c.ahead(absolute - time.Minute)
	kept.at(c.house).do("GET", "/check", "").is(http.StatusOK)
	c.ahead(absolute + time.Minute)
	kept.at(c.house).lives(false) // whatever the client made of its cookie's Max-Age
	proved.at(c.house).lives(true)
}

func TestRow024TheAbsoluteLimitCanBeSetAndNotSwitchedOff(t *testing.T) {
	t.Parallel()
	for _, limit := range []string{"0", "0s", "never", "off", "-1s", "-1", "401d"} {
		// It is the value that is refused, and not a flag that nobody knows.
		if _, err := tryStart(t, "--sessions.absolute="+limit); err == nil || !strings.Contains(err.Error(), `sessions.absolute: "`+limit+`" `) {
			t.Errorf("an absolute limit of %s: %v", limit, err)
		}
	}
	b, _ := newHouse(t, "--sessions.absolute=2h", "--sessions.idle=2h").member(t)
	a := b.do("GET", "/v1/session", "").is(http.StatusOK)
	if got := a.when("session.expires_at").Sub(a.when("session.created_at")); got != 2*time.Hour {
		t.Errorf("the session ends after %v", got)
	}
}

// tryStart runs the product on a database of its own, and stops it if it starts.
func tryStart(t *testing.T, args ...string) (*house, error) {
	h, err := start(released, filepath.Join(t.TempDir(), "cloakroom.db"), args...)
	if err == nil {
		_ = h.stop()
	}
	return h, err
}

// maxAge returns how long a browser is asked to keep the session cookie.
func maxAge(t *testing.T, a answer) time.Duration {
	t.Helper()
	_, rest, _ := strings.Cut(a.sessionLine(), "; Max-Age=")
	seconds, _, _ := strings.Cut(rest, ";")
	n, err := strconv.Atoi(seconds)
	if err != nil {
		t.Errorf("Max-Age in %s", rest)
	}
	return time.Duration(n) * time.Second
}

func TestRow030And037DangerousActsWantARecentSignIn(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	old, email := c.member(t)
	second := c.signIn(t, email)
	c.ahead(16 * time.Minute)
	b, other := old.at(c.house), second.at(c.house)
	refusedAll := func(b *browser, target string) {
		t.Helper()
		for _, path := range []string{"/v1/sessions/" + target, "/v1/sessions", "/v1/sessions?all=true"} {
			a := b.do("DELETE", path, "").refuses(http.StatusForbidden)
			if a.word("type") != "urn:cloakroom:problem:not-recent" {
				t.Errorf("refused as %s", a.text)
			}
		}
		for _, act := range []string{"/account/sessions/" + target + "/revoke", "/account/sessions/revoke-others"} {
			a := b.form(act, url.Values{"form_token": {b.formToken("/account")}}).is(http.StatusSeeOther)
			if !strings.HasPrefix(a.header.Get("Location"), "/auth/reauthenticate?") {
				t.Errorf("%s leads to %s", act, a.header.Get("Location"))
			}
		}
	}
	refusedAll(b, other.sessionID())
	b.do("POST", "/v1/reauthenticate", object("password", wrongAnswer)).refuses(http.StatusForbidden)
	refusedAll(b, other.sessionID())
	other.lives(true)
	b.reauthenticate()
	refusedAll(other, b.sessionID()) // it is no proof of another session
	b.lives(true)
	b.do("DELETE", "/v1/sessions/"+other.sessionID(), "").is(http.StatusNoContent)
	other.lives(false)
	b.lives(true)
}
