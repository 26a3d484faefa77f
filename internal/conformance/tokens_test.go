package conformance

import (
	"encoding/base64"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// The parts of a token: its kind, 256 bits in base64url, and a checksum.
const (
	tag       = "cks_"
	access    = "cka_" // for the Authorization header
	refresh   = "ckr_"
	secretLen = 43
	tokenLen  = len(tag) + secretLen + 6
)

// core returns the random part of a token, of a device's cookie or of a link.
func core(token string) string { return token[len(tag) : len(tag)+secretLen] }

// secretOf returns the random bytes of a token, a device's cookie or a link.
func secretOf(t *testing.T, token string) []byte {
	t.Helper()
	kind := token[:min(len(tag), len(token))]
	session := len(token) == tokenLen && (kind == tag || kind == access || kind == refresh)
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
	const many = 1000
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
