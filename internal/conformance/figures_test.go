package conformance

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/factor/password"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// figures are the values of all limits that there are, by the names that they
// have on the page: measured at a server or, where that cannot be, from the code.
func figures(t *testing.T) map[string]string {
	t.Helper()
	h := open(t, driven, "--cheap")
	admin := h.administrator(t)
	slow := make(chan time.Duration, 1)
	go func() { slow <- h.patience("GET /auth/v1/session HTTP/1.1\r\nHost: " + h.addr + "\r\n") }()
	all := map[string]string{}
	for _, measure := range []func(*testing.T, *browser) map[string]string{
		sessionFigures, cookieFigures, passwordFigures, guessFigures, linkFigures, accountFigures, requestFigures, recordFigures,
	} {
		maps.Copy(all, measure(t, admin))
	}
	all["the time for the headers"] = inWords((<-slow).Truncate(time.Second)) // it comes late, and never early
	return all
}

// patience is how long the server waits for the rest of what it was sent.
func (h *house) patience(part string) time.Duration {
	begun := time.Now()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		return 0
	}
	defer c.Close()
	_ = c.SetDeadline(begun.Add(time.Minute))
	_, _ = io.WriteString(c, part)
	_, _ = io.Copy(io.Discard, c) // until it is closed
	return time.Since(begun)
}

// edge is a limit that holds: n if that much is taken and one more refused.
func edge(n int, try func(n int) (status int)) string {
	if at, beyond := try(n), try(n+1); at >= 300 || beyond != http.StatusUnprocessableEntity && beyond != http.StatusRequestEntityTooLarge {
		return fmt.Sprintf("not %d: that is answered %d, and one more %d", n, at, beyond)
	}
	return strconv.Itoa(n)
}

func sessionFigures(t *testing.T, admin *browser) map[string]string {
	set := settings(t)
	b, _ := admin.member(t)
	a := b.do("GET", "/v1/session", "").is(http.StatusOK)
	begun := a.when("session.authenticated_at")
	return map[string]string{
		"a session that is not used":                          inWords(a.when("session.idle_expires_at").Sub(begun)),
		"a session since the password was last given":         inWords(a.when("session.expires_at").Sub(begun)),
		"a token, until it is renewed":                        inWords(a.when("session.token_expires_at").Sub(begun)),
		"the sessions' old tokens, once the new one was used": timeInSource(t, "session/renew.go", `renewalGrace =`),
		"sessions of an account":                              set["sessions.per_account"], // and see row 39
		"a recent sign-in":                                    recentSignIn(t),
		"a recent sign-in that a policy asks for, at least":   leastRecent(t),
		"the record of an ended session":                      inWords(session.SweepAfter),
		"the memory of the sessions in use":                   strings.Replace(set["sessions.cache"], "MiB", " MiB", 1),
		"an entry of the audit":                               strings.TrimSuffix(set["audit.retention"], "d") + " days",
		"bytes of a session's own data":                       strconv.Itoa(session.MaxData),
		"requests in flight when the server stops":            timeInSource(t, "internal/server/run.go", `drainTime =`),
		"the time for a request":                              timeInSource(t, "internal/server/run.go", `\bReadTimeout:`),
		"the time for an answer":                              timeInSource(t, "internal/server/run.go", `WriteTimeout:`),
		"a connection that is not used":                       timeInSource(t, "internal/server/run.go", `IdleTimeout:`),
		"entries of refused attempts":                         refusedEntries(t),
		"passwords that one account or network has hashed in a minute before others go first": inSource(t, "internal/factor/password/pool.go", `mostTurns\s*= (\d+)`)[0],
	}
}

// recentSignIn is 15 minutes if somebody who signed in a little less ago may sign
// another device out, and a little more ago may not.
func recentSignIn(t *testing.T) string {
	t.Helper()
	const documented = 15 * time.Minute
	c := newClockwork(t)
	b, _ := c.member(t)
	c.ahead(documented - 30*time.Second)
	within := b.at(c.house).do("DELETE", "/v1/sessions", "").status
	c.ahead(documented + time.Second)
	if beyond := b.at(c.house).do("DELETE", "/v1/sessions", "").status; within != http.StatusNoContent || beyond != http.StatusForbidden {
		return fmt.Sprintf("not %v: %d within, %d beyond", documented, within, beyond)
	}
	return inWords(documented)
}

// leastRecent is a minute if a policy may ask for that, and for no less.
func leastRecent(t *testing.T) string {
	t.Helper()
	_, taken := operate(t, "config", "check", "--policies={a: {recent: 1m}}")
	_, refused := operate(t, "config", "check", "--policies={a: {recent: 59s}}")
	if taken != nil || refused == nil {
		return fmt.Sprint("not 1 minute: ", taken, refused)
	}
	return inWords(time.Minute)
}

func refusedEntries(t *testing.T) string {
	t.Helper()
	const file = "internal/audit/refusals.go"
	return inSource(t, file, `maxAtOnce\s*= (\d+)`)[0] + " at once, then " + inSource(t, file, `entryEvery\s*= time\.Hour / (\d+)`)[0] + " in an hour"
}

func cookieFigures(t *testing.T, admin *browser) map[string]string {
	_, email := admin.member(t)
	in := admin.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)).is(http.StatusOK)
	kept := admin.browser(t).do("POST", "/v1/sign-in", `{"email":"`+email+`","password":"`+goodPassword+`","remember":true}`).is(http.StatusOK)
	used := admin.browser(t).useLink("reset", admin.issueLink(newVictim(admin).account, "reset"), newPassword).is(http.StatusSeeOther)
	lives, longest := map[string]string{}, 0
	for _, a := range []answer{in, used} {
		for _, c := range (&http.Response{Header: a.header}).Cookies() {
			lives[c.Name] = inWords(time.Duration(c.MaxAge) * time.Second)
			if c.MaxAge == 0 && c.RawExpires == "" {
				lives[c.Name] = "until the browser closes"
			}
			longest = max(longest, len(c.Name)+len(c.Value))
		}
	}
	token, _ := in.handedOut()
	return map[string]string{
		"the session cookie":                         lives[cookieName],
		"the session cookie, when asked to stay":     inWords(maxAge(t, kept)),
		"the cookie that makes a device known":       lives["__Host-device"],
		"the cookie that says what was done":         lives["__Host-notice"],
		"random bits of a session token":             strconv.Itoa(8 * len(secretOf(t, token))),
		"bytes of the longest cookie, with its name": strconv.Itoa(longest),
	}
}

func passwordFigures(t *testing.T, admin *browser) map[string]string {
	const varied = "vqxzjkwpfmbtndghlcsry"
	signUp := func(n int) int {
		text := strings.Repeat(varied, 1+n/len(varied))[:n]
		a, _ := admin.signUp(t, text)
		return a.status
	}
	least := "15"
	if below, at := signUp(14), signUp(15); below != http.StatusUnprocessableEntity || at != http.StatusCreated {
		least = fmt.Sprintf("not 15: 14 are answered %d, 15 %d", below, at)
	}
	p := password.DefaultParams
	const file = "internal/factor/password/password.go"
	inSource(t, file, `(cfg\.Slots = orDefault\(cfg\.Slots, max\(1, runtime\.GOMAXPROCS\(0\)-1\)\))`)
	return map[string]string{
		"characters of a new password, at least":         least,
		"bytes of a password, at most":                   edge(password.MaxBytes, signUp),
		"the cost of a hash":                             fmt.Sprintf("argon2id, %d MiB, %d passes, %d thread", p.Memory>>10, p.Time, p.Threads),
		"passwords that are hashed at a time":            "one less than there are processors, at least 1",
		"sign-ins that wait to be hashed, for each slot": inSource(t, file, `orDefault\(cfg\.Queue, (\d+)\*cfg\.Slots\)`)[0],
		"the wait to be hashed":                          timeInSource(t, file, `orDefault\(cfg\.Wait,`),
	}
}

// rate is how many tries are looked at, as the page writes it: of somebody new
// each time, until they were made within a second, in which none became free.
func rate(somebody func() (try func() answer)) (found string) {
	for range 5 {
		try, begun, n := somebody(), time.Now(), 0
		a := try()
		for ; a.status != http.StatusTooManyRequests && n < 200; n++ {
			a = try()
		}
		found = fmt.Sprintf("%d at once, then 1 in %s s", n, a.header.Get("Retry-After"))
		if time.Since(begun) < time.Second {
			break
		}
	}
	return found
}

func guessFigures(t *testing.T, admin *browser) map[string]string {
	newcomers := 0
	newcomer := func() *browser {
		newcomers++
		return admin.browser(t).from(fmt.Sprintf("127.11.0.%d", newcomers))
	}
	wide := inSource(t, "internal/throttle/throttle.go", `cfg\.Wide\.or\(Limit\{(\d+), (\d+) \* time\.Millisecond\}\)`)
	// Where its own are used up a device counts as a stranger, so that how soon
	// there is another one of its own is not told.
	inSource(t, "internal/throttle/throttle.go", `cfg\.Device\.or\(Limit\{10, time\.(Minute)\}\)`)
	return map[string]string{
		"guesses at an account": rate(func() func() answer {
			b, email := newcomer(), newEmail()
			return func() answer { return guessAt(b, email) }
		}),
		"guesses from a network": rate(func() func() answer {
			b := newcomer()
			return func() answer { return guessAt(b, newEmail()) }
		}),
		"guesses from a known device": rate(func() func() answer {
			b, email := newcomer(), newEmail()
			b.do("POST", "/v1/sign-up", object("email", email, "password", goodPassword)).is(http.StatusCreated)
			known := set("Cookie", b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)).is(http.StatusOK).device())
			for b.cookie = ""; guessAt(b, email).status != http.StatusTooManyRequests; { // nothing is left to a stranger
			}
			return func() answer {
				return b.do("POST", "/v1/sign-in", object("email", email, "password", wrongAnswer), known)
			}
		}),
		"changes of one's own name": rate(func() func() answer {
			b, _ := admin.member(t)
			return func() answer { return b.do("PATCH", "/v1/account", object("name", newEmail())) }
		}),
		"guesses from a wide network": fmt.Sprintf("%s at once, then 1 in %s ms", wide[0], wide[1]),
		"known devices of an account": strconv.Itoa(throttle.MaxDevices),
	}
}

func linkFigures(t *testing.T, admin *browser) map[string]string {
	v := newVictim(admin)
	a := admin.do("POST", "/v1/admin/accounts/"+v.account+"/links", object("kind", "reset")).is(http.StatusCreated)
	database := filepath.Join(t.TempDir(), "cloakroom.db")
	h := reopen(t, driven, database, "--cheap")
	first := h.setupCode(t)
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	h = reopen(t, driven, database, "--cheap")
	second := h.setupCode(t)
	life := "until it is used or the server restarts"
	old := h.browser(t).setUp(first, newEmail()).status
	used, again := h.browser(t).setUp(second, newEmail()).status, h.browser(t).setUp(second, newEmail()).status
	if first == second || old != http.StatusForbidden || used != http.StatusSeeOther || again != http.StatusNotFound {
		life = fmt.Sprint("otherwise: ", old, used, again)
	}
	const bitsOfACharacter = 5 // 32 are used
	return map[string]string{
		"a one-time link":             inWords(time.Until(a.when("expires_at")).Round(time.Minute)),
		"random bits of a link":       strconv.Itoa(8 * len(secretOf(t, tokenOf(a.word("url"))))),
		"a setup code":                life,
		"random bits of a setup code": strconv.Itoa(bitsOfACharacter * len(strings.ReplaceAll(first, "-", ""))),
	}
}

func accountFigures(t *testing.T, admin *browser) map[string]string {
	v := newVictim(admin)
	one := "/v1/admin/accounts/" + v.account
	profile := func(name, roles, attributes string) int {
		version := admin.do("GET", one, "").is(http.StatusOK).word("account.version")
		body := `{"name":"` + name + `","roles":[` + roles + `],"attributes":` + attributes + `,"email_verified":false}`
		return admin.do("PUT", one+"/profile", body, set("If-Match", `"`+version+`"`)).status
	}
	address := func(n int) int {
		label := strings.Repeat("a", 60) + "."
		rest := n - 64 - len("@") - 2*len(label) - len(".example")
		email := newEmail()[:26] + strings.Repeat("b", 64-26) + "@" + label + label + strings.Repeat("c", rest) + ".example"
		return admin.browser(t).do("POST", "/v1/sign-up", object("email", email, "password", goodPassword)).status
	}
	names := func(n int) int { return profile(strings.Repeat("n", n), "", "null") }
	roles := func(n int) int {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`"role-%d"`, i)
		}
		return profile("", strings.Join(list, ","), "null")
	}
	role := func(n int) int { return profile("", `"`+strings.Repeat("r", n)+`"`, "null") }
	attributes := func(n int) int { return profile("", "", `{"a":"`+strings.Repeat("x", n-len(`{"a":""}`))+`"}`) }
	return map[string]string{
		"bytes of an address":     edge(session.MaxEmail, address),
		"bytes of a name":         edge(session.MaxName, names),
		"roles":                   edge(session.MaxRoles, roles),
		"bytes of a role":         edge(session.MaxRole, role),
		"bytes of the attributes": edge(session.MaxAttributes, attributes),
	}
}

func requestFigures(t *testing.T, admin *browser) map[string]string {
	_, email := admin.member(t)
	in := object("email", email, "password", goodPassword)
	body := func(n int) int {
		return admin.browser(t).do("POST", "/v1/sign-in", in+strings.Repeat(" ", n-len(in))).status
	}
	way := func(n int) string {
		form := url.Values{"email": {email}, "password": {goodPassword}, "return_to": {"/" + strings.Repeat("w", n-1)}}
		return admin.browser(t).form("/sign-in", form).is(http.StatusSeeOther).header.Get("Location")
	}
	wayBack := "2048"
	if at, beyond := way(2048), way(2049); len(at) != 2048 || beyond != "/auth/account" {
		wayBack = fmt.Sprintf("not 2048: %.20s, and one more %.20s", at, beyond)
	}
	const most, more = 32 << 10, 4 << 10
	head := func(n int) string {
		begin, end := "GET /auth/v1/session HTTP/1.1\r\nHost: "+admin.addr+"\r\nConnection: close\r\nX-Long: ", "\r\n\r\n"
		return admin.raw(t, begin+strings.Repeat("x", n-len(begin)-len(end))+end)[len("HTTP/1.1 "):][:3]
	}
	headers := strconv.Itoa(most)
	if at, beyond := head(most), head(most+more+1); at != "401" || beyond != "431" {
		headers = fmt.Sprintf("not %d: %s, and beyond %s", most, at, beyond)
	}
	return map[string]string{
		"bytes of a body":          edge(64<<10, body),
		"characters of a way back": wayBack,
		"bytes of the headers":     headers,
	}
}

func recordFigures(t *testing.T, admin *browser) map[string]string {
	_, email := admin.member(t)
	agent := set("User-Agent", strings.Repeat("u", 2000))
	var b *browser
	for range 60 {
		b = admin.browser(t)
		b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword), agent).is(http.StatusOK)
	}
	sessions, _ := b.do("GET", "/v1/sessions", "").is(http.StatusOK).json("sessions").([]any)
	entries, _ := admin.do("GET", "/v1/admin/audit?subject="+b.accountID(), "").is(http.StatusOK).json("entries").([]any)
	accounts, _ := admin.do("GET", "/v1/admin/accounts", "").is(http.StatusOK).json("accounts").([]any)
	page := strconv.Itoa(len(sessions))
	if len(entries) != len(sessions) || len(accounts) > len(sessions) {
		page = fmt.Sprint(len(sessions), len(entries), len(accounts))
	}
	newest, _ := entries[0].(map[string]any)
	kept, _ := newest["user_agent"].(string)
	return map[string]string{
		"entries on a page of a list":         page,
		"bytes of what a client calls itself": strconv.Itoa(len(kept)),
	}
}
