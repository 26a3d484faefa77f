package server

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/internal/factor/password"
)

func TestOneSignsUpSignsInAndIsSignedIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.do("GET", "/v1/session", "").problem(http.StatusUnauthorized, "signed-out")
	made := b.do("POST", "/v1/sign-up", `{"email":"Ada@Example.com","password":"`+goodPassword+`","name":"Ada"}`).is(http.StatusCreated)
	if made.at("account.email") != "ada@example.com" || made.at("account.name") != "Ada" || made.at("account.email_verified") != false {
		t.Errorf("signed up as %s", made.text)
	}
	if shown := b.do("GET", "/v1/session", "").is(http.StatusOK); shown.text != made.text {
		t.Errorf("GET /v1/session says %s, sign-up said %s", shown.text, made.text)
	}
	again := s.browser().do("POST", "/v1/sign-in", credentials("ADA@example.COM", goodPassword)).is(http.StatusOK)
	if again.at("account.id") != made.at("account.id") || again.at("session.id") == made.at("session.id") {
		t.Errorf("signed in as %s, signed up as %s", again.text, made.text)
	}
}

func TestTheCookieIsForThisHostAndNoScriptAndEndsWithTheBrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().signUp("ada@example.com")
	in := s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword))
	if got := in.header.Get("Set-Cookie"); !strings.HasPrefix(got, "__Host-session=cks_") || !strings.HasSuffix(got, "; Path=/; Secure; HttpOnly; SameSite=Lax") {
		t.Error(got)
	}
	kept := s.browser().do("POST", "/v1/sign-in", `{"email":"ada@example.com","password":"`+goodPassword+`","remember":true}`)
	if got := kept.header.Get("Set-Cookie"); !strings.Contains(got, "; Max-Age=2592000; Secure") {
		t.Error(got)
	}
}

func TestAnUnknownAccountAndAWrongPasswordAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().signUp("ada@example.com")
	wrong := s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", wrongAnswer)).problem(http.StatusUnauthorized, "bad-credentials")
	for _, email := range []string{"eve@example.com", "no address at all"} {
		unknown := s.browser().do("POST", "/v1/sign-in", credentials(email, wrongAnswer))
		unknown.header.Set("Date", wrong.header.Get("Date"))
		one, _ := json.Marshal(wrong.header)
		other, _ := json.Marshal(unknown.header)
		if unknown.status != wrong.status || unknown.text != wrong.text || string(one) != string(other) {
			t.Errorf("%s: %d %s %s\nwrong password: %d %s %s", email, unknown.status, other, unknown.text, wrong.status, one, wrong.text)
		}
	}
}

func TestAnAddressSignsUpOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().signUp("ada@example.com")
	eve := s.browser()
	eve.do("POST", "/v1/sign-up", credentials("ADA@EXAMPLE.COM", "another password of hers")).problem(http.StatusConflict, "taken")
	eve.do("POST", "/v1/sign-in", credentials("ada@example.com", "another password of hers")).is(http.StatusUnauthorized)
	s.browser().signIn("ada@example.com")
}

func TestOfManySignUpsWithOneAddressOneSucceeds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var all sync.WaitGroup
	statuses := make(chan int, 8)
	for range cap(statuses) {
		all.Go(func() {
			statuses <- s.browser().do("POST", "/v1/sign-up", credentials("ada@example.com", goodPassword)).status
		})
	}
	all.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	if count[http.StatusCreated] != 1 || count[http.StatusConflict] != 7 {
		t.Errorf("statuses %v", count)
	}
	s.browser().signIn("ada@example.com")
}

func TestSignUpNamesTheRuleAndNeverTheValue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, c := range map[string]struct{ body, field string }{
		"email":             {`{"email":"s3cret address","password":"` + goodPassword + `"}`, "email"},
		"short password":    {`{"email":"ada@example.com","password":"s3cret"}`, "password"},
		"common password":   {`{"email":"ada@example.com","password":"s3cret s3cret s3cret"}`, "password"},
		"own address":       {`{"email":"s3cretive@example.com","password":"s3cretive.s3cretive"}`, "password"},
		"password with NUL": {`{"email":"ada@example.com","password":"s3cret\u0000 and long enough"}`, "password"},
		"name":              {`{"email":"ada@example.com","password":"` + goodPassword + `","name":"s3cret\nname"}`, "name"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.browser().do("POST", "/v1/sign-up", c.body).problem(http.StatusUnprocessableEntity, "invalid")
			if a.at("field") != c.field || strings.Contains(a.text, "s3cret") {
				t.Error(a.text)
			}
		})
	}
}

func TestADisabledAccountIsToldSoOnlyWithTheRightPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	s.exec(`UPDATE cloakroom_accounts SET status = 2`)
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", wrongAnswer)).problem(http.StatusUnauthorized, "bad-credentials")
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)).problem(http.StatusForbidden, "disabled")
	b.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`).problem(http.StatusForbidden, "disabled")
}

// exec changes the database as no route can.
func (s *site) exec(query string, args ...any) {
	s.t.Helper()
	err := s.store.Write(s.t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestACheaperHashIsRenewedAtTheNextSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().signUp("ada@example.com")
	hash := func() (text string) {
		if err := s.store.Read().QueryRow(`SELECT hash FROM cloakroom_passwords`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	weak, err := password.New(password.Config{Params: password.Params{Memory: 32, Time: 1, Threads: 1}}).
		Hash(t.Context(), password.Place{}, goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	s.exec(`UPDATE cloakroom_passwords SET hash = ?`, weak)
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", wrongAnswer)).is(http.StatusUnauthorized)
	if hash() != weak {
		t.Error("a wrong password renewed the hash")
	}
	s.browser().signIn("ada@example.com")
	if !strings.HasPrefix(hash(), "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("the hash is still %s", hash())
	}
	s.browser().signIn("ada@example.com")
}

func TestAFullHashingQueueIsAFast503WithRetryAfter(t *testing.T) {
	slow := password.Params{Memory: 64 << 10, Time: 6, Threads: 1}
	s := newSite(t, func(o *Options) {
		o.Passwords = password.Config{Params: slow, Slots: 1, Queue: 1, Wait: time.Minute}
	})
	var all sync.WaitGroup
	answers := make(chan answer, 8)
	for range cap(answers) {
		all.Go(func() {
			answers <- s.browser().do("POST", "/v1/sign-in", credentials("eve@example.com", wrongAnswer))
		})
	}
	all.Wait()
	close(answers)
	busy := 0
	for a := range answers {
		if a.status == http.StatusUnauthorized {
			continue
		}
		busy++
		a.problem(http.StatusServiceUnavailable, "busy")
		if a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if busy == 0 {
		t.Error("eight at once found a place in a pool of one and a queue of one")
	}
	s.browser().do("GET", "/v1/session", "").is(http.StatusUnauthorized)
}

func TestTheDatabaseHoldsNoTokenAndNoPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	first := b.cookie
	b.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`).is(http.StatusOK)
	b.do("GET", "/v1/sessions", "").is(http.StatusOK)
	files, err := filepath.Glob(s.Database() + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	var all strings.Builder
	for _, name := range files {
		if strings.HasSuffix(name, ".sock") {
			continue // holds nothing
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	if !strings.Contains(all.String(), "ada@example.com") {
		t.Fatal("the files do not hold what they should, so nothing can be said")
	}
	all.WriteString(s.logs.String())
	for _, secret := range []string{first, b.cookie, first[4:47], b.cookie[4:47], goodPassword} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q stands in the files or the log", secret)
		}
	}
	if strings.Contains(s.logs.String(), "ada@example.com") {
		t.Error("an address stands in the log")
	}
}
