package conformance

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRow032And042SignOutEndsTheSessionForEverything(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	_, email := h.member(t)
	for name, leave := range waysOut {
		t.Run(name, func(t *testing.T) {
			b := h.signIn(t, email)
			before, phone := *b, h.script(t, email)
			before.renew().is(http.StatusOK)
			apps := []edit{set("X-Forwarded-Host", "one.example"), set("X-Forwarded-Host", "two.example")}
			socket := []edit{set("Connection", "Upgrade"), set("Upgrade", "websocket"), set("Sec-WebSocket-Version", "13")}
			for _, app := range apps {
				b.do("GET", "/check", "", app).is(http.StatusOK)
			}
			cleared := leave(b).header["Set-Cookie"]
			if len(cleared) != 2 || !strings.HasPrefix(cleared[0], cookieName+"=;") ||
				!strings.Contains(cleared[0], "; Path=/;") || !strings.Contains(cleared[0], "; Max-Age=0;") || strings.Contains(cleared[0], "Domain") ||
				!strings.HasPrefix(cleared[1], refreshName+"=; Path=/auth/v1/session/renew; Max-Age=0;") {
				t.Errorf("cleared by %q", cleared)
			}
			replay := &before
			replay.lives(false)
			replay.renew().refuses(http.StatusUnauthorized)
			phone.bearer(http.StatusOK) // another session
			for _, app := range apps {
				replay.do("GET", "/check", "", app).refuses(http.StatusUnauthorized)
			}
			replay.do("GET", "/check", "", socket...).refuses(http.StatusUnauthorized)
			replay.do("POST", "/v1/reauthenticate", object("password", goodPassword)).refuses(http.StatusUnauthorized)
			replay.do("DELETE", "/v1/sessions", "").refuses(http.StatusUnauthorized)
		})
	}
}

func TestRow033ARevocationHoldsAtOnce(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	for range 5 {
		other := h.signIn(t, email)
		id := other.sessionID()
		stop := busy(other)
		b.do("DELETE", "/v1/sessions/"+id, "").is(http.StatusNoContent)
		for range 20 {
			if a := other.do("GET", "/check", ""); a.status != http.StatusUnauthorized {
				t.Errorf("a check after the revocation: %d", a.status)
			}
		}
		stop()
	}
}

// busy has the session checked without rest, so that it is answered from memory,
// until stop returns.
func busy(b *browser) (stop func()) {
	var all sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		all.Go(func() {
			asking := b.with(b.cookie)
			for {
				select {
				case <-done:
					return
				default:
					asking.do("GET", "/check", "")
				}
			}
		})
	}
	return func() { close(done); all.Wait() }
}

func TestRow037TheDeviceListShowsAllAndNoToken(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	other := h.browser(t)
	const agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
	other.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword), set("User-Agent", agent)).is(http.StatusOK)
	list := b.do("GET", "/v1/sessions", "").is(http.StatusOK)
	sessions, _ := list.json("sessions").([]any)
	if len(sessions) != 2 {
		t.Fatalf("%d sessions: %s", len(sessions), list.text)
	}
	first, _ := sessions[0].(map[string]any)
	for _, key := range []string{"id", "created_at", "last_seen_at", "expires_at", "client", "current"} {
		if first[key] == nil {
			t.Errorf("the list does not say %s: %s", key, list.text)
		}
	}
	for _, s := range sessions {
		s, _ := s.(map[string]any)
		if s["current"] != (s["id"] == b.sessionID()) {
			t.Errorf("current: %v", s)
		}
		client, _ := s["client"].(map[string]any)
		if client["address"] != "127.0.0.1" || s["id"] == other.sessionID() && (client["browser"] != "Firefox" || client["os"] != "Windows") {
			t.Errorf("client: %v", client)
		}
	}
	shown := b.do("GET", "/account/sessions", "").is(http.StatusOK).text
	if !strings.Contains(shown, "Firefox on Windows") || !strings.Contains(shown, "This device") || !strings.Contains(shown, other.sessionID()) {
		t.Error("the page does not show the other device, and a way to end it")
	}
	for _, said := range []string{list.text, shown} {
		if strings.Contains(said, tag) || strings.Contains(said, other.cookie[len(tag):tokenLen-6]) {
			t.Error("a token is shown")
		}
	}
	b.do("DELETE", "/v1/sessions/"+other.sessionID(), "").is(http.StatusNoContent)
	other.lives(false)
	b.lives(true)
}

func TestRow038AnotherPersonsSessionIsNotThere(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	victim, _ := h.member(t)
	attacker, _ := h.member(t)
	id := victim.sessionID()
	nothing := attacker.do("DELETE", "/v1/sessions/"+strings.Repeat("a", len(id)), "").refuses(http.StatusNotFound)
	if a := attacker.do("DELETE", "/v1/sessions/"+id, "").refuses(http.StatusNotFound); a.text != nothing.text {
		t.Errorf("one that is somebody's is refused by %s, one that is not by %s", a.text, nothing.text)
	}
	attacker.do("DELETE", "/v1/sessions/"+id+"?strict=true", "").refuses(http.StatusNotFound)
	for _, method := range []string{"GET", "PATCH", "PUT"} {
		attacker.do(method, "/v1/sessions/"+id, "").refuses(http.StatusMethodNotAllowed)
	}
	token := url.Values{"form_token": {attacker.formToken("/account")}}
	attacker.form("/account/sessions/"+id+"/revoke", token).refuses(http.StatusNotFound)
	attacker.do("DELETE", "/v1/sessions", "").is(http.StatusNoContent)
	attacker.do("DELETE", "/v1/sessions?all=true", "").is(http.StatusNoContent)
	attacker.lives(false)
	victim.lives(true)
}

func TestRow039And127NoMoreSessionsThanTheLimitAndTheLongestUnusedEnds(t *testing.T) {
	t.Parallel()
	const limit = 100
	c := newClockwork(t)
	admin := c.administrator(t)
	first, email := c.member(t)
	id := first.accountID()
	unused := []string{first.cookie}
	for range 9 {
		unused = append(unused, c.signIn(t, email).cookie)
	}
	used := c.signIn(t, email)
	c.ahead(time.Hour)
	used.at(c.house).do("GET", "/check", "").is(http.StatusOK)
	c.ahead(2 * time.Hour)
	var cookies []string
	for range limit - 1 {
		cookies = append(cookies, c.signIn(t, email).cookie)
	}
	b := c.browser(t)
	for _, cookie := range append(cookies, used.cookie) {
		b.with(cookie).do("GET", "/v1/session", "").is(http.StatusOK)
	}
	for _, cookie := range unused {
		b.with(cookie).do("GET", "/v1/session", "").is(http.StatusUnauthorized)
	}
	admin = admin.at(c.house)
	admin.reauthenticate()
	most := admin.watchSessions(id)
	cookies = append(cookies, signInTogether(t, c.house, email, 50)...)
	// The list has two pages: what moves from one to the other meanwhile may be missed.
	if most := most(); most > limit || most < limit-5 {
		t.Errorf("%d sessions lived at a time, with a limit of %d", most, limit)
	}
	live := 0
	for _, cookie := range append(cookies, used.cookie) {
		if b.with(cookie).do("GET", "/v1/session", "").status == http.StatusOK {
			live++
		}
	}
	if live != limit {
		t.Errorf("%d of %d sessions live, with a limit of %d", live, len(cookies)+1, limit)
	}
}

// signInTogether signs in many times at once, each until it has succeeded, and
// returns the cookies. Only for a while, and saying when to come again, may the
// server have no time for one.
func signInTogether(t *testing.T, h *house, email string, many int) (cookies []string) {
	t.Helper()
	var mu sync.Mutex // guards cookies and refused
	var refused []string
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			b := h.browser(t)
			a := b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword))
			for range 200 {
				busy := a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable
				if !busy || a.header.Get("Retry-After") == "" {
					break
				}
				time.Sleep(20 * time.Millisecond)
				a = b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword))
			}
			mu.Lock()
			defer mu.Unlock()
			if a.status == http.StatusOK {
				cookies = append(cookies, b.cookie)
			} else {
				refused = append(refused, fmt.Sprint(a.status, " ", a.text))
			}
		})
	}
	all.Wait()
	if len(cookies) != many {
		t.Errorf("%d of %d right sign-ins succeeded; the others: %q", len(cookies), many, refused)
	}
	return cookies
}

// watchSessions counts an account's sessions without rest. What it returns ends
// that, and says how many lived at a time at most.
func (b *browser) watchSessions(id string) (most func() int) {
	b.t.Helper()
	done, counted := make(chan struct{}), make(chan int)
	looked := 0
	go func() {
		defer close(counted) // also if looking fails
		highest := 0
		for {
			highest = max(highest, b.countSessions(id))
			looked++
			select {
			case <-done:
				counted <- highest
				return
			default:
			}
		}
	}()
	return func() int {
		close(done)
		highest := <-counted
		if looked < 3 {
			b.t.Errorf("looked %d times only", looked)
		}
		return highest
	}
}

// countSessions follows the pages of the list. The newest stand first, so that
// what is added meanwhile stands on no page that is still to come.
func (b *browser) countSessions(id string) (n int) {
	next := ""
	for {
		a := b.do("GET", "/v1/admin/accounts/"+id+"/sessions"+next, "").is(http.StatusOK)
		list, _ := a.json("sessions").([]any)
		n += len(list)
		after, more := a.json("next").(string)
		if !more {
			return n
		}
		next = "?after=" + url.QueryEscape(after)
	}
}

func TestRow127OfManySignUpsWithOneAddressOneSucceeds(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	email := newEmail()
	var mu sync.Mutex // guards statuses
	statuses := map[int]int{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			a := h.browser(t).do("POST", "/v1/sign-up", object("email", email, "password", goodPassword))
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
		})
	}
	all.Wait()
	if statuses[http.StatusCreated] != 1 || statuses[http.StatusCreated]+statuses[http.StatusConflict] != 20 {
		t.Errorf("statuses: %v", statuses)
	}
}

func TestRow040EveryPageOfAMemberHasSignOut(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	b, email := h.member(t)
	for range 60 { // so that the lists have more pages than one
		b.reauthenticate()
	}
	earlier := regexp.MustCompile(`/auth(/account/activity\?after=[^"]+)`).FindStringSubmatch(b.do("GET", "/account/activity", "").text)
	if earlier == nil {
		t.Fatal("the activity has one page")
	}
	members := 0
	for _, page := range append([]string{earlier[1], "/account?done", "/account/sessions?page=1"}, pages...) {
		a, stranger := b.do("GET", page, ""), h.browser(t).do("GET", page, "")
		private := a.status == http.StatusOK && (stranger.status != http.StatusOK || strings.Contains(a.text, email))
		if !private || strings.HasPrefix(page, "/reauthenticate") { // which leads back to one that has it
			continue
		}
		members++
		if !regexp.MustCompile(`<form method="post" action="/auth/sign-out">\s*<input type="hidden" name="form_token" value="[^"]+">`).MatchString(a.text) {
			t.Errorf("%s has no way to sign out", page)
		}
	}
	if members < 8 {
		t.Errorf("only %d pages show who is signed in", members)
	}
}

func TestRow041SignOutClearsWhatTheBrowserKept(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	for name, leave := range waysOut {
		if got := fmt.Sprint(leave(h.signIn(t, email)).header["Clear-Site-Data"]); got != `["cache", "storage"]` {
			t.Errorf("%s: Clear-Site-Data: %s", name, got)
		}
	}
	if got := b.do("GET", "/account", "").is(http.StatusOK).header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("going back may show what was private: Cache-Control: %s", got)
	}
}
