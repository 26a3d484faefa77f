package conformance

import (
	"context"
	"database/sql"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The database is taken away by taking the lock that writers need, as a tool on
// the same machine could.
func TestRow121WithoutItsStoreTheServerLetsNobodyIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b, email := h.member(t)
	db, err := sql.Open("sqlite", h.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	in := h.browser(t)
	answers := make(chan answer, 2)
	for _, ask := range []func() answer{
		func() answer {
			return h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", goodPassword))
		},
		func() answer {
			return h.browser(t).do("POST", "/v1/sign-up", object("email", newEmail(), "password", goodPassword))
		},
	} {
		go func() { answers <- ask() }()
	}
	for range cap(answers) {
		a := (<-answers).refuses(http.StatusServiceUnavailable)
		if a.header["Set-Cookie"] != nil || !strings.Contains(a.text, "urn:cloakroom:problem:un") {
			t.Errorf("%s: %s %s", a.asked, a.header["Set-Cookie"], a.text)
		}
	}
	invented := h.browser(t).with(tag+strings.Repeat("A", tokenLen-len(tag))).do("GET", "/check", "")
	if invented.status < 400 {
		t.Errorf("an invented token is answered %d", invented.status)
	}
	if a := b.do("GET", "/check", ""); a.status != http.StatusOK && a.status != http.StatusServiceUnavailable {
		t.Errorf("a session that lives is answered %d", a.status)
	}
	if _, err := tx.ExecContext(context.WithoutCancel(t.Context()), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Close(); err != nil {
		t.Fatal(err)
	}
	in.do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)).is(http.StatusOK)
	b.lives(true)
	in.lives(true)
}

func TestRow133ErrorsAreProblemDocumentsThatSayNothingOfTheInside(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	b, email := h.member(t)
	nobody := h.browser(t)
	for status, answers := range map[int][]answer{
		http.StatusBadRequest: {
			b.do("POST", "/v1/sign-in", "{"), b.do("POST", "/v1/sign-in", "null"), b.do("GET", "/v1/sessions?after=x", ""), b.do("GET", "/v1/sessions?x=1", ""),
			b.do("DELETE", "/v1/sessions?all=maybe", ""), b.do("POST", "/v1/sign-in", strings.Repeat("[", 10000)),
		},
		http.StatusUnauthorized: {nobody.do("GET", "/v1/session", ""), nobody.do("GET", "/check", ""), guessAt(nobody, email)},
		http.StatusForbidden: {
			b.do("POST", "/v1/reauthenticate", object("password", wrongAnswer)), b.do("POST", "/v1/sign-out", "", set("Sec-Fetch-Site", "cross-site")),
		},
		http.StatusNotFound:              {b.do("GET", "/v1/nothing", ""), b.do("DELETE", "/v1/sessions/x", ""), b.to("GET", "/nothing", "")},
		http.StatusMethodNotAllowed:      {b.do("PUT", "/v1/session", "")},
		http.StatusConflict:              {nobody.do("POST", "/v1/sign-up", object("email", email, "password", goodPassword))},
		http.StatusRequestEntityTooLarge: {b.do("POST", "/v1/sign-in", strings.Repeat(" ", 70<<10))},
		http.StatusUnsupportedMediaType:  {b.do("POST", "/v1/sign-in", "{}", set("Content-Type", "text/plain"))},
		http.StatusUnprocessableEntity:   {b.do("POST", "/v1/sign-in", `{"email":1}`), nobody.do("POST", "/v1/sign-up", object("email", "'; DROP TABLE", "password", goodPassword))},
	} {
		for _, a := range answers {
			a.refuses(status)
			if !strings.HasPrefix(a.word("type"), "urn:cloakroom:problem:") || a.word("title") == "" || a.word("detail") == "" {
				t.Errorf("%s: %s", a.asked, a.text)
			}
			for _, inside := range []string{"SQL", "sql", ".go", "goroutine", "cloakroom_", "/tmp", "argon", "DROP"} {
				if strings.Contains(a.text, inside) {
					t.Errorf("%s tells of %s: %s", a.asked, inside, a.text)
				}
			}
		}
	}
	b.lives(true)
}

// A marker stands in every field that takes a secret, and must be nowhere else.
func TestRow131NothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap") // which logs all that it can
	email := newEmail()
	const secret, wrong = "Xq7marker vwzkjp fmbtnd", "Xq7marker wrong hglcsr"
	b := h.browser(t)
	b.do("POST", "/v1/sign-up", object("email", email, "password", secret)).is(http.StatusCreated)
	tokens := []string{b.cookie}
	b.do("POST", "/v1/sign-in", object("email", email, "password", secret, "Xq7marker", secret)).refuses(http.StatusUnprocessableEntity)
	b.do("POST", "/v1/sign-in", `{"password":"`+secret).refuses(http.StatusBadRequest)
	in := h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", secret)).is(http.StatusOK)
	_, device, _ := strings.Cut(in.device(), "=")
	value, _ := in.handedOut()
	tokens = append(tokens, value, device)
	b.do("POST", "/v1/reauthenticate", object("password", wrong)).refuses(http.StatusForbidden)
	b.do("POST", "/v1/reauthenticate", object("password", secret)).is(http.StatusOK)
	tokens = append(tokens, b.cookie)
	nobody := h.browser(t)
	nobody.do("POST", "/v1/sign-in", object("email", secret, "password", wrong)).refuses(http.StatusUnauthorized)
	nobody.form("/sign-in", map[string][]string{"email": {email}, "password": {wrong}}).refuses(http.StatusUnauthorized)
	nobody.do("GET", "/v1/session?token="+b.cookie, "", set("Authorization", "Bearer "+b.cookie)).refuses(http.StatusUnauthorized)
	nobody.do("GET", "/v1/nothing?password=Xq7marker", "").refuses(http.StatusNotFound)
	for range guessesAtOnce {
		guessAt(nobody, secret+"@example.com")
	}
	metrics, err := http.Get("http://" + h.ops + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer metrics.Body.Close()
	counted, err := io.ReadAll(metrics.Body)
	if err != nil || !strings.Contains(string(counted), "# TYPE") {
		t.Fatalf("the metrics are %.100q, %v", counted, err)
	}
	if err := h.stop(); err != nil { // what is counted is written by then
		t.Fatal(err)
	}
	all, _ := h.copied(t)
	if !strings.Contains(h.log.String(), "server: stopping") {
		t.Fatal("nothing is logged at all")
	}
	for where, said := range map[string]string{"log": h.log.String(), "output": h.out.String(), "database": string(all), "metrics": string(counted)} {
		if strings.Contains(said, "Xq7marker") {
			t.Errorf("a password is in the %s", where)
		}
		for _, token := range tokens {
			if strings.Contains(said, core(token)) {
				t.Errorf("a token is in the %s", where)
			}
		}
	}
}
