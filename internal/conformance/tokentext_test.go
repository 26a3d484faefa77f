package conformance

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/bits"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

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

// A JSON web token is no session, and there is none among the answers.
func TestRow116NoJWTIsMadeOrTaken(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"` + b.accountID() + `","email":"` + email + `","exp":4102444800}`))
	for _, head := range []string{`{"alg":"none","typ":"JWT"}`, `{"alg":"HS256","typ":"JWT"}`} {
		token := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + claims + "." + strings.Repeat("A", 43)
		for _, presented := range []edit{set("Cookie", cookieName+"="+token), set("Authorization", "Bearer "+token)} {
			for _, path := range []string{"/check", "/v1/session", "/v1/sessions"} {
				h.browser(t).do("GET", path, "", presented).refuses(http.StatusUnauthorized)
			}
		}
	}
	jwt := regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+\.`)
	seen, _ := tour(t)
	for _, a := range seen {
		if jwt.MatchString(fmt.Sprint(a.header) + a.text) {
			t.Errorf("%s: there is a JSON web token in the answer", a.asked)
		}
	}
}

func TestRow009And010TheTokenLeavesInSetCookieAlone(t *testing.T) {
	t.Parallel()
	seen, tokens := tour(t)
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
