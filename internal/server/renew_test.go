package server

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/session"
)

// shortLived is a server whose tokens live for five seconds, by a clock that a test
// sets.
func shortLived(clock *setClock) func(*Options) {
	return func(o *Options) { clock.options(o); o.Config.Token = "5s" }
}

// passes sets the clock forward by two minutes, which is noticed within a second, and
// in which every token ends and no session.
func (c *setClock) passes() {
	c.off.Add(int64(2 * time.Minute))
	time.Sleep(1200 * time.Millisecond)
}

const renewPath = "/v1/session/renew"

func TestASessionGoesOnByItsRenewals(t *testing.T) {
	t.Parallel()
	clock := new(setClock)
	s := newSite(t, shortLived(clock))
	b := s.browser()
	in := b.do("POST", "/v1/sign-up", credentials("ada@example.com", goodPassword)).is(http.StatusCreated)
	if got := in.header["Set-Cookie"]; len(got) != 3 || !strings.HasPrefix(got[1], refreshName+"=ckr_") ||
		!strings.HasSuffix(got[1], "; Path=/auth/v1/session/renew; Secure; HttpOnly; SameSite=Strict") {
		t.Errorf("cookies %q", got)
	}
	for range 3 {
		id, before := b.sessionID(), *b
		clock.passes()
		for _, path := range []string{"/v1/session", "/check", "/v1/sessions"} {
			b.do("GET", path, "").problem(http.StatusUnauthorized, "token-ended")
		}
		renewed := b.do("POST", renewPath, "").is(http.StatusOK)
		if renewed.at("session.id") != id || b.cookie == before.cookie || b.refresh == before.refresh {
			t.Errorf("%s", renewed.text)
		}
		again := before // a reply that was lost, or another tab
		again.do("POST", renewPath, "").is(http.StatusOK)
		if again.cookie != b.cookie || again.refresh != b.refresh {
			t.Error("the same renewal was answered in two ways")
		}
		b.do("GET", "/check", "").is(http.StatusOK)
	}
	list := b.do("GET", "/v1/sessions", "").is(http.StatusOK).at("sessions").([]any)
	if len(list) != 1 || list[0].(map[string]any)["carrier"] != "cookie" {
		t.Errorf("%v", list)
	}
}

// TestACopiedRefreshTokenBetraysItself is the attack: somebody has copied both cookies,
// and renews after their owner has. Neither is signed in any more, and the owner and
// the record are told.
func TestACopiedRefreshTokenBetraysItself(t *testing.T) {
	t.Parallel()
	clock := new(setClock)
	s := newSite(t, shortLived(clock))
	root := s.admin("root@example.com")
	ada := s.browser().signUp("ada@example.com")
	id := ada.accountID()
	thief := *ada
	clock.passes()
	ada.do("POST", renewPath, "").is(http.StatusOK)
	ada.do("GET", "/check", "").is(http.StatusOK)
	clock.passes()
	thief.do("POST", renewPath, "").problem(http.StatusUnauthorized, "signed-out")
	for _, b := range []*browser{ada, &thief} {
		b.do("GET", "/check", "").problem(http.StatusUnauthorized, "signed-out")
		b.do("POST", renewPath, "").problem(http.StatusUnauthorized, "signed-out")
	}
	again := s.browser().signIn("ada@example.com")
	page := again.do("GET", "/account", "").is(http.StatusOK)
	for _, text := range []string{"Somebody used a copy of your sign-in on one device", "A copied sign-in of one device was used"} {
		if !strings.Contains(page.text, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
	root.signIn("root@example.com") // recent again
	if at := root.account(id).at("account.alerted_at"); at == nil {
		t.Error("the account is not alerted")
	}
	if list := root.do("GET", "/v1/admin/audit?event=session.reused", "").at("entries").([]any); len(list) != 1 {
		t.Errorf("the record: %v", list)
	}
	again.do("POST", "/v1/account/password", change(goodPassword, nextPassword)).is(http.StatusOK)
	if at := root.account(id).at("account.alerted_at"); at != nil {
		t.Errorf("with a new password it is alerted: %v", at)
	}
}

// TestAPlantedRefreshCookieSignsNobodyIn is the attack: a neighbouring host plants the
// refresh cookie of its own session, to have others act in its account.
func TestAPlantedRefreshCookieSignsNobodyIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, eve := s.browser().signUp("ada@example.com"), s.browser().signUp("eve@example.com")
	victim := *ada
	victim.refresh = eve.refresh
	victim.do("POST", renewPath, "").problem(http.StatusUnauthorized, "signed-out")
	visitor := s.browser()
	visitor.refresh = eve.refresh
	visitor.do("POST", renewPath, "").problem(http.StatusUnauthorized, "signed-out")
	both := set("Cookie", cookieName+"="+ada.cookie+"; "+refreshName+"="+eve.refresh+"; "+refreshName+"="+ada.refresh)
	s.browser().do("POST", renewPath, "", both).problem(http.StatusUnauthorized, "signed-out")
	ada.do("POST", renewPath, "", set("Sec-Fetch-Site", "cross-site")).problem(http.StatusForbidden, "origin")
	ada.do("POST", renewPath, "").is(http.StatusOK)
	ada.do("GET", "/check", "").is(http.StatusOK)
}

// TestAClockThatIsSetBackRenewsNothingThatIsOver, and keeps nobody from renewing.
func TestAClockThatIsSetBackRenewsNothingThatIsOver(t *testing.T) {
	t.Parallel()
	clock := new(setClock)
	s := newSite(t, shortLived(clock), func(o *Options) { o.Config.Idle = "10m" })
	ada, eve := s.browser().signUp("ada@example.com"), s.browser().signUp("eve@example.com")
	clock.set(-time.Hour)
	time.Sleep(1200 * time.Millisecond)
	before := *ada
	ada.do("POST", renewPath, "").is(http.StatusOK)
	ada.do("GET", "/check", "").is(http.StatusOK)
	before.do("POST", renewPath, "").is(http.StatusOK) // within its grace
	clock.set(11 * time.Minute)
	time.Sleep(1200 * time.Millisecond)
	eve.do("POST", renewPath, "").problem(http.StatusUnauthorized, "signed-out")
	clock.set(0)
	time.Sleep(1200 * time.Millisecond)
	eve.do("POST", renewPath, "").problem(http.StatusUnauthorized, "signed-out")
	eve.do("GET", "/check", "").is(http.StatusUnauthorized)
}

func TestFiftyRenewalsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.browser().signUp("ada@example.com")
	tabs := make([]browser, 50)
	var all sync.WaitGroup
	for i := range tabs {
		tabs[i] = *ada
		all.Go(func() {
			if a := tabs[i].do("POST", renewPath, ""); a.status != http.StatusOK {
				t.Errorf("%d %s", a.status, a.text)
			}
		})
	}
	all.Wait()
	for _, tab := range tabs {
		if tab.cookie != tabs[0].cookie || tab.refresh != tabs[0].refresh {
			t.Fatal("two live successors")
		}
	}
	tabs[0].do("GET", "/check", "").is(http.StatusOK)
}

// TestNothingIsRenewedAfterItsEnd, however the session ended.
func TestNothingIsRenewedAfterItsEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	for name, end := range map[string]func(*browser){
		"signed out":  func(b *browser) { b.do("POST", "/v1/sign-out", "").is(http.StatusNoContent) },
		"revoked":     func(b *browser) { b.do("DELETE", "/v1/sessions/"+b.sessionID(), "").is(http.StatusNoContent) },
		"all revoked": func(b *browser) { b.do("DELETE", "/v1/sessions?all=true", "").is(http.StatusNoContent) },
		"as another device": func(b *browser) {
			b.browser().signIn("as@example.com").do("DELETE", "/v1/sessions", "").is(http.StatusNoContent)
		},
		"password changed": func(b *browser) {
			b.browser().signIn("password@example.com").do("POST", "/v1/account/password", change(goodPassword, nextPassword)).is(http.StatusOK)
		},
		"disabled": func(b *browser) {
			root.do("PUT", "/v1/admin/accounts/"+b.accountID()+"/status", `{"status":"disabled"}`).is(http.StatusOK)
		},
		"deleted": func(b *browser) {
			root.do("DELETE", "/v1/admin/accounts/"+b.accountID(), "").is(http.StatusNoContent)
		},
		"reauthenticated": func(b *browser) {
			b.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`).is(http.StatusOK)
		},
	} {
		b := s.browser().signUp(strings.Fields(name)[0] + "@example.com")
		before, next := *b, *b
		next.do("POST", renewPath, "").is(http.StatusOK) // and not used yet
		end(b)
		for _, pair := range []*browser{&before, &next} {
			pair.do("POST", renewPath, "").problem(http.StatusUnauthorized, "signed-out")
			pair.do("GET", "/check", "").problem(http.StatusUnauthorized, "signed-out")
			if pair.cookie == "" || pair.refresh == "" {
				t.Errorf("%s: a refused renewal took the cookies away", name)
			}
		}
	}
}

// TestAnOutageOfARenewalLeavesBothCookies, and says so.
func TestAnOutageOfARenewalLeavesBothCookies(t *testing.T) {
	t.Parallel()
	first := newSite(t)
	ada := first.browser().signUp("ada@example.com")
	script := first.browser().do("POST", "/v1/token", credentials("ada@example.com", goodPassword)).is(http.StatusOK)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	store := new(faulty)
	s := newSite(t, func(o *Options) {
		o.Config.Database = "sqlite:" + first.Database()
		o.wrap = func(inner session.Store) session.Store { store.Store = inner; return store }
	})
	b := &browser{site: s, cookie: ada.cookie, refresh: ada.refresh}
	refresh, _ := script.at("refresh_token").(string)
	store.set(failing)
	b.do("POST", renewPath, "").problem(http.StatusServiceUnavailable, "unavailable")
	s.browser().do("POST", "/v1/token/refresh", `{"refresh_token":"`+refresh+`"}`).problem(http.StatusServiceUnavailable, "unavailable")
	s.browser().do("POST", "/v1/token/revoke", `{"token":"`+refresh+`"}`).problem(http.StatusServiceUnavailable, "unavailable")
	b.form("/v1/session/renew", nil).is(http.StatusServiceUnavailable).setsNoCookie()
	store.mend()
	b.do("POST", renewPath, "").is(http.StatusOK)
	b.do("GET", "/check", "").is(http.StatusOK)
	s.browser().do("POST", "/v1/token/refresh", `{"refresh_token":"`+refresh+`"}`).is(http.StatusOK)
}

// TestWhoComesBackGetsToThePage: the token has ended and the session has not. The
// sign-in page has a button, which its script presses.
func TestWhoComesBackGetsToThePage(t *testing.T) {
	t.Parallel()
	clock := new(setClock)
	s := newSite(t, shortLived(clock))
	b := s.browser().signUp("ada@example.com")
	clock.passes()
	const back = "/app/papers?page=2"
	b.do("GET", "/account", "").is(http.StatusSeeOther)
	page := b.do("GET", "/sign-in?return_to="+url.QueryEscape(back), "").is(http.StatusOK).setsNoCookie()
	if !strings.Contains(page.text, "data-at-once") || !strings.Contains(page.text, `action="/auth/v1/session/renew"`) {
		t.Fatalf("it offers no renewal: %s", page.text)
	}
	b.form("/v1/session/renew", url.Values{"return_to": {back}}, set("Sec-Fetch-Site", "cross-site")).is(http.StatusForbidden).setsNoCookie()
	if a := b.form("/v1/session/renew", url.Values{"return_to": {back}}).is(http.StatusSeeOther); a.header.Get("Location") != back {
		t.Errorf("it leads to %q", a.header.Get("Location"))
	}
	b.do("GET", "/account", "").is(http.StatusOK)

	// With nothing to renew the page says so once, and leads nowhere in circles.
	clock.passes()
	b.refresh = ""
	a := b.form("/v1/session/renew", url.Values{"return_to": {"https://evil.example"}}).is(http.StatusSeeOther).setsNoCookie()
	if a.header.Get("Location") != "/auth/sign-in?anew" {
		t.Errorf("it leads to %q", a.header.Get("Location"))
	}
	if page := b.do("GET", "/sign-in?anew", "").is(http.StatusOK); strings.Contains(page.text, "data-at-once") || !strings.Contains(page.text, "password") {
		t.Errorf("%s", page.text)
	}
	// A session that is over is not offered.
	other := s.browser().signIn("ada@example.com")
	other.do("DELETE", "/v1/sessions?all=true", "").is(http.StatusNoContent)
	if page := b.do("GET", "/sign-in", "").is(http.StatusOK); strings.Contains(page.text, "data-at-once") {
		t.Error("a session that is over is offered to be renewed")
	}
}

// form sends a page's form.
func (b *browser) form(path string, fields url.Values, edits ...edit) answer {
	b.t.Helper()
	body := fields.Encode()
	if body == "" {
		body = "a="
	}
	return b.do("POST", path, body, append([]edit{set("Content-Type", "application/x-www-form-urlencoded")}, edits...)...)
}
