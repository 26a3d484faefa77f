package server

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// setClock is a wall clock that somebody sets under the running server.
type setClock struct{ off atomic.Int64 }

func (c *setClock) now() time.Time        { return time.Now().Add(time.Duration(c.off.Load())) }
func (c *setClock) set(off time.Duration) { c.off.Store(int64(off)) }
func (c *setClock) options(o *Options)    { o.Now = c.now }
func (s *site) count(query string, args ...any) (n int) {
	s.t.Helper()
	if err := s.store.Read().QueryRow(query, args...).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// jumps are how a clock is set. The server notices within a second.
var jumps = map[string]time.Duration{"an hour back": -time.Hour, "a day forward": 24 * time.Hour}

func TestAClockThatIsSetSignsNobodyOutAndBringsNobodyBack(t *testing.T) {
	for name, jump := range jumps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := new(setClock)
			s := newSite(t, clock.options, func(o *Options) { o.Config.Token = "48h" })
			ada, eve := s.browser().signUp("ada@example.com"), s.browser().signUp("eve@example.com")
			second := s.browser().signIn("ada@example.com")
			ada.do("GET", "/check", "").is(http.StatusOK)
			gone := s.with(eve.cookie)
			eve.do("POST", "/v1/sign-out", "").is(http.StatusNoContent)
			clock.set(jump)
			for range 2 {
				ada.do("GET", "/check", "").is(http.StatusOK)
				second.do("GET", "/v1/session", "").is(http.StatusOK)
				gone.do("GET", "/check", "").is(http.StatusUnauthorized)
				if list, _ := ada.do("GET", "/v1/sessions", "").is(http.StatusOK).at("sessions").([]any); len(list) != 2 {
					t.Errorf("%d sessions are listed", len(list))
				}
				time.Sleep(time.Second)
			}
			third := s.browser().signIn("ada@example.com") // begins, is used and is revoked
			third.do("GET", "/check", "").is(http.StatusOK)
			id := third.sessionID()
			ada.do("POST", "/v1/reauthenticate", `{"password":"`+goodPassword+`"}`).is(http.StatusOK)
			ada.do("DELETE", "/v1/sessions/"+id, "").is(http.StatusNoContent)
			third.do("GET", "/check", "").is(http.StatusUnauthorized)
			clock.set(0) // and right again
			ada.do("GET", "/check", "").is(http.StatusOK)
			second.do("GET", "/check", "").is(http.StatusOK)
			gone.do("GET", "/check", "").is(http.StatusUnauthorized)
			third.do("GET", "/check", "").is(http.StatusUnauthorized)
			s.browser().signIn("eve@example.com").do("GET", "/check", "").is(http.StatusOK)
		})
	}
}

// TestWhatIsOverByTheClockStaysOver, also when that was set wrong.
func TestWhatIsOverByTheClockStaysOver(t *testing.T) {
	clock := new(setClock)
	s := newSite(t, clock.options)
	ada := s.browser().signUp("ada@example.com")
	ada.do("GET", "/check", "").is(http.StatusOK)
	clock.set(8 * 24 * time.Hour) // more than sessions.idle
	time.Sleep(time.Second)
	ada.do("GET", "/check", "").is(http.StatusUnauthorized)
	for _, back := range []time.Duration{7 * 24 * time.Hour, 0, -time.Hour} {
		clock.set(back)
		ada.do("GET", "/check", "").is(http.StatusUnauthorized)
		time.Sleep(300 * time.Millisecond)
		ada.do("GET", "/v1/session", "").is(http.StatusUnauthorized)
	}
	s.browser().signIn("ada@example.com").do("GET", "/check", "").is(http.StatusOK)
}

// TestGuessesAreLimitedWhateverTheClock, and nobody is kept out by it.
func TestGuessesAreLimitedWhateverTheClock(t *testing.T) {
	for name, jump := range jumps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := new(setClock)
			s := newSite(t, clock.options)
			s.browser().signUp("ada@example.com")
			guess := func() int {
				return s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", wrongAnswer)).status
			}
			for range 4 {
				if status := guess(); status != http.StatusUnauthorized {
					t.Fatalf("a guess: %d", status)
				}
			}
			clock.set(jump)
			s.browser().signIn("ada@example.com") // her own password, from a strange browser
			admitted := 0
			for range 15 {
				if guess() == http.StatusUnauthorized {
					admitted++
				}
			}
			if least, most := 6, 10; admitted < least || admitted > most {
				t.Errorf("%d guesses were admitted, and not %d to %d", admitted, least, most)
			}
			clock.set(jump + time.Minute)
			if status := guess(); jump > 0 && status != http.StatusUnauthorized {
				t.Errorf("a minute later: %d", status)
			}
		})
	}
}

// TestSweepsGoOnWhateverTheClock: they take what is over, and nothing else.
func TestSweepsGoOnWhateverTheClock(t *testing.T) {
	clock := new(setClock)
	s := newSite(t, clock.options)
	root := s.admin("root@example.com")
	for _, email := range []string{"ada@example.com", "eve@example.com"} {
		root.do("POST", "/v1/admin/accounts", `{"email":"`+email+`"}`).is(http.StatusCreated)
		s.browser().do("POST", "/v1/sign-in", credentials(email, wrongAnswer)).is(http.StatusUnauthorized)
	}
	buckets, links := `SELECT count(*) FROM cloakroom_throttle`, `SELECT count(*) FROM cloakroom_links`
	before := s.count(buckets)
	clock.set(-time.Hour)
	s.sweepOnce(t.Context())
	if b, l := s.count(buckets), s.count(links); b != before || l != 2 {
		t.Errorf("set back: of %d buckets %d are left, of 2 links %d", before, b, l)
	}
	clock.set(24 * time.Hour)
	s.sweepOnce(t.Context())
	if b, l := s.count(buckets), s.count(links); b != 0 || l != 0 {
		t.Errorf("set forward: %d buckets and %d links are left", b, l)
	}
	if n := s.count(`SELECT count(*) FROM cloakroom_sessions WHERE ended IS NULL`); n != 1 {
		t.Errorf("%d sessions are left", n)
	}
	root.do("GET", "/check", "").is(http.StatusOK)
	if logs := s.logs.String(); strings.Contains(logs, "swept") || strings.Contains(logs, "deleted") {
		t.Error("a sweep has failed")
	}
}

func TestALinkWorksOnceWhateverTheClock(t *testing.T) {
	clock := new(setClock)
	s := newSite(t, clock.options)
	root := s.admin("root@example.com")
	a := root.do("POST", "/v1/admin/accounts", `{"email":"ada@example.com"}`).is(http.StatusCreated)
	address, _ := a.at("link.url").(string)
	clock.set(-time.Hour)
	if err := s.useLink(address, goodPassword); err != nil {
		t.Errorf("one that is still good: %v", err)
	}
	if err := s.useLink(address, nextPassword); err == nil {
		t.Error("it works a second time")
	}
	s.browser().signIn("ada@example.com")
}

func TestTimeGoesOnWhenTheClockIsSetBack(t *testing.T) {
	set := new(setClock)
	c := newClock(set.now)
	before := c.now()
	for _, off := range []time.Duration{0, -time.Hour, time.Hour, -48 * time.Hour} {
		set.set(off)
		want := max(off, 0)
		if got := c.now().Sub(before); got < want-time.Millisecond || got > want+time.Minute {
			t.Errorf("set by %v it has gone on by %v", off, got)
		}
	}
}
