package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloakroom/internal/authority"
	"cloakroom/internal/link"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// reset makes a link for who is signed in with the browser.
func reset(office *authority.Service, b *browser) (token string) {
	b.site.t.Helper()
	made, err := office.IssueLink(b.site.t.Context(), authority.Operator(), b.subject(), link.Reset)
	if err != nil {
		b.site.t.Fatal(err)
	}
	return made.Token.Reveal()
}

func (b *browser) useLink(kind, token, pass string) page {
	return b.post("/auth/link/"+kind, url.Values{"token": {token}, "new_password": {pass}})
}

func TestAResetLinkSetsThePasswordOnceAndEndsEverything(t *testing.T) {
	s, office, _ := newFileSite(t, wide)
	owner := s.browser(firefox).signUp()
	token, visitor := reset(office, owner), s.browser(iphone)
	address := "/auth/link/reset?token=" + token
	for range 2 { // scanners open links, too
		page := visitor.get(address).is(200).setsNoCookie().shows(email, `autocomplete="new-password"`, `value="`+token+`"`)
		if got := page.Header().Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("Referrer-Policy is %q", got)
		}
		visitor.send(httptest.NewRequest(http.MethodHead, address, nil)).is(200)
	}
	visitor.useLink("reset", token, "too short").is(http.StatusUnprocessableEntity).wrongBeside("new_password").
		shows("at least 15 characters", `value="`+token+`"`).hides("too short\"")
	owner.get("/auth/account").is(200)

	visitor.useLink("reset", token, renewed).redirects("/auth/sign-in")
	visitor.get("/auth/sign-in").is(200).shows("Your password is set", `role="status"`)
	owner.get("/auth/account").is(303)
	owner.post("/auth/sign-in", url.Values{"email": {email}, "password": {secret}}).is(http.StatusUnauthorized)
	visitor.get(address).is(http.StatusGone)
	visitor.useLink("reset", token, "yet another handful of words").is(http.StatusGone).setsNoCookie()
	visitor.post("/auth/sign-in", url.Values{"email": {email}, "password": {renewed}}).redirects("/auth/account")
	visitor.get("/auth/account").is(200).shows("The operator of this server made a one-time link to your account")
}

func TestAnInvitationLeadsIn(t *testing.T) {
	s, office, _ := newFileSite(t, wide)
	made, err := office.Invite(t.Context(), authority.Operator(), "Eve@Example.com", "Eve", nil)
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser(firefox)
	b.get("/auth/link/invite?token="+made.Token.Reveal()).is(200).shows("Welcome", "eve@example.com")
	b.useLink("invite", made.Token.Reveal(), renewed).redirects("/auth/sign-in")
	b.post("/auth/sign-in", url.Values{"email": {"eve@example.com"}, "password": {renewed}}).redirects("/auth/account")
	b.get("/auth/account").is(200).shows("<h1><bdi>Eve</bdi></h1>")
}

// Nobody learns from a link that does not work why that is.
func TestLinksThatCannotBeUsedLookAlike(t *testing.T) {
	s, office, _ := newFileSite(t, wide)
	owner := s.browser(firefox).signUp()
	used := reset(office, owner)
	s.browser(iphone).useLink("reset", used, renewed).is(303)
	owner.post("/auth/sign-in", url.Values{"email": {email}, "password": {renewed}}).is(303)
	replaced, live := reset(office, owner), reset(office, owner)
	tokens := append([]string{"", used, replaced, link.NewToken().Reveal(), live + "x", live[1:], strings.ToUpper(live)}, hostileText...)
	b := s.browser(iphone)
	want := withoutNonce(b.get("/auth/link/reset?token=" + used))
	check := func(why string, p page) {
		t.Helper()
		p.is(http.StatusGone).setsNoCookie().shows("This link no longer works", "ask whoever sent it")
		if got := withoutNonce(p); got != want || p.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v\n%s", why, p.Header(), got)
		}
	}
	for _, token := range tokens {
		check("opened", b.get("/auth/link/reset?token="+url.QueryEscape(token)))
		check("used", b.useLink("reset", token, renewed))
	}
	check("without a token", b.get("/auth/link/reset"))
	check("of another kind", b.get("/auth/link/invite?token="+live))
	check("of another kind, used", b.useLink("invite", live, renewed))
	b.get("/auth/link/reset?token=" + live).is(200)
	later := time.Now().Add(link.Life + time.Second)
	s.pages.cfg.Now, office.Now = func() time.Time { return later }, func() time.Time { return later }
	check("too late", b.get("/auth/link/reset?token="+live))
	check("used too late", b.useLink("reset", live, renewed))
	s.pages.cfg.Now, office.Now = time.Now, nil
	id := owner.subject()
	if _, err := office.Disable(t.Context(), authority.Operator(), id); err != nil {
		t.Fatal(err)
	}
	late := link.NewToken() // made while the account was being disabled
	l := link.Link{Account: id, Kind: link.Reset, Expires: time.Now().Add(link.Life), CreatedBy: "operator"}
	if _, err := s.sessions.Apply(t.Context(), session.RevokeAll(id), office.Links.Add(l, late.Hash())); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{live, late.Reveal()} {
		check("of a disabled account", b.get("/auth/link/reset?token="+token))
		check("of a disabled account, used", b.useLink("reset", token, renewed))
	}
}

// A page that sends no referrer sends its form with "Origin: null".
func TestALinksFormPassesAndThatOfAnotherSiteDoesNot(t *testing.T) {
	s, office, _ := newFileSite(t, wide)
	token := reset(office, s.browser(firefox).signUp())
	for _, site := range []string{"cross-site", "same-site", "same-origin"} {
		r := request("/auth/link/reset", url.Values{"token": {token}, "new_password": {renewed}})
		r.Header.Set("Origin", "null")
		r.Header.Set("Sec-Fetch-Site", site)
		page := s.browser(iphone).send(r)
		if want := map[bool]int{true: http.StatusSeeOther, false: http.StatusForbidden}[site == "same-origin"]; page.Code != want {
			t.Errorf("%s: %d", site, page.Code)
		}
	}
}

func TestOf200UsesOfOneLinkOneSucceeds(t *testing.T) {
	s, office, _ := newFileSite(t, wide)
	token := reset(office, s.browser(firefox).signUp())
	var done atomic.Int32
	var using sync.WaitGroup
	for range 200 {
		using.Go(func() {
			switch page := s.browser(iphone).useLink("reset", token, renewed); page.Code {
			case http.StatusSeeOther:
				done.Add(1)
			case http.StatusGone, http.StatusServiceUnavailable:
			default:
				t.Errorf("status %d", page.Code)
			}
		})
	}
	using.Wait()
	if done.Load() != 1 {
		t.Errorf("it was used %d times", done.Load())
	}
}

func TestWhoTriesLinksIsToldToWait(t *testing.T) {
	s, office, _ := newFileSite(t, throttle.Limit{Burst: 3, Every: time.Hour})
	token := reset(office, s.browser(firefox).signUp())
	b := s.browser(iphone)
	for range 3 {
		b.useLink("reset", link.NewToken().Reveal(), renewed).is(http.StatusGone)
	}
	b.useLink("reset", token, renewed).is(http.StatusTooManyRequests).setsNoCookie().shows("came from your network", `value="`+token+`"`)
}

func TestHostileTextInTheFormsOfSetupAndLinks(t *testing.T) {
	s, _, _ := newFileSite(t, wide)
	b := s.browser(firefox)
	for path, good := range map[string]url.Values{
		"/auth/setup":       firstAdmin("wrong"),
		"/auth/link/reset":  {"token": {link.NewToken().Reveal()}, "new_password": {renewed}},
		"/auth/link/invite": {"token": {link.NewToken().Reveal()}, "new_password": {renewed}},
	} {
		hostile(good, func(fields url.Values) { b.post(path, fields).harmless(path, fields) })
		good.Set("name", strings.Repeat("x", 100<<10))
		b.post(path, good).is(http.StatusRequestEntityTooLarge).setsNoCookie()
	}
	b.post("/auth/sign-in", url.Values{"email": {email}, "password": {secret}}).is(http.StatusUnauthorized)
}

func TestMethodsAndOtherSitesAtSetupAndLinks(t *testing.T) {
	s, office, code := newFileSite(t, wide)
	token := reset(office, s.browser(firefox).signUp())
	b := s.browser(iphone)
	for path, fields := range map[string]url.Values{
		"/auth/setup":      {"code": {code.Reveal()}, "email": {"eve@example.com"}, "password": {secret}},
		"/auth/link/reset": {"token": {token}, "new_password": {renewed}},
	} {
		for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"} {
			page := b.send(httptest.NewRequest(method, path+"?"+fields.Encode(), nil)).is(http.StatusMethodNotAllowed)
			if got := page.Header().Get("Allow"); got != "GET, HEAD, POST" {
				t.Errorf("%s %s: Allow is %q", method, path, got)
			}
		}
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			b.send(httptest.NewRequest(method, path+"?"+fields.Encode(), nil)).is(200).setsNoCookie()
		}
		r := request(path, fields)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		b.send(r).is(http.StatusForbidden).setsNoCookie()
		b.post(path, fields).is(http.StatusSeeOther) // all that did nothing
		b = s.browser(iphone)
	}
}
