package conformance

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// signUp tries to sign up with a password, and returns the answer and a browser
// that has it.
func (h *house) signUp(t *testing.T, password string) (a answer, email string) {
	t.Helper()
	email = newEmail()
	return h.browser(t).do("POST", "/v1/sign-up", object("email", email, "password", password)), email
}

// smileys are different characters of four bytes each.
func smileys(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteRune(rune(0x1f600 + i*37%79)) // all of a block, in no order
	}
	return b.String()
}

// ascii is every printable character of ASCII, in no order.
func ascii() string {
	var b strings.Builder
	for i := range 95 {
		b.WriteByte(byte(' ' + (i*37+11)%95))
	}
	return b.String()
}

func TestRow063And064And065ThePasswordsLength(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	const words = "überaus große Öfen"
	for name, c := range map[string]struct {
		password string
		status   int
	}{
		"14 characters":                   {"vqxzjkwpfmbtnd", http.StatusUnprocessableEntity},
		"15 characters":                   {"vqxzjkwpfmbtndg", http.StatusCreated},
		"8 characters of 4 bytes":         {smileys(8), http.StatusUnprocessableEntity},
		"14 characters of more bytes":     {string([]rune(words)[:14]), http.StatusUnprocessableEntity},
		"15 of them":                      {string([]rune(words)[:15]), http.StatusCreated},
		"64 characters of 4 bytes":        {smileys(64), http.StatusCreated},
		"256 characters of 4 bytes":       {smileys(79) + "-" + smileys(79) + "+" + smileys(79) + smileys(19)[:4*17], http.StatusCreated},
		"1025 bytes":                      {strings.Repeat("vqxzjkwpfmbtndg hlcsry", 60)[:1025], http.StatusUnprocessableEntity},
		"all of ASCII that is printed":    {ascii(), http.StatusCreated},
		"NUL in the middle":               {"vqxzjkwp\x00fmbtndg", http.StatusUnprocessableEntity},
		"lower-case letters and no digit": {"vqxzjkwpfmbtndghl", http.StatusCreated},
	} {
		t.Run(name, func(t *testing.T) {
			a, email := h.signUp(t, c.password)
			a.is(c.status)
			if c.status != http.StatusCreated {
				if a.refuses(c.status).word("field") != "password" {
					t.Errorf("refused for %s", a.text)
				}
				return
			}
			h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", c.password)).is(http.StatusOK)
		})
	}
	huge := object("email", newEmail(), "password", strings.Repeat("vqxzjkwpfm", 1<<20))
	h.browser(t).do("POST", "/v1/sign-up", huge).refuses(http.StatusRequestEntityTooLarge)
	h.browser(t).do("POST", "/v1/sign-in", huge).refuses(http.StatusRequestEntityTooLarge)
}

func TestRow066APasswordIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	const long = "Caf\u00e9 vqxzjkwp fmbtndg hlcsry Zwq jkx pfv bnm tgd hcl syr wvq zjk xpf mbt ndg hlc sry"
	a, email := h.signUp(t, long)
	a.is(http.StatusCreated)
	h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", strings.Replace(long, "\u00e9", "e\u0301", 1))).is(http.StatusOK)
	for name, other := range map[string]string{
		"the first 72 bytes": long[:72], "another case": strings.ToLower(long), "a space behind": long + " ", "a space in front": " " + long,
		"without its accent": strings.Replace(long, "\u00e9", "e", 1), "one character more": long + "x", "another sign that looks alike": strings.Replace(long, "Z", "\u0396", 1),
	} {
		if a := h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", other)); a.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, a.status)
		}
	}
}

func TestRow067APasswordIsGoodForYearsAndThereIsNoHint(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	_, email := c.member(t)
	c.ahead(2 * 365 * day)
	a := c.signIn(t, email).do("GET", "/v1/session", "").is(http.StatusOK)
	if got := a.when("session.created_at"); time.Until(got) < 365*day {
		t.Fatalf("the clock was not set: %v", got)
	}
	fields := regexp.MustCompile(`(?i)hint|question|answer|maiden|expir\w*_password`)
	_, db := c.copied(t)
	rows, err := db.Query("SELECT sql FROM sqlite_schema WHERE sql LIKE '%account%' OR sql LIKE '%password%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var statement string
		if err := rows.Scan(&statement); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(statement) {
			code, _, _ := strings.Cut(line, "--")
			if m := fields.FindString(code); m != "" {
				t.Errorf("a column for a %s: %s", m, code)
			}
		}
	}
	if n == 0 || rows.Err() != nil {
		t.Errorf("%d tables, %v", n, rows.Err())
	}
	names := regexp.MustCompile(`<(?:input|select|textarea)[^>]* name="([^"]*)"`)
	for _, page := range []string{"/sign-up", "/sign-in"} {
		for _, m := range names.FindAllStringSubmatch(c.browser(t).do("GET", page, "").text, -1) {
			if fields.MatchString(m[1]) {
				t.Errorf("%s asks for %s", page, m[1])
			}
		}
	}
}

func TestRow068APasswordThatIsGuessedFirstIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	for name, password := range map[string]string{
		"a common one, made longer": "Password12345678", "two common words": "iloveyou princess", "keys side by side": "qwertyuiopasdfghjkl",
		"digits": "123456789012345", "signs for letters": "P4$$w0rd P4$$w0rd", "one letter": "aaaaaaaaaaaaaaaa",
	} {
		a, email := h.signUp(t, password)
		if a.refuses(http.StatusUnprocessableEntity); !strings.Contains(a.word("detail"), "four words") || strings.Contains(a.text, password) {
			t.Errorf("%s: refused without advice, or repeated: %s", name, a.text)
		}
		page := h.browser(t).form("/sign-up", url.Values{"email": {email}, "password": {password}}).refuses(http.StatusUnprocessableEntity)
		if !strings.Contains(page.text, "easy to guess") || !strings.Contains(page.text, "four words") {
			t.Errorf("%s: the page does not say why", name)
		}
	}
	own := object("email", "henrietta.swanson@example.com", "password", "cloakroom-henrietta-swanson", "name", "Henrietta Swanson")
	if a := h.browser(t).do("POST", "/v1/sign-up", own).refuses(http.StatusUnprocessableEntity); !strings.Contains(a.word("detail"), "your name") {
		t.Errorf("refused for %s", a.text)
	}
	// A sign-in says nothing of what a password is made of.
	_, email := h.member(t)
	listed := h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", "Password12345678")).refuses(http.StatusUnauthorized)
	unlisted := h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", wrongAnswer)).refuses(http.StatusUnauthorized)
	if listed.text != unlisted.text {
		t.Errorf("a listed password is refused by %s, another by %s", listed.text, unlisted.text)
	}
}

var passwordInput = regexp.MustCompile(`<input[^>]*name="([^"]*password)"[^>]*>`)

func TestRow070FormsLetPasswordManagersWork(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	nobody := h.browser(t)
	setup := nobody.do("GET", "/setup", "").is(http.StatusOK).text
	managed(t, "/setup", setup, "new-password")
	if !regexp.MustCompile(`<input[^>]* name="code"[^>]* autocomplete="one-time-code"`).MatchString(setup) {
		t.Error("the setup code's field does not say what it takes")
	}
	admin := h.administrator(t)
	b, _ := h.member(t)
	id := b.accountID()
	for _, form := range []struct {
		who   *browser
		page  string
		kinds []string
	}{
		{nobody, "/sign-in", []string{"current-password"}},
		{nobody, "/sign-up", []string{"new-password"}},
		{b, "/reauthenticate", []string{"current-password"}},
		{b, "/account/password", []string{"current-password", "new-password"}},
		{nobody, "/link/reset?token=" + admin.issueLink(id, "reset"), []string{"new-password"}},
		{nobody, "/link/invite?token=" + admin.issueLink(id, "invite"), []string{"new-password"}},
	} {
		managed(t, form.page, form.who.do("GET", form.page, "").is(http.StatusOK).text, form.kinds...)
	}
	for _, asset := range assets(h.browser(t)) {
		if text := h.browser(t).to("GET", asset, "").is(http.StatusOK).text; strings.Contains(text, "paste") {
			t.Errorf("%s does something about pasting", asset)
		}
	}
}

// managed fails the test unless the passwords of a page's form, and the name that
// belongs to them, are fields of these kinds that a password manager knows and
// whose content can be shown.
func managed(t *testing.T, page, text string, kinds ...string) {
	t.Helper()
	inputs := passwordInput.FindAllStringSubmatch(text, -1)
	if len(inputs) != len(kinds) {
		t.Fatalf("%s has %d passwords", page, len(inputs))
	}
	for i, input := range inputs {
		if !strings.Contains(input[0], `type="password"`) || !strings.Contains(input[0], `autocomplete="`+kinds[i]+`"`) || strings.Contains(input[0], "maxlength") {
			t.Errorf("%s: %s", page, input[0])
		}
		if !strings.Contains(text, `data-reveal="`+input[1]+`"`) {
			t.Errorf("%s has no way to see what was typed as %s", page, input[1])
		}
	}
	if !strings.Contains(text, `autocomplete="username"`) {
		t.Errorf("%s does not say which field is the name", page)
	}
}

func TestRow074NobodyIsThereAtFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, who := range []string{"admin", "admin@example.com", "admin@localhost", "root@localhost", "cloakroom@localhost", "test@example.com"} {
		for _, password := range []string{"admin", "password", "cloakroom", "changeme", "", goodPassword} {
			if a := h.browser(t).do("POST", "/v1/sign-in", object("email", who, "password", password)); a.status < 400 || a.header["Set-Cookie"] != nil {
				t.Errorf("%s is there with the password %q: %d", who, password, a.status)
			}
		}
	}
	_, db := h.copied(t)
	var accounts int
	if err := db.QueryRow("SELECT (SELECT count(*) FROM cloakroom_accounts) + (SELECT count(*) FROM cloakroom_sessions)").Scan(&accounts); err != nil || accounts != 0 {
		t.Errorf("%d accounts and sessions, %v", accounts, err)
	}
	keys := map[string]bool{}
	for _, h := range []*house{h, newHouse(t)} {
		_, db := h.copied(t)
		var key string
		if err := db.QueryRow("SELECT hex(token_key) FROM cloakroom_meta").Scan(&key); err != nil || len(key) != 64 {
			t.Errorf("a key of %d digits, %v", len(key), err)
		}
		keys[key] = true
	}
	if len(keys) != 2 {
		t.Error("two servers have one key")
	}
}
