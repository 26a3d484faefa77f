package conformance

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What the throttle admits at once; after that it is one a minute for each
// account, and one in four seconds for each network.
const (
	guessesAtOnce = 10
	sprayAtOnce   = 60
)

// guessAt makes one wrong guess and returns the answer's status.
func guessAt(b *browser, email string) answer {
	b.t.Helper()
	return b.do("POST", "/v1/sign-in", object("email", email, "password", wrongAnswer))
}

// throttled fails the test unless the answer says to wait, and for how long.
func (a answer) throttled() answer {
	a.t.Helper()
	a.refuses(http.StatusTooManyRequests)
	if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 60 {
		a.t.Errorf("%s: Retry-After %q", a.asked, a.header.Get("Retry-After"))
	}
	return a
}

func TestRow019ADeviceIsNoAuthenticator(t *testing.T) {
	t.Parallel()
	h := sharedHouse(t)
	_, email := h.member(t)
	in := h.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", goodPassword)).is(http.StatusOK)
	known := in.device()
	nobody := h.browser(t)
	_, value, _ := strings.Cut(known, "=")
	for _, cookie := range []string{known, cookieName + "=" + value, known + "; " + cookieName + "="} {
		for _, path := range []string{"/check", "/v1/session", "/v1/sessions"} {
			nobody.do("GET", path, "", set("Cookie", cookie)).refuses(http.StatusUnauthorized)
		}
		nobody.do("GET", "/account", "", set("Cookie", cookie)).is(http.StatusSeeOther)
	}
	guess := object("email", email, "password", wrongAnswer)
	nobody.do("POST", "/v1/sign-in", guess, set("Cookie", known)).refuses(http.StatusUnauthorized)
	nobody.do("POST", "/v1/sign-in", object("email", email, "password", ""), set("Cookie", known)).refuses(http.StatusUnauthorized)
	nobody.do("POST", "/v1/reauthenticate", object("password", goodPassword), set("Cookie", known)).refuses(http.StatusUnauthorized)
}

func TestRow075GuessesBecomeRareAndWaitingEndsIt(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	_, email := c.member(t)
	b := c.browser(t)
	for range guessesAtOnce {
		guessAt(b, email).refuses(http.StatusUnauthorized)
	}
	for range 100 - guessesAtOnce {
		guessAt(b, email).throttled()
	}
	right := object("email", email, "password", goodPassword)
	b.do("POST", "/v1/sign-in", right).throttled()
	c.ahead(time.Minute + time.Second)
	b = b.at(c.house)
	guessAt(b, email).refuses(http.StatusUnauthorized)
	b.do("POST", "/v1/sign-in", right).throttled()
	c.ahead(3 * time.Minute)
	b.at(c.house).do("POST", "/v1/sign-in", right).is(http.StatusOK)
}

func TestRow076GuessesAreCountedByAccountAndBySource(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	_, email := h.member(t)
	for i := range 30 { // each from another address, at one account
		a := guessAt(h.browser(t).from(fmt.Sprintf("127.1.%d.7", i)), email)
		if i < guessesAtOnce {
			a.refuses(http.StatusUnauthorized)
		} else {
			a.throttled()
		}
	}
	admitted := 0
	for range 100 { // one password at one account each, from one address
		if guessAt(h.browser(t).from("127.2.0.7"), newEmail()).status == http.StatusUnauthorized {
			admitted++
		}
	}
	if admitted < sprayAtOnce || admitted > sprayAtOnce+10 { // one more in each four seconds
		t.Errorf("%d guesses of 100 were admitted from one address", admitted)
	}
	guessAt(h.browser(t).from("127.2.0.7"), newEmail()).throttled()
	in := object("email", newEmail(), "password", goodPassword)
	h.browser(t).from("127.3.0.7").do("POST", "/v1/sign-up", in).is(http.StatusCreated)
}

func TestRow077AFloodOfGuessesKeepsTheOwnerOutNowhere(t *testing.T) {
	t.Parallel()
	c := newClockwork(t)
	_, email := c.member(t)
	right := object("email", email, "password", goodPassword)
	known := set("Cookie", c.browser(t).do("POST", "/v1/sign-in", right).is(http.StatusOK).device())
	signedIn := c.signIn(t, email)
	flood := func() {
		for i := range 3 * guessesAtOnce {
			guessAt(c.browser(t).from(fmt.Sprintf("127.4.0.%d", i+1)), email)
		}
		guessAt(c.browser(t).from("127.4.1.1"), email).throttled()
	}
	flood()
	c.browser(t).do("POST", "/v1/sign-in", right, known).is(http.StatusOK) // where the owner was before
	signedIn.at(c.house).lives(true)
	// The device has a count of its own, for what is guessed there.
	for range guessesAtOnce {
		c.browser(t).do("POST", "/v1/sign-in", object("email", email, "password", wrongAnswer), known).refuses(http.StatusUnauthorized)
	}
	c.browser(t).do("POST", "/v1/sign-in", right, known).throttled()
	c.ahead(2 * time.Minute)
	c.browser(t).do("POST", "/v1/sign-in", right).is(http.StatusOK) // nothing lasts
}

func TestRow078StartingAgainIsNoFreshAllowance(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b, email := h.member(t)
	wrong := url.Values{"email": {email}, "password": {wrongAnswer}, "form_token": {b.formToken("/account")}}
	ways := []func() answer{
		func() answer { return guessAt(h.browser(t), email) },
		func() answer { h.browser(t).do("GET", "/sign-in", ""); return h.browser(t).form("/sign-in", wrong) },
		func() answer { return b.do("POST", "/v1/reauthenticate", object("password", wrongAnswer)) },
		func() answer { return b.with(b.cookie).form("/reauthenticate", wrong) },
		func() answer { return guessAt(h.browser(t), "  "+email) }, // is no address
		func() answer { return guessAt(h.browser(t), email[:1]+email[1:]) },
	}
	const noAddress = 4 // of the ways
	looked := 0
	for i := range 6 * guessesAtOnce {
		a := ways[i%len(ways)]()
		switch {
		case i%len(ways) == noAddress: // is nobody's guess, and is not refused with those of somebody
			a.refuses(http.StatusUnauthorized)
		case a.status != http.StatusTooManyRequests:
			looked++
		}
	}
	if looked < guessesAtOnce || looked > guessesAtOnce+1 { // one more if this takes a minute
		t.Errorf("%d guesses were looked at", looked)
	}
	b.lives(true)
}

// What is bounded is finding out who has an account. A sign-up with an address
// that is free tells nothing, and is not counted.
func TestRow080SignUpsThatTellWhoHasAnAccountAreCountedBySource(t *testing.T) {
	t.Parallel()
	h := open(t, driven, "--cheap")
	_, email := h.member(t)
	here := h.browser(t).from("127.7.0.7")
	signUp := func(b *browser, email string) answer {
		return b.with("").do("POST", "/v1/sign-up", object("email", email, "password", goodPassword))
	}
	for range sprayAtOnce / 2 {
		signUp(here, email).refuses(http.StatusConflict)
		signUp(here, newEmail()).is(http.StatusCreated)
	}
	page := url.Values{"email": {email}, "password": {goodPassword}}
	for range sprayAtOnce / 2 { // the page is counted with them
		here.form("/sign-up", page).refuses(http.StatusConflict)
	}
	for range 10 { // as many as may have become free since
		if signUp(here, email).status == http.StatusTooManyRequests {
			break
		}
	}
	known, unknown := signUp(here, email).throttled(), signUp(here, newEmail()).throttled()
	number := regexp.MustCompile(`\d+ s`)
	if number.ReplaceAllString(known.text, "") != number.ReplaceAllString(unknown.text, "") {
		t.Errorf("an address that has an account is refused by %s, another by %s", known.text, unknown.text)
	}
	here.form("/sign-up", page).throttled()
	signUp(h.browser(t).from("127.7.1.7"), newEmail()).is(http.StatusCreated)
}
