package conformance

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestRow011TheDatabaseHoldsNoToken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b, email := h.member(t)
	live := []*browser{b, h.signIn(t, email), h.signIn(t, email)}
	in := h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)).is(http.StatusOK)
	_, device, _ := strings.Cut(in.device(), "=")
	tokens := []string{device}
	for _, b := range live {
		b.lives(true)
		tokens = append(tokens, b.cookie)
	}
	all, db := h.copied(t)
	for _, token := range tokens {
		secret := secretOf(t, token)
		for form, needle := range map[string][]byte{
			"as it is": []byte(core(token)), "raw": secret,
			"hex": []byte(hex.EncodeToString(secret)), "base64": []byte(base64.RawStdEncoding.EncodeToString(secret)),
		} {
			if bytes.Contains(all, needle) {
				t.Errorf("the database holds a token, %s", form)
			}
		}
	}

	// Whoever has the copy has the key of the checksum, too, and can make of a
	// stored hash what looks like a token.
	var key []byte
	if err := db.QueryRow("SELECT token_key FROM cloakroom_meta").Scan(&key); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query("SELECT token FROM cloakroom_sessions")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var hash []byte
		if err := rows.Scan(&hash); err != nil {
			t.Fatal(err)
		}
		for _, forged := range []string{
			forge(key, base64.RawURLEncoding.EncodeToString(hash)), hex.EncodeToString(hash),
			base64.RawURLEncoding.EncodeToString(hash),
		} {
			h.browser(t).with(forged).lives(false)
		}
	}
	if n != len(live)+1 || rows.Err() != nil {
		t.Errorf("%d sessions in the copy, %v", n, rows.Err())
	}
	if text := b.cookie[:tokenLen-6]; forge(key, text[len(tag):]) != b.cookie {
		t.Error("the checksum is made otherwise than this test makes it")
	}
}

// forge makes what looks like a token of some text.
func forge(key []byte, secret string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(tag + secret))
	return tag + secret + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))[:6]
}

func TestRow012ASessionClaimsNoMoreThanItsEventShowed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "--policies={one: {level: 1}, two: {level: 2}}")
	_, email := h.member(t)
	b := h.browser(t)
	for _, key := range []string{"aal", "level", "methods", "acr"} {
		b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword, key, "3")).refuses(http.StatusUnprocessableEntity)
	}
	more := []edit{set("X-Session-Level", "3"), set("X-AAL", "3")}
	a := b.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword), more...).is(http.StatusOK)
	if level := a.json("session.level"); level != 1.0 {
		t.Errorf("level %v", level)
	}
	if level := b.do("GET", "/check?level=3", "", more...).is(http.StatusOK).header["X-Session-Level"]; len(level) != 1 || level[0] != "1" {
		t.Errorf("level %v", level)
	}
	b.do("GET", "/check/one", "").is(http.StatusOK)
	b.do("GET", "/check/two", "", more...).refuses(http.StatusForbidden)
	if level := b.reauthenticate().json("session.level"); level != 1.0 {
		t.Errorf("level %v after the password was given again", level)
	}
}

// stored is what a password is kept as.
var stored = regexp.MustCompile(`^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$`)

func TestRow071PasswordsAreStoredAsSlowSaltedHashes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 3 {
		h.member(t)
	}
	all, db := h.copied(t)
	if bytes.Contains(all, []byte(goodPassword)) {
		t.Error("the database holds a password")
	}
	rows, err := db.Query("SELECT hash FROM cloakroom_passwords")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	hashes, salts := map[string]bool{}, map[string]bool{}
	for rows.Next() {
		var hash string
		if err := rows.Scan(&hash); err != nil {
			t.Fatal(err)
		}
		m := stored.FindStringSubmatch(hash)
		if m == nil {
			t.Fatalf("stored as %q", hash)
		}
		memory, _ := strconv.Atoi(m[1])
		time, _ := strconv.Atoi(m[2])
		salt, _ := base64.RawStdEncoding.DecodeString(m[4])
		key, _ := base64.RawStdEncoding.DecodeString(m[5])
		if !(memory >= 19*1024 && time >= 2 || memory >= 46*1024 || memory >= 12*1024 && time >= 3) || m[3] != "1" {
			t.Errorf("too cheap: %s", hash[:40])
		}
		if len(salt) < 16 || len(key) != 32 {
			t.Errorf("%d bytes of salt and %d of hash", len(salt), len(key))
		}
		hashes[m[5]], salts[m[4]] = true, true
	}
	if len(hashes) != 3 || len(salts) != 3 || rows.Err() != nil {
		t.Errorf("%d hashes and %d salts of three people with one password, %v", len(hashes), len(salts), rows.Err())
	}
}
