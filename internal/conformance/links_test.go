package conformance

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// issueLink has an administrator make a one-time link, and returns the token in
// it.
func (b *browser) issueLink(id, kind string, edits ...edit) (token string) {
	b.t.Helper()
	a := b.do("POST", "/v1/admin/accounts/"+id+"/links", object("kind", kind), edits...).is(http.StatusCreated)
	return tokenOf(a.word("url"))
}

func tokenOf(link string) string {
	_, token, _ := strings.Cut(link, "?token=")
	return token
}

// useLink sends the form of a link's page.
func (b *browser) useLink(kind, token, password string) answer {
	b.t.Helper()
	return b.form("/link/"+kind, url.Values{"token": {token}, "new_password": {password}})
}

func TestRow073And094ALinkIsGoodOnceForAnHourAndForItsPurpose(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	admin := c.administrator(t)
	b, email := c.member(t)
	id := b.accountID()
	visitor := c.browser(t)
	gone := func(kind, token string) {
		t.Helper()
		visitor.useLink(kind, token, newPassword).refuses(http.StatusGone)
		visitor.do("GET", "/link/"+kind+"?token="+token, "").refuses(http.StatusGone)
	}
	older := admin.issueLink(id, "reset")
	token := admin.issueLink(id, "reset")
	if token == older || len(token) != len(tag)+secretLen {
		t.Errorf("tokens of %d characters", len(token))
	}
	gone("reset", older)
	gone("invite", token) // of another purpose
	secretOf(t, token)
	if all, _ := c.copied(t); bytes.Contains(all, []byte(core(token))) || bytes.Contains(all, secretOf(t, token)) {
		t.Error("the database holds the token of a link")
	}
	// It is good for its account, whatever else is said.
	_, stranger := c.member(t)
	fields := url.Values{"token": {token}, "new_password": {newPassword}, "email": {stranger}, "user_id": {id}}
	a := visitor.form("/link/reset", fields).is(http.StatusSeeOther)
	if _, signedIn := a.handedOut(); signedIn {
		t.Error("the link signs in")
	}
	gone("reset", token)
	b.lives(false)
	c.signIn(t, stranger).lives(true)
	visitor.do("POST", "/v1/sign-in", object("email", email, "password", newPassword)).is(http.StatusOK)

	void := admin.issueLink(id, "reset")
	visitor.do("POST", "/v1/account/password", object("current_password", newPassword, "new_password", goodPassword)).is(http.StatusOK)
	gone("reset", void) // since the password has changed
	late := admin.issueLink(id, "reset")
	invited := admin.do("POST", "/v1/admin/accounts", object("email", newEmail())).is(http.StatusCreated)
	admin.do("POST", "/v1/admin/accounts", object("email", newEmail(), "password", goodPassword)).refuses(http.StatusUnprocessableEntity)
	visitor.do("POST", "/v1/sign-in", object("email", invited.word("account.email"), "password", "")).refuses(http.StatusUnauthorized)
	c.ahead(time.Hour + time.Minute)
	visitor = c.browser(t)
	gone("reset", late)
	gone("invite", tokenOf(invited.word("link.url")))
	c.signIn(t, email).lives(true)
}

func TestRow035And096AskingForALinkAltersNothingAndUsingItEndsAll(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	admin := h.administrator(t)
	b, email := h.member(t)
	token := admin.issueLink(b.accountID(), "reset")
	other := h.signIn(t, email)
	visitor := h.browser(t)
	for _, method := range []string{"GET", "HEAD", "GET"} { // scanners open links, too
		a := visitor.do(method, "/link/reset?token="+token, "").is(http.StatusOK)
		if a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", a.header)
		}
		for _, m := range regexp.MustCompile(`(?:href|src|action)="([^"]*)"`).FindAllStringSubmatch(a.text, -1) {
			if !strings.HasPrefix(m[1], "/auth/") && m[1] != "#end" || strings.Contains(m[1], token) {
				t.Errorf("the page leads to %s", m[1])
			}
		}
	}
	b.lives(true)
	other.lives(true)
	visitor.useLink("reset", token, "too short").refuses(http.StatusUnprocessableEntity)
	visitor.useLink("reset", token, "Password12345678").refuses(http.StatusUnprocessableEntity)
	b.lives(true)
	visitor.useLink("reset", token, newPassword).is(http.StatusSeeOther)
	b.lives(false)
	other.lives(false)
}

func TestRow095LinksAreMadeOfThePublicURL(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "--public-url=https://sign.example")
	forged := []edit{
		func(r *http.Request) { r.Host = "evil.example" }, set("X-Forwarded-Host", "evil.example"), set("Forwarded", "host=evil.example"),
		set("X-Forwarded-Proto", "http"), set("X-Forwarded-Prefix", "/evil"), set("Origin", "https://sign.example"),
	}
	admin, ours := h.browser(t), func(r *http.Request) { r.Host = "sign.example" }
	form := url.Values{"code": {h.setupCode(t)}, "email": {newEmail()}, "password": {goodPassword}}
	admin.form("/setup", form, ours, set("Origin", "https://sign.example")).is(http.StatusSeeOther)
	b, _ := h.member(t)
	for _, a := range []answer{
		admin.do("POST", "/v1/admin/accounts/"+b.accountID()+"/links", object("kind", "reset"), forged...).is(http.StatusCreated),
		admin.do("POST", "/v1/admin/accounts", object("email", newEmail()), forged...).is(http.StatusCreated),
	} {
		if !strings.Contains(a.text, `"url":"https://sign.example/auth/link/`) || strings.Contains(a.text, "evil") {
			t.Errorf("%s", a.text)
		}
	}
}

func TestRow127OneUseOfACodeOrALinkSucceeds(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	code := h.setupCode(t)
	onlyOne(t, "the code", func() answer { return h.browser(t).setUp(code, newEmail()) })
	g := open(t, driven, "--cheap")
	admin := g.administrator(t)
	b, _ := g.member(t)
	token := admin.issueLink(b.accountID(), "reset")
	onlyOne(t, "the link", func() answer { return g.browser(t).useLink("reset", token, newPassword) })
}

// onlyOne fails the test unless of many uses at the same time one succeeds, and
// the others are told that they came too late, or that there are too many.
func onlyOne(t *testing.T, what string, use func() answer) {
	t.Helper()
	const many = 200
	var mu sync.Mutex // guards statuses
	statuses := map[int]int{}
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			a := use()
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
		})
	}
	all.Wait()
	losers := 0
	for _, status := range []int{
		http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusTooManyRequests, http.StatusServiceUnavailable,
	} {
		losers += statuses[status]
	}
	if statuses[http.StatusSeeOther] != 1 || losers != many-1 {
		t.Errorf("%s was used %d times; statuses: %v", what, statuses[http.StatusSeeOther], statuses)
	}
	if statuses[http.StatusTooManyRequests] == losers {
		t.Errorf("%s was looked at once: %v", what, statuses)
	}
}

func TestRow074TheFirstAdministratorHasTheCode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	code := h.setupCode(t)
	if strings.Contains(h.log.String(), code) {
		t.Error("the code is in the log")
	}
	for _, wrong := range []string{"", "0000-0000-0000-0000-0000", code[:len(code)-1], code + "0", strings.Repeat("A", 24)} {
		if a := h.browser(t).setUp(wrong, newEmail()); a.status < 400 || a.header["Set-Cookie"] != nil {
			t.Errorf("set up with %q: %d", wrong, a.status)
		}
	}
	again := newHouse(t).setupCode(t)
	if again == code {
		t.Error("two servers have one code")
	}
	admin := h.administrator(t)
	admin.do("GET", "/v1/admin/accounts", "").is(http.StatusOK)
	if a := h.browser(t).setUp(code, newEmail()); a.status < 400 || a.header["Set-Cookie"] != nil {
		t.Errorf("set up twice: %d", a.status)
	}
	h.browser(t).do("GET", "/setup", "").refuses(http.StatusNotFound)
}

func TestRow099EveryWayInAsksTheSame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	admin := h.administrator(t)
	b, email := h.member(t)
	id := b.accountID()
	token := admin.issueLink(id, "reset")
	admin.setStatus(id, "disabled")
	for way, sign := range map[string]func() answer{
		"API": func() answer {
			return h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", goodPassword))
		},
		"page": func() answer {
			return h.browser(t).form("/sign-in", url.Values{"email": {email}, "password": {goodPassword}})
		},
	} {
		if a := sign().refuses(http.StatusForbidden); a.header["Set-Cookie"] != nil {
			t.Errorf("%s: %s", way, a.header["Set-Cookie"])
		}
	}
	b.do("POST", "/v1/reauthenticate", object("password", goodPassword)).refuses(http.StatusUnauthorized)
	h.browser(t).useLink("reset", token, newPassword).refuses(http.StatusGone)
	if a := h.browser(t).do("POST", "/v1/sign-up", object("email", email, "password", goodPassword)); a.status != http.StatusConflict {
		t.Errorf("signed up anew: %d", a.status)
	}
	admin.do("POST", "/v1/admin/accounts/"+id+"/links", object("kind", "reset")).refuses(http.StatusConflict)
	b.lives(false)
}
