package server

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// The database is full as SQLite itself says it, SQLITE_FULL: it may have no more
// pages than it has, and whatever is written takes ballast with it. Where that
// is, decides who meets the fault: what is done beside a session's change (the
// record), or the store itself, which then trusts its file no more.
var ballast = map[string][]string{
	"the record": {"INSERT ON cloakroom_audit"},
	"the sessions": {
		"INSERT ON cloakroom_sessions", "UPDATE OF token, ended ON cloakroom_sessions", "INSERT ON cloakroom_subjects", "UPDATE ON cloakroom_subjects",
		"UPDATE OF global_epoch ON cloakroom_meta",
	},
}

// load puts the ballast on.
func (s *site) load(where string) {
	s.t.Helper()
	s.exec(`CREATE TABLE ballast (b)`)
	for i, what := range ballast[where] {
		s.exec(fmt.Sprintf(`CREATE TRIGGER ballast%d AFTER %s BEGIN INSERT INTO ballast VALUES (zeroblob(40000)); END`, i, what))
	}
}

// fill lets the database have no more pages, and makeRoom lets it have more. A
// file that is opened again has room.
func (s *site) fill()     { s.t.Helper(); s.exec(`PRAGMA max_page_count = 1`) }
func (s *site) makeRoom() { s.t.Helper(); s.exec(`PRAGMA max_page_count = 1000000`) }

// recovers waits until the store answers.
func (s *site) recovers() {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if status, _ := s.ops("/readyz"); status == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			s.t.Fatal("the store does not come back")
		}
	}
}

// TestAFullDatabaseDoesNothingByHalves: whatever the contract lets anybody do is
// answered 503 and not done, nobody is signed in or out, and once there is room
// it is done, by the same server.
func TestAFullDatabaseDoesNothingByHalves(t *testing.T) {
	for where := range ballast {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.load(where)
			s.doesNothingByHalves(acting(t), s.fill, s.makeRoom, "database or disk is full (13)")
		})
	}
}

// TestADatabaseThatMayOnlyBeReadDoesNothingByHalves: SQLite says so of a file system
// that was mounted anew, SQLITE_READONLY, in the middle of serving.
func TestADatabaseThatMayOnlyBeReadDoesNothingByHalves(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.doesNothingByHalves(changing(t),
		func() { s.exec(`PRAGMA query_only = 1`) }, func() { s.exec(`PRAGMA query_only = 0`) },
		"attempt to write a readonly database (8)")
}

// doesNothingByHalves breaks the database before each thing that changes something,
// and mends it. The log says what SQLite says.
func (s *site) doesNothingByHalves(all []described, breaks, mends func(), says string) {
	s.t.Helper()
	for i, d := range all {
		c := s.newCast(d.id)
		before, byItself := s.everything(), s.wroteByItself()
		breaks()
		a := c.carryOut(d)
		for try := 0; a.status < 300 && s.wroteByItself() > byItself && try < 3; try++ {
			// Last uses were written in between: they have met the fault and mended it.
			c = s.newCast(fmt.Sprint(d.id, "-", try))
			before, byItself = s.everything(), s.wroteByItself()
			breaks()
			a = c.carryOut(d)
		}
		a.is(http.StatusServiceUnavailable).setsNoCookie()
		if a.header.Get("Retry-After") == "" {
			s.t.Errorf("%s: there is no Retry-After", d)
		}
		s.recovers()
		if after := s.everything(); after != before {
			s.t.Errorf("%s\nbefore:\n%s\nafter:\n%s", d, before, after)
		}
		c.live()
		mends()
		if a := c.carryOut(d); a.status >= 300 {
			s.t.Errorf("once it is mended %s is answered %d: %s", d, a.status, a.text)
		}
		if said := strings.Count(s.logs.String(), says); said < i+1 {
			s.t.Errorf("%s: SQLite has said %d times: %s", d, said, says)
		}
	}
}

// wroteByItself counts what the server tried to write in vain and nobody asked for.
func (s *site) wroteByItself() int {
	return strings.Count(s.logs.String(), "last uses could not be written")
}

// claim is something that somebody asks for, what they are told, and the session
// by which it shows.
type claim struct {
	*browser
	ask    func() answer
	email  string // of a sign-up; "" if the session is to end
	status int
}

// wrong says in what a claim does not hold: what was acknowledged is so, and what
// was not is as before.
func (c *claim) wrong(on *site) string {
	on.t.Helper()
	done := http.StatusNoContent
	if c.email != "" {
		done = http.StatusCreated
	}
	lives := on.with(c.cookie).do("GET", "/v1/session", "").status == http.StatusOK
	known := c.email == "" || on.browser().do("POST", "/v1/sign-in", credentials(c.email, goodPassword)).status == http.StatusOK
	switch {
	case c.status == done && lives == (c.email != "") && known:
	case c.status == http.StatusServiceUnavailable && lives == (c.email == "") && known == (c.email == ""):
	default:
		return fmt.Sprintf("%q was answered %d, the session lives: %v, the account is there: %v", c.email, c.status, lives, known)
	}
	return ""
}

// TestAFullDatabaseLosesNothingThatItAcknowledged, and acknowledges nothing that
// it loses: of many at once some meet the fault, and some come after it. Whoever
// was refused tries again, and it is all the same after a restart.
func TestAFullDatabaseLosesNothingThatItAcknowledged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load("the sessions")
	var claims []*claim
	for round := range 4 {
		now := s.claims(round)
		s.fill()
		var all sync.WaitGroup
		for i, c := range now {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 4 * time.Millisecond)
				c.status = c.ask().status
			})
		}
		all.Wait()
		s.recovers()
		for _, c := range now {
			if wrong := c.wrong(s); wrong != "" {
				t.Error(wrong)
			}
		}
		s.makeRoom()
		refused := 0
		for _, c := range now {
			if c.status == http.StatusServiceUnavailable {
				refused++
				c.status = c.ask().status
			}
		}
		if refused == 0 {
			t.Error("nobody has met the fault")
		}
		claims = append(claims, now...)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	again := newSite(t, func(o *Options) { o.Config.Database = "sqlite:" + s.Database() })
	for _, c := range claims {
		if wrong := c.wrong(again); wrong != "" || c.status == http.StatusServiceUnavailable {
			t.Errorf("after all: %d %s", c.status, wrong)
		}
	}
}

// claims are six sign-ups and six ends of a session.
func (s *site) claims(round int) (list []*claim) {
	s.t.Helper()
	email := fmt.Sprintf("owner%d@example.com", round)
	owner := s.browser().signUp(email).cookie
	for i := range 6 {
		ended := s.browser().signIn(email)
		id := ended.sessionID()
		list = append(list, &claim{browser: ended, ask: func() answer { return s.with(owner).do("DELETE", "/v1/sessions/"+id, "") }})
		b, email := s.browser(), fmt.Sprintf("new%d-%d@example.com", round, i)
		list = append(list, &claim{browser: b, email: email, ask: func() answer {
			return b.do("POST", "/v1/sign-up", credentials(email, goodPassword))
		}})
	}
	return list
}
