package conformance

import (
	"fmt"
	"net/http"
	"net/url"
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
			before := b.cookie
			apps := []edit{set("X-Forwarded-Host", "one.example"), set("X-Forwarded-Host", "two.example")}
			socket := []edit{set("Connection", "Upgrade"), set("Upgrade", "websocket"), set("Sec-WebSocket-Version", "13")}
			for _, app := range apps {
				b.do("GET", "/check", "", app).is(http.StatusOK)
			}
			cleared := leave(b).header["Set-Cookie"]
			if len(cleared) != 1 || !strings.HasPrefix(cleared[0], cookieName+"=;") ||
				!strings.Contains(cleared[0], "; Path=/;") || !strings.Contains(cleared[0], "; Max-Age=0;") || strings.Contains(cleared[0], "Domain") {
				t.Errorf("cleared by %q", cleared)
			}
			replay := b.with(before)
			replay.lives(false)
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
	first, email := c.member(t)
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
	var mu sync.Mutex // guards cookies
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			b := c.browser(t)
			in := object("email", email, "password", goodPassword)
			for b.do("POST", "/v1/sign-in", in).status == http.StatusTooManyRequests { // ten are looked at together
			}
			mu.Lock()
			defer mu.Unlock()
			cookies = append(cookies, b.cookie)
		})
	}
	all.Wait()
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
	b, _ := sharedHouse(t).member(t)
	for _, page := range []string{"/account", "/account/sessions"} {
		if text := b.do("GET", page, "").is(http.StatusOK).text; !strings.Contains(text, `<form method="post" action="/auth/sign-out">`) {
			t.Errorf("%s has no way to sign out", page)
		}
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
