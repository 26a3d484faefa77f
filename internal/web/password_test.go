package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

func (b *browser) changePassword(open page, current, new string) page {
	b.site.t.Helper()
	return b.act(open, "/auth/account/password", url.Values{"current_password": {current}, "new_password": {new}})
}

func TestANewPasswordEndsAllOtherSessionsAndRenewsThisOne(t *testing.T) {
	s := newSite(t)
	one, two := s.browser(firefox).signUp(), s.browser(iphone).signIn()
	form := one.get("/auth/account/password").is(200).shows("All your other devices are signed out", `value="ada@example.com"`)
	old := one.cookie
	one.changePassword(form, secret, renewed).redirects("/auth/account?done")
	one.get("/auth/account?done").is(200).
		shows("Your password was changed. All your other devices are signed out.", `role="status"`, "Password changed", "this device only")
	one.get("/auth/account?done").is(200).hides("Your password was changed.") // said once
	two.get("/auth/account").is(303)
	one.cookie = old
	one.get("/auth/account").is(303)
	two.post("/auth/sign-in", url.Values{"email": {email}, "password": {secret}}).is(http.StatusUnauthorized)
	two.post("/auth/sign-in", url.Values{"email": {email}, "password": {renewed}}).redirects("/auth/account")
	if e := s.audit.entries[3]; e.Event != audit.AccountPasswordChanged || e.Actor != e.Subject || e.Address != "192.0.2.1" {
		t.Errorf("the fourth entry is %+v", e)
	}
}

// wrongBeside fails unless the field, and no other, is marked as wrong.
func (p page) wrongBeside(field string) page {
	p.t.Helper()
	body := p.Body.String()
	at := strings.Index(body, `id="`+field+`"`)
	if at < 0 || strings.Count(body, "aria-invalid") != 1 || !strings.Contains(body[at:at+strings.Index(body[at:], ">")], "aria-invalid") {
		p.t.Fatalf("the field %q is not the one that is marked:\n%s", field, body)
	}
	return p
}

func TestWhatIsWrongWithANewPasswordStandsBesideItsField(t *testing.T) {
	s := newSite(t)
	one, two := s.browser(firefox).signUp(), s.browser(iphone).signIn()
	form := one.get("/auth/account/password")
	for name, c := range map[string]struct {
		current, new, field, says string
		status                    int
	}{
		"wrong":      {"not the right one", renewed, "current_password", "not the password of your account", http.StatusForbidden},
		"missing":    {"", renewed, "current_password", "not the password of your account", http.StatusForbidden},
		"short":      {secret, "fourteen chars", "new_password", "at least 15 characters", http.StatusUnprocessableEntity},
		"none":       {secret, "", "new_password", "at least 15 characters", http.StatusUnprocessableEntity},
		"common":     {secret, "Password-password-1", "new_password", "nothing to do with each other", http.StatusUnprocessableEntity},
		"contextual": {secret, "ada@example.com!", "new_password", "nothing to do with you", http.StatusUnprocessableEntity},
		"control":    {secret, "fifteen chars, \x00 or so", "new_password", "cannot be typed again", http.StatusUnprocessableEntity},
	} {
		t.Run(name, func(t *testing.T) {
			page := one.changePassword(form, c.current, c.new)
			page.t = t
			page.is(c.status).setsNoCookie().wrongBeside(c.field).shows(c.says, "<title>Error: Change your password")
			if c.new != "" {
				page.hides(c.new)
			}
		})
	}
	one.get("/auth/account").is(200).hides("Password changed")
	two.get("/auth/account").is(200)
	s.browser(iphone).signIn() // by the old password
}

func TestAPasswordChangeThatCannotBeRecordedIsNone(t *testing.T) {
	s := newSite(t)
	one, two := s.browser(firefox).signUp(), s.browser(iphone).signIn()
	form := one.get("/auth/account/password")
	s.audit.failWith(errDisk)
	one.changePassword(form, secret, renewed).is(http.StatusServiceUnavailable).setsNoCookie().shows("You have not been signed out")
	s.audit.failWith(nil)
	one.get("/auth/account").is(200)
	two.get("/auth/account").is(200)
	s.browser(iphone).signIn()
}

func TestABusyPoolChangesNoPassword(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	form := b.get("/auth/account/password")
	s.pages.cfg.SignIn.Passwords = busyPool(t)
	page := b.changePassword(form, secret, renewed).is(http.StatusServiceUnavailable).setsNoCookie().
		shows("Too many people are signing in")
	if page.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// Wherever a password can be guessed, and wherever one network can ask whether
// there is an account, too much of it is told how long to wait.
func TestWhoTriesTooOftenIsToldHowLongToWait(t *testing.T) {
	few := throttle.Limit{Burst: 3, Every: time.Hour}
	for path, fields := range map[string]url.Values{
		"/auth/account/password": {"current_password": {"wrong"}, "new_password": {renewed}},
		"/auth/reauthenticate":   {"password": {"wrong"}},
		"/auth/sign-in":          {"email": {email}, "password": {"wrong"}},
		"/auth/sign-up":          {"email": {email}, "password": {renewed}},
	} {
		t.Run(path, func(t *testing.T) {
			s := newSite(t, func(c *Config) {
				c.SignIn.Throttle = throttle.New(throttle.Config{
					Store: &buckets{emptyAt: map[throttle.Key]int64{}}, Devices: devices{}, Account: few, Network: few,
				})
			})
			b := s.browser(firefox).signUp()
			open := b.get("/auth/account")
			for range few.Burst {
				if page := b.act(open, path, fields); page.Code < 400 || page.Code > 409 {
					t.Fatalf("status %d", page.Code)
				}
			}
			page := b.act(open, path, fields).is(http.StatusTooManyRequests).setsNoCookie().
				shows(`role="alert"`, "60 minutes", "<title>Error: ")
			if got := page.Header().Get("Retry-After"); got != "3600" {
				t.Errorf("Retry-After is %q", got)
			}
			b.get("/auth/account").is(200) // nobody is signed out by it
		})
	}
}

// TestASessionThatEndsMeanwhileLeadsToSignIn: it was live when its form arrived,
// and not any more when what the form asks for was to be done.
func TestASessionThatEndsMeanwhileLeadsToSignIn(t *testing.T) {
	s := newSite(t)
	b := s.browser(firefox).signUp()
	form := b.get("/auth/account/password")
	for name, end := range map[string]error{"ended": session.ErrNoSession, "deleted": session.ErrDeleted} {
		for path, fields := range map[string]url.Values{
			"/auth/account/password":               {"current_password": {secret}, "new_password": {renewed}},
			"/auth/reauthenticate":                 {"password": {secret}},
			"/auth/account/sessions/revoke-others": {},
			"/auth/account/sessions/revoke-all":    {},
		} {
			s.audit.failWith(end)
			if p := b.act(form, path, fields); p.Code != http.StatusSeeOther || p.Header().Get("Location") != "/auth/sign-in" {
				t.Errorf("%s, %s: %d to %q", name, path, p.Code, p.Header().Get("Location"))
			}
		}
	}
}
