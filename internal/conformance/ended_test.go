package conformance

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// scene is somebody with three sessions, of which the first is the oldest and the
// third the one that acts, and somebody else.
type scene struct {
	*clockwork
	admin, bystander *browser
	email, account   string
	sessions         [3]*browser
}

// begin signs somebody up, and grow gives them the other two sessions.
func (s scene) begin() scene {
	s.sessions[0], s.email = s.member(s.t)
	s.account = s.sessions[0].accountID()
	return s
}

func (s scene) grow() scene {
	s.sessions[0] = s.sessions[0].at(s.house)
	s.sessions[1], s.sessions[2] = s.signIn(s.t, s.email), s.signIn(s.t, s.email)
	return s
}

// operate runs a command of the operator on the database.
func (s scene) operate(args ...string) {
	s.t.Helper()
	if said, err := operate(s.t, append(args, "--database=sqlite:"+s.database)...); err != nil {
		s.t.Errorf("%s: %v: %s", args, err, said)
	}
}

// endings are what ends a session, by the names that they have on the page, but
// for those that time brings.
var endings = map[string]func(scene){
	"signing out": func(s scene) {
		s.sessions[0].with(s.sessions[0].cookie).do("POST", "/v1/sign-out", "").is(http.StatusNoContent)
	},
	"signing in again in the same browser": func(s scene) {
		in := object("email", s.email, "password", goodPassword)
		s.sessions[0].with(s.sessions[0].cookie).do("POST", "/v1/sign-in", in).is(http.StatusOK)
	},
	"a sign-in above the limit": func(s scene) { s.signIn(s.t, s.email) },
	"its owner, in the list of devices": func(s scene) {
		s.sessions[2].do("DELETE", "/v1/sessions/"+s.sessions[0].sessionID(), "").is(http.StatusNoContent)
	},
	"its owner, signing all others out": func(s scene) { s.sessions[2].do("DELETE", "/v1/sessions", "").is(http.StatusNoContent) },
	"its owner, signing out everywhere": func(s scene) {
		s.sessions[2].with(s.sessions[2].cookie).do("DELETE", "/v1/sessions?all=true", "").is(http.StatusNoContent)
	},
	"a change of the password": func(s scene) { s.sessions[2].changePassword() },
	"a one-time link that was used": func(s scene) {
		s.browser(s.t).useLink("reset", s.admin.issueLink(s.account, "reset"), newPassword).is(http.StatusSeeOther)
	},
	"an administrator, one session": func(s scene) {
		s.admin.do("DELETE", "/v1/admin/accounts/"+s.account+"/sessions/"+s.sessions[0].sessionID(), "").is(http.StatusNoContent)
	},
	"an administrator, all sessions of an account": func(s scene) {
		s.admin.do("DELETE", "/v1/admin/accounts/"+s.account+"/sessions", "").is(http.StatusNoContent)
	},
	"an administrator, everything":      func(s scene) { s.admin.do("POST", "/v1/admin/revoke-everything", "").is(http.StatusNoContent) },
	"the account is disabled":           func(s scene) { s.admin.setStatus(s.account, "disabled") },
	"the account is deleted":            func(s scene) { s.admin.do("DELETE", "/v1/admin/accounts/"+s.account, "").is(http.StatusNoContent) },
	"the operator, at the command line": func(s scene) { s.operate("session", "revoke-all", s.email) },
	"a backup that is put in the place of the database": func(s scene) {
		copied := filepath.Join(s.t.TempDir(), "copy.db")
		s.operate("backup", copied)
		if err := s.stop(); err != nil {
			s.t.Fatal(err)
		}
		s.operate("restore", "--replace", copied)
		s.ahead(time.Minute)
	},
}

// What time ends is told apart by its beginning.
const (
	byIdleness = "not using it for 7 days"
	byAge      = "30 days since the password was given"
)

// livesAfter says who of a scene lives on: its three sessions, and somebody else.
var livesAfter = map[string][4]bool{
	"this one":                              {false, true, true, true},
	"that one":                              {false, true, true, true},
	"the one that the browser held":         {false, true, true, true},
	"the one that was not used for longest": {false, true, true, true},
	"all but this one":                      {false, false, true, true},
	"all of the account":                    {false, false, false, true},
	"everybody's":                           {false, false, false, false},
}

func TestRow028EveryEndingEndsWhatThePageSays(t *testing.T) {
	t.Parallel()
	c := newClockwork(t, "--sessions.per-account=3")
	admin := c.administrator(t)
	root := admin.do("GET", "/v1/session", "").word("account.email")
	bystander, other := c.member(t)
	scenes := map[string]scene{}
	for name := range endings {
		scenes[name] = scene{clockwork: c, admin: admin, bystander: bystander}.begin()
	}
	c.ahead(time.Minute) // so that the first is the one that was not used for longest
	var last [][]string
	shown := func(row []string) {
		s := scenes[row[0]]
		s.admin, s.bystander = c.signIn(t, root), c.signIn(t, other)
		s = s.grow()
		endings[row[0]](s)
		for i, b := range append(s.sessions[:], s.bystander) {
			if got := b.at(c.house).do("GET", "/check", "").status == http.StatusOK; got != livesAfter[row[1]][i] {
				t.Errorf("%s: it ends %s, and of three sessions and somebody else's the one at %d lives: %v", row[0], row[1], i, got)
			}
		}
	}
	var names []string
	for _, row := range documented(t, "ending") {
		names = append(names, row[0])
		switch _, known := livesAfter[row[1]]; {
		case row[0] == byIdleness || row[0] == byAge:
		case endings[row[0]] == nil || !known:
			t.Errorf("nobody knows how to show %q", row)
		case row[1] == "everybody's": // would end the other scenes, too
			last = append(last, row)
		default:
			shown(row)
		}
	}
	for _, row := range last {
		scenes[row[0]] = scene{clockwork: c}.begin()
		shown(row)
	}
	for name := range endings {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not on the page", name)
		}
	}
}

func TestRow028TimeEndsWhatThePageSays(t *testing.T) {
	t.Parallel()
	for _, name := range []string{byIdleness, byAge} {
		if !slices.ContainsFunc(documented(t, "ending"), func(row []string) bool { return row[0] == name && row[1] == "that one" }) {
			t.Errorf("%s is not on the page", name)
		}
	}
	c := newClockwork(t)
	unused, email := c.member(t)
	old, proved := c.signIn(t, email), c.signIn(t, email)
	live := func(all ...*browser) {
		t.Helper()
		for _, b := range all {
			b.at(c.house).do("GET", "/check", "").is(http.StatusOK)
		}
	}
	c.ahead(6 * day)
	live(old, proved)
	c.ahead(7*day + time.Minute)
	unused.at(c.house).lives(false)
	for _, at := range []time.Duration{12 * day, 18 * day, 24 * day} {
		c.ahead(at)
		live(old, proved)
	}
	proved = proved.at(c.house)
	proved.reauthenticate()
	c.ahead(30*day - time.Minute)
	live(old, proved)
	c.ahead(30*day + time.Minute)
	old.at(c.house).lives(false)
	live(proved)
}

// On a walk through all there is, those requests and no others are answered with
// a session that the page lists.
func TestRow006And028TheWaysInAreThoseOfThePage(t *testing.T) {
	t.Parallel()
	var listed, found []string
	for _, row := range documented(t, "way in") {
		listed = append(listed, strings.Trim(row[1], "`"))
	}
	seen, _ := tour(t)
	for _, a := range seen {
		if value, ok := a.handedOut(); ok && value != "" || strings.Contains(a.text, `"token":"`+access) {
			found = append(found, a.asked)
		}
	}
	slices.Sort(listed)
	slices.Sort(found)
	if found = slices.Compact(found); !slices.Equal(listed, found) {
		t.Errorf("sessions are handed out by\n%s\nand the page lists\n%s", strings.Join(found, "\n"), strings.Join(listed, "\n"))
	}
}
