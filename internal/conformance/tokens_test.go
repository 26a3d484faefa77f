package conformance

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// The parts of a token: its kind, 256 bits in base64url, and a checksum.
const (
	tag       = "cks_"
	secretLen = 43
	tokenLen  = len(tag) + secretLen + 6
)

// core returns the random part of a token, of a device's cookie or of a link.
func core(token string) string { return token[len(tag) : len(tag)+secretLen] }

// secretOf returns the random bytes of a token, a device's cookie or a link.
func secretOf(t *testing.T, token string) []byte {
	t.Helper()
	session := len(token) == tokenLen && strings.HasPrefix(token, tag)
	other := len(token) == len(tag)+secretLen && (strings.HasPrefix(token, "ckd_") || strings.HasPrefix(token, "ckl_"))
	if !session && !other {
		t.Fatalf("a token of another shape: %d characters", len(token))
	}
	secret, err := base64.RawURLEncoding.DecodeString(core(token))
	if err != nil || len(secret) != 32 {
		t.Fatalf("%d bytes: %v", len(secret), err)
	}
	return secret
}

// manyTokens signs in until there are as many.
func manyTokens(t *testing.T, h *house, many int) (tokens []string) {
	const people = 20
	var mu sync.Mutex // guards tokens
	var all sync.WaitGroup
	for range people {
		all.Go(func() {
			b, email := h.member(t)
			for range many / people {
				b.cookie = ""
				b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)).is(http.StatusOK)
				mu.Lock()
				tokens = append(tokens, b.cookie)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return tokens
}

func TestRow001TokensAreRandom(t *testing.T) {
	t.Parallel()
	const many = 2000
	tokens := manyTokens(t, open(t, driven, "--cheap"), many)
	seen := map[string]bool{}
	var ones [256]int
	uuids := 0
	for _, token := range tokens {
		seen[token] = true
		secret := secretOf(t, token)
		for i := range ones {
			ones[i] += int(secret[i/8] >> (i % 8) & 1)
		}
		if secret[6]>>4 == 4 || secret[6]>>4 == 7 {
			uuids++
		}
	}
	if len(seen) != many {
		t.Errorf("%d different tokens of %d", len(seen), many)
	}
	// Six standard deviations: of 256 bits that are random one goes so far once
	// in two million runs, and one that is not goes much further.
	limit := 6 * math.Sqrt(many) / 2
	for i, n := range ones {
		if math.Abs(float64(n)-many/2) > limit {
			t.Errorf("bit %d is 1 in %d of %d tokens", i, n, many)
		}
	}
	if uuids > many/4 { // an eighth of random bytes look like the version of one
		t.Errorf("%d of %d tokens have the version of a UUID", uuids, many)
	}
}

func TestRow002EveryRequestIsDecidedByALookUp(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	other := h.signIn(t, email)
	other.lives(true)
	b.do("DELETE", "/v1/sessions/"+other.sessionID(), "").is(http.StatusNoContent)
	other.lives(false) // the cookie has not expired
	nobody := h.browser(t)
	for _, claim := range []edit{
		set("Cookie", cookieName+"=5f4dcc3b5aa765d61d8327deb882cf99"), // a key that never changes
		set("Cookie", cookieName+"=true"), set("Cookie", "authenticated=true"), set("Cookie", "user="+email),
		set("X-Authenticated", "1"), set("Remote-User", email), set("X-Forwarded-User", email),
		set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(email+":"+goodPassword))),
	} {
		for _, path := range []string{"/check", "/v1/session", "/v1/sessions"} {
			nobody.do("GET", path, "", claim).refuses(http.StatusUnauthorized)
			nobody.do("GET", path+"?authenticated=true", "", claim).refuses(http.StatusUnauthorized)
		}
		nobody.do("GET", "/account", "", claim).is(http.StatusSeeOther)
	}
}

func TestRow003SignInRenewsTheToken(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	_, email := h.member(t)
	for name, sign := range waysIn(email) {
		t.Run(name, func(t *testing.T) {
			stranger, _ := h.member(t) // whose token was planted
			for _, before := range []string{h.signIn(t, email).cookie, stranger.cookie} {
				b := h.browser(t)
				b.cookie = before
				b.do("GET", "/sign-in", "").is(http.StatusOK)
				sign(b)
				if b.cookie == before || b.cookie == "" {
					t.Errorf("the token stayed the same")
				}
				b.lives(true)
				b.with(before).lives(false)
			}
		})
	}
}

func TestRow004ReauthenticationRenewsTheToken(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	_, email := h.member(t)
	for name, prove := range waysToProve {
		t.Run(name, func(t *testing.T) {
			b := h.signIn(t, email)
			before, id := b.cookie, b.sessionID()
			prove(b)
			if b.cookie == before {
				t.Error("the token stayed the same")
			}
			b.lives(true)
			b.with(before).lives(false)
			if b.sessionID() != id {
				t.Error("it is another session")
			}
		})
	}
}

func TestRow005AnInventedTokenIsNeverAdopted(t *testing.T) {
	t.Parallel()
	h, elsewhere := sharedHouse(t), newHouse(t)
	member, email := h.member(t)
	foreign, _ := elsewhere.member(t)
	foreign.lives(true)
	old := h.signIn(t, email)
	old.do("POST", "/v1/sign-out", "").is(http.StatusNoContent)
	for name, invented := range map[string]string{
		"random":            tag + strings.Repeat("Ab3_", 12) + "x",
		"of another server": foreign.cookie,
		"of another shape":  strings.Repeat("a1", 16),
	} {
		t.Run(name, func(t *testing.T) {
			b := h.browser(t)
			b.cookie = invented
			b.lives(false)
			b.do("GET", "/sign-in", "").is(http.StatusOK)
			if b.cookie != invented {
				t.Error("the page handed out a cookie")
			}
			b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)).is(http.StatusOK)
			if b.cookie == invented {
				t.Error("it was adopted by a sign-in")
			}
			b.with(invented).lives(false)
		})
	}
	member.lives(true)
}

func TestRow006NothingButAnAuthenticationOpensASession(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	_, email := h.member(t)
	nobody := h.browser(t)
	var got []string
	nobody.record = func(a answer) { got = append(got, a.header["Set-Cookie"]...) }
	for _, o := range operations(t, h) {
		for _, body := range []string{"", "{}", object("email", email), object("email", email, "password", wrongAnswer), object("email", newEmail(), "password", "short"), "{"} {
			nobody.cookie = ""
			nobody.do(o.method, o.path, body)
		}
	}
	nobody.do("POST", "/v1/sign-up", object("email", email, "password", goodPassword)).refuses(http.StatusConflict)
	for _, page := range pages {
		nobody.do("GET", page, "")
	}
	for _, act := range acts {
		nobody.form(act, map[string][]string{"email": {email}, "password": {wrongAnswer}})
	}
	for _, cookie := range got {
		pair, _, _ := strings.Cut(cookie, ";")
		for _, path := range []string{"/check", "/v1/session"} {
			h.browser(t).do("GET", path, "", set("Cookie", pair)).refuses(http.StatusUnauthorized)
		}
	}
}

func TestRow007TheTokenSaysNothing(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	shown := b.do("GET", "/v1/session", "").is(http.StatusOK)
	id, _ := hex.DecodeString(strings.ReplaceAll(shown.word("account.id"), "-", ""))
	var secrets [][]byte
	var tokens []string
	for range 10 {
		token := h.signIn(t, email).cookie
		tokens = append(tokens, token)
		secrets = append(secrets, secretOf(t, token))
	}
	for i := len(tag); i < tokenLen; i++ {
		same := true
		for _, token := range tokens {
			same = same && token[i] == tokens[0][i]
		}
		if same {
			t.Errorf("ten tokens have the same character at %d", i)
		}
	}
	for _, secret := range secrets {
		if json.Valid(secret) || bytes.Contains(secret, []byte(email[:8])) || bytes.Contains(secret, id[:8]) ||
			bytes.Contains(secret, []byte{127, 0, 0, 1}) {
			t.Errorf("a token says something: %q", secret)
		}
		for _, other := range secrets {
			if n := alike(secret, other); n < 256 && n > 128+6*8 { // six standard deviations
				t.Errorf("two tokens have %d of 256 bits in common", n)
			}
		}
	}
}

// alike counts the bits in which two secrets are the same.
func alike(a, b []byte) (n int) {
	for i := range a {
		n += 8 - bits.OnesCount8(a[i]^b[i])
	}
	return n
}

func TestRow008AHostileTokenIsRefusedAlikeAndNeverRepeated(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, _ := h.member(t)
	token := b.cookie
	hostile := []string{
		"", `"` + token + `"`, token + "%00", "%63" + token[1:], token[:tokenLen-1], token + "A", " " + token + " x",
		strings.ToUpper(token), "cka_" + token[4:], token[4:], strings.Repeat(token, 160), tag + strings.Repeat("=", 49),
		"<script>alert(1)</script>", "' OR '1'='1", "../../../etc/passwd", strings.Repeat("é", 26) + "x",
	}
	for i := range token {
		hostile = append(hostile, token[:i]+string(rune(token[i]^1))+token[i+1:])
	}
	var first answer
	for _, value := range hostile {
		for _, path := range []string{"/check", "/v1/session"} {
			a := h.browser(t).do("GET", path, "", set("Cookie", cookieName+"="+value)).refuses(http.StatusUnauthorized)
			if first.text == "" {
				first = a
			}
			if a.text != first.text {
				t.Errorf("%.60q is refused by %s and not like the others by %s", value, a.text, first.text)
			}
			if said := a.text + fmt.Sprint(a.header); len(value) > 8 && (strings.Contains(said, value) || strings.Contains(said, token[10:30])) {
				t.Errorf("%.60q is repeated: %s", value, said)
			}
		}
	}
	for _, value := range []string{token + "\x00", token + "\x00; a=b", token + "\rX-Evil: 1"} {
		said := h.raw(t, "GET /auth/v1/session HTTP/1.1\r\nHost: "+h.addr+"\r\nConnection: close\r\nCookie: "+cookieName+"="+value+"\r\n\r\n")
		if !strings.HasPrefix(said, "HTTP/1.1 40") || strings.Contains(said, token[10:30]) || strings.Contains(said, "X-Evil") {
			t.Errorf("%q: %s", value, said)
		}
	}
	b.lives(true)
}

func TestRow009ATokenCountsInTheCookieAlone(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, _ := h.member(t)
	nobody := h.browser(t)
	for _, path := range []string{"/check", "/v1/session", "/v1/sessions"} {
		for _, name := range []string{cookieName, "session", "token", "access_token"} {
			nobody.do("GET", path+"?"+name+"="+b.cookie, "").refuses(http.StatusUnauthorized)
		}
		for _, header := range []string{"Authorization", "X-Session", "X-Auth-Token", "Proxy-Authorization"} {
			nobody.do("GET", path, "", set(header, "Bearer "+b.cookie)).refuses(http.StatusUnauthorized)
			nobody.do("GET", path, "", set(header, b.cookie)).refuses(http.StatusUnauthorized)
		}
		nobody.do("GET", path+";"+cookieName+"="+b.cookie, "").refuses(http.StatusNotFound)
	}
	nobody.do("POST", "/check", cookieName+"="+b.cookie, set("Content-Type", "application/x-www-form-urlencoded")).refuses(http.StatusUnauthorized)
	b.lives(true)
}

func TestRow009And010TheTokenLeavesInSetCookieAlone(t *testing.T) {
	t.Parallel()
	seen, tokens := tour(t, sharedHouse(t))
	if len(tokens) < 6 {
		t.Fatalf("only %d tokens on the way", len(tokens))
	}
	for _, a := range seen {
		for _, cookie := range a.header["Set-Cookie"] {
			if !strings.Contains(cookie, "; HttpOnly") {
				t.Errorf("%s: a script can read %.20s", a.asked, cookie)
			}
		}
		rest := a.header.Clone()
		rest.Del("Set-Cookie")
		said := fmt.Sprint(rest) + a.text
		for _, token := range tokens {
			if strings.Contains(said, core(token)) || strings.Contains(said, hex.EncodeToString(secretOf(t, token))) {
				t.Errorf("%s: the answer holds a token outside of Set-Cookie", a.asked)
			}
		}
	}
}
