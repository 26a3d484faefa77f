package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestRow079AnUnknownAccountIsRefusedLikeAWrongPassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, email := h.member(t)
	for way, try := range map[string]func(email string) answer{
		"API": func(email string) answer {
			return h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", wrongAnswer))
		},
		"page": func(email string) answer {
			a := h.browser(t).form("/sign-in", map[string][]string{"email": {email}, "password": {wrongAnswer}})
			one := nonce.FindStringSubmatch(a.header.Get("Content-Security-Policy"))
			a.text = strings.NewReplacer(one[1], "NONCE", email, "EMAIL").Replace(a.text)
			a.header.Set("Content-Security-Policy", strings.ReplaceAll(a.header.Get("Content-Security-Policy"), one[1], "NONCE"))
			return a
		},
	} {
		wrong := try(email).refuses(http.StatusUnauthorized)
		for _, unknown := range []string{newEmail(), strings.Repeat("x", len(email)-12) + "@example.com"} {
			a := try(unknown)
			a.header.Set("Date", wrong.header.Get("Date"))
			if a.status != wrong.status || a.text != wrong.text || fmt.Sprint(a.header) != fmt.Sprint(wrong.header) {
				t.Errorf("%s: an unknown account is answered\n%d %v %s\na wrong password\n%d %v %s", way, a.status, a.header, a.text, wrong.status, wrong.header, wrong.text)
			}
		}
	}
}

func TestRow118ForwardedHeadersAreIgnored(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	forged := []edit{
		set("X-Forwarded-For", "203.0.113.9"), set("X-Real-IP", "203.0.113.9"), set("True-Client-IP", "203.0.113.9"),
		set("Forwarded", `for=203.0.113.9;host=evil.example;proto=https`), set("X-Forwarded-Host", "evil.example"),
		set("X-Forwarded-Proto", "https"), set("X-Forwarded-Uri", "/auth/v1/session"), set("X-Forwarded-Method", "GET"),
		set("X-Forwarded-Prefix", "/evil"), set("X-Original-URL", "/auth/check"), set("X-Rewrite-URL", "/auth/check"),
	}
	_, email := h.member(t)
	b := h.browser(t)
	b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword), forged...).is(http.StatusOK)
	if list := b.do("GET", "/v1/sessions", "", forged...).is(http.StatusOK).text; strings.Contains(list, "203.0.113.9") || strings.Count(list, "127.0.0.1") != 2 {
		t.Errorf("the address was forged: %s", list)
	}
	for _, path := range []string{"/account", "/check", "/"} {
		plain, a := h.browser(t).do("GET", path, ""), h.browser(t).do("GET", path, "", forged...)
		if a.status != plain.status || a.header.Get("Location") != plain.header.Get("Location") || strings.Contains(fmt.Sprint(a.header)+a.text, "evil") {
			t.Errorf("%s: %d to %q, and without forged headers %d to %q", path, a.status, a.header.Get("Location"), plain.status, plain.header.Get("Location"))
		}
	}
	h.browser(t).do("GET", "/nothing", "", forged...).is(http.StatusNotFound)
	// Nor does it help to say of each guess that it comes from somewhere else.
	cheap := open(t, driven, "--cheap")
	admitted := 0
	for i := range sprayAtOnce + 40 {
		from := set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i))
		a := cheap.browser(t).do("POST", "/v1/sign-in", object("email", newEmail(), "password", wrongAnswer), from, set("X-Real-IP", fmt.Sprintf("203.0.113.%d", i)))
		if a.status == http.StatusUnauthorized {
			admitted++
		}
	}
	if admitted > sprayAtOnce+10 { // one more in each four seconds
		t.Errorf("%d guesses were admitted from one address that called itself many", admitted)
	}
	b.do("POST", "/v1/sign-out", "", append(forged, set("Sec-Fetch-Site"), set("Origin", "https://evil.example"))...).refuses(http.StatusForbidden)
}

func TestRow076And118ATrustedProxySaysWhoAsks(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap", "--proxies.trusted=127.7.0.1,127.7.0.2")
	_, email := h.member(t)
	seenAs := func(peer string, forwarded ...string) string {
		t.Helper()
		b := h.browser(t).from(peer)
		b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword), set("X-Forwarded-For", forwarded...)).is(http.StatusOK)
		for _, s := range b.do("GET", "/v1/sessions", "").is(http.StatusOK).json("sessions").([]any) {
			if s, _ := s.(map[string]any); s["current"] == true {
				client, _ := s["client"].(map[string]any)
				return fmt.Sprint(client["address"])
			}
		}
		return "nobody"
	}
	for _, c := range []struct {
		peer, want string
		forwarded  []string
	}{
		{"127.7.0.1", "203.0.113.9", []string{"203.0.113.9"}},
		{"127.7.0.1", "203.0.113.9", []string{"198.51.100.1, 203.0.113.9"}}, // the first is the client's own word
		{"127.7.0.1", "203.0.113.9", []string{"198.51.100.1, 203.0.113.9, 127.7.0.2"}},
		{"127.7.0.1", "203.0.113.9", []string{"198.51.100.1", "203.0.113.9"}},
		{"127.7.0.3", "127.7.0.3", []string{"203.0.113.9"}}, // is nobody's proxy
	} {
		if got := seenAs(c.peer, c.forwarded...); got != c.want {
			t.Errorf("from %s, forwarded for %q, it is %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
	for i := range 30 { // many clients of one proxy, at one account
		a := h.browser(t).from("127.7.0.1").do("POST", "/v1/sign-in", object("email", email, "password", wrongAnswer), set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i)))
		if i < guessesAtOnce {
			a.refuses(http.StatusUnauthorized)
		} else {
			a.throttled()
		}
	}
}

func TestRow119IdentityHeadersAreAlwaysSaid(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, _ := h.member(t)
	id := b.do("GET", "/v1/session", "").word("account.id")
	var forged []edit
	for _, name := range []string{"Remote-User", "Remote_User", "Remote-Name", "Remote-Email", "Remote-Groups", "X-Session-Id", "X-Session-Level"} {
		forged = append(forged, set(name, "admin", "admin"))
	}
	a := b.do("GET", "/check", "", forged...).is(http.StatusOK)
	for name, want := range map[string]string{
		"Remote-User": id, "Remote-Name": "", "Remote-Email": "", "Remote-Groups": "", "X-Session-Level": "1", "X-Session-Id": b.sessionID(),
	} {
		if got := a.header[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	refused := h.browser(t).do("GET", "/check", "", forged...).refuses(http.StatusUnauthorized)
	if strings.Contains(fmt.Sprint(refused.header), "admin") || strings.Contains(fmt.Sprint(a.header), "admin") {
		t.Error("what a client sent comes back")
	}
}

func TestRow120APathHasOneSpelling(t *testing.T) {
	t.Parallel()
	b, email := sharedHouse(t).member(t)
	refused := func(path string, status int) {
		t.Helper()
		a := b.to("GET", path, "").refuses(status)
		if strings.Contains(a.text, email) || a.header["Remote-User"] != nil {
			t.Errorf("%s: %v %.100s", path, a.header, a.text)
		}
	}
	for _, path := range []string{
		"/auth/v1//session", "/auth//v1/session", "//auth/v1/session", "/auth/v1/./session", "/auth/v1/x/../session", "/auth/v1/%2e/session",
		"/auth/v1/x/%2e%2e/session", "/auth/v1%2fsession", "/auth/v1/session/", "/auth/v1/session/.", "/auth/V1/session", "/AUTH/v1/session",
		"/auth/v1/Session", "/auth/v1/session%20", "/auth/v1/session%00", "/auth/v1/session.json", "/auth/v1/session;a=b", "/auth/v1\\session",
		"/auth/./check", "/auth//check", "/auth/CHECK", "/auth/x/../check", "/auth/checks", "/v1/session", "/auth/account/../v1/session", "/auth/v1/session%2f..%2fsessions",
	} {
		refused(path, http.StatusNotFound)
	}
	// What stands behind a check would be the name of a policy, and lets nobody in
	// if there is none: a proxy must not take the answer for a failure of its own.
	for _, path := range []string{
		"/auth/check/", "/auth/check/admin", "/auth/%63heck/x", "/auth/check/x/..", "/auth/check/.", "/auth/forward/", "/auth/forward/x", "/auth/check/%2e%2e/check",
	} {
		refused(path, http.StatusForbidden)
	}
	for _, path := range []string{"/auth/v1/session?x=1", "/auth/v1/%73ession"} { // decoded once, they are the one spelling
		b.to("GET", path, "").is(http.StatusOK)
	}
}

func TestRow123OnlyListedFieldsAreReadAndShown(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	for _, key := range []string{"role", "roles", "email_verified", "tenant_id", "aal", "id", "status", "is_admin", "created_at", "attributes", "__proto__"} {
		body := `{"email":"` + newEmail() + `","password":"` + goodPassword + `","` + key + `":true}`
		h.browser(t).do("POST", "/v1/sign-up", body).refuses(http.StatusUnprocessableEntity)
		h.browser(t).do("POST", "/v1/sign-in", `{"email":"`+email+`","password":"`+goodPassword+`","`+key+`":true}`).refuses(http.StatusUnprocessableEntity)
	}
	page := map[string][]string{"email": {newEmail()}, "password": {goodPassword}, "roles": {"admin"}, "email_verified": {"true"}}
	visitor := h.browser(t)
	visitor.form("/sign-up", page).is(http.StatusSeeOther)
	for _, who := range []*browser{b, visitor} {
		shown := who.do("GET", "/v1/session", "").is(http.StatusOK)
		if shown.json("account.email_verified") != false || len(shown.json("account.roles").([]any)) != 0 {
			t.Errorf("written: %s", shown.text)
		}
		for _, a := range []answer{shown, who.do("GET", "/v1/sessions", "").is(http.StatusOK)} {
			for _, secret := range []string{"hash", "argon2", "epoch", "token", tag, access, refresh, "password\":"} {
				// When the token ends is listed, and no secret.
				if strings.Contains(strings.ReplaceAll(a.text, `"token_expires_at"`, ""), secret) {
					t.Errorf("%s shows %s: %s", a.asked, secret, a.text)
				}
			}
		}
	}
}

func TestRow126WhatCanBeReadInTwoWaysIsRefused(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	for name, head := range map[string]string{
		"two lengths":           "Content-Length: 4\r\nContent-Length: 5\r\n",
		"a space in the name":   "Transfer-Encoding : chunked\r\n",
		"an unknown encoding":   "Transfer-Encoding: gzip\r\n",
		"two hosts":             "Host: a\r\nHost: b\r\n",
		"a control in a header": "X-A: b\x00\r\n",
		"a bare return":         "X-A: b\rX-C: d\r\n",
		"no colon":              "X-A\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", h.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			const smuggled = "GET /auth/v1/session HTTP/1.1\r\nHost: localhost\r\n\r\n"
			_, _ = io.WriteString(c, "POST /auth/v1/sign-out HTTP/1.1\r\nHost: "+h.addr+"\r\n"+head+"\r\n0\r\n\r\n"+smuggled)
			in := bufio.NewReader(c)
			r, err := http.ReadResponse(in, nil)
			if err != nil {
				return // closed without an answer is a refusal, too
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_ = r.Body.Close()
			if r.StatusCode < 400 || !r.Close {
				t.Errorf("status %d, closed %v", r.StatusCode, r.Close)
			}
			if _, err := http.ReadResponse(in, nil); err == nil {
				t.Error("what came behind was answered, too")
			}
		})
	}
}

func TestRow129NothingIsShownThatIsForOperators(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, _ := h.member(t)
	for _, base := range []string{"", "/auth"} {
		for _, path := range []string{
			"/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/metrics", "/healthz", "/readyz", "/.git/config", "/.env", "/cloakroom.db",
			"/server-status", "/actuator", "/swagger-ui/", "/assets/", "/assets/../web.go",
		} {
			b.to("GET", base+path, "").is(http.StatusNotFound)
		}
	}
	seen, _ := tour(t)
	for _, a := range seen {
		for _, name := range []string{"Server", "X-Powered-By", "Via", "X-Version"} {
			if a.header[name] != nil {
				t.Errorf("%s: %s: %s", a.asked, name, a.header[name])
			}
		}
		if strings.Contains(a.text, "go1.") || strings.Contains(a.text, "goroutine ") {
			t.Errorf("%s tells what the server is made of: %s", a.asked, a.text)
		}
	}
}

func TestRow132WhatClientsSayCannotForgeTheRecord(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	b, email := h.member(t)
	long := strings.Repeat("long ", 5000)
	for _, agent := range []string{"line\u2028separator", "{\"level\":\"INFO\"} time=2026-01-01 level=ERROR", "\u202etfel", "\x85next", long} {
		h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", goodPassword), set("User-Agent", agent)).is(http.StatusOK)
		h.browser(t).do("POST", "/v1/sign-in", object("email", newEmail(), "password", wrongAnswer), set("User-Agent", agent)).refuses(http.StatusUnauthorized)
		h.browser(t).do("GET", "/"+url.PathEscape(agent[:min(len(agent), 4000)]), "")
	}
	b.lives(true) // what was said does not break the lists it stands in
	b.do("GET", "/account/sessions", "").is(http.StatusOK)
	if err := h.stop(); err != nil { // what is counted is written by then
		t.Fatal(err)
	}
	said := strings.Split(strings.TrimSuffix(h.log.String(), "\n"), "\n")
	for _, line := range said {
		if !strings.HasPrefix(line, "time=") || len(line) > 4000 {
			t.Errorf("a line of the log is %.200q", line)
		}
	}
	_, db := h.copied(t)
	rows, err := db.Query("SELECT user_agent || detail || address FROM cloakroom_audit")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	entries := 0
	for ; rows.Next(); entries++ {
		var agent string
		if err := rows.Scan(&agent); err != nil {
			t.Fatal(err)
		}
		if len(agent) > 1024 {
			t.Errorf("%d bytes of what a client says are kept", len(agent))
		}
		said = append(said, agent)
	}
	if entries < 8 || rows.Err() != nil {
		t.Errorf("%d entries, %v", entries, rows.Err())
	}
	for _, text := range said {
		if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x2028 || r == 0x202e || r == 0x85 || r == 0xfffd }); i >= 0 {
			t.Errorf("a control character is passed on: %.40q", text[i:])
		}
	}
}

func TestRow135AnotherAddressOrBrowserDoesNotEndASession(t *testing.T) {
	t.Parallel()
	b, _ := sharedHouse(t).member(t)
	moved := b.from("127.5.0.7")
	moved.do("GET", "/check", "", set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X)")).is(http.StatusOK)
	moved.lives(true)
	b.lives(true)
}
