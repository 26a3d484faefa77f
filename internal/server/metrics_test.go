package server

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/factor/password"
)

// figure reads one line of /metrics.
func (s *site) figure(name string) string {
	s.t.Helper()
	status, text := s.ops("/metrics")
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(text)
	if status != http.StatusOK || m == nil {
		s.t.Errorf("%d, no figure %s", status, name)
		return ""
	}
	return m[1]
}

func TestWhatHappensIsCounted(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Config.Policies = "{admin: {roles: [admin]}}" })
	ada := s.browser().signUp("ada@example.com")
	for range 3 {
		ada.do("GET", "/check", "").is(http.StatusOK)
	}
	ada.do("GET", "/check/admin", "").is(http.StatusForbidden)
	s.browser().do("GET", "/forward", "").is(http.StatusUnauthorized)
	ada.do("GET", "/v1/sessions/"+strings.Repeat("a", 26), "")
	s.browser().do("GET", "/v1/nothing/"+ada.cookie, "").is(http.StatusNotFound)
	s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", wrongAnswer)).is(http.StatusUnauthorized)
	for name, want := range map[string]string{
		`cloakroom_check_decisions_total{decision="allowed",policy=""}`:                            "3",
		`cloakroom_check_decisions_total{decision="refused",policy="admin"}`:                       "1",
		`cloakroom_check_decisions_total{decision="signed_out",policy=""}`:                         "1",
		`cloakroom_check_decisions_total{decision="undecided",policy=""}`:                          "0",
		`cloakroom_http_request_duration_seconds_count{code="201",route="POST /auth/v1/sign-up"}`:  "1",
		`cloakroom_http_request_duration_seconds_count{code="401",route="POST /auth/v1/sign-in"}`:  "1",
		`cloakroom_http_request_duration_seconds_count{code="405",route="/auth/v1/sessions/{id}"}`: "1",
		`cloakroom_http_request_duration_seconds_count{code="404",route="none"}`:                   "1",
		`cloakroom_store_duration_seconds_count{operation="create",outcome="answered"}`:            "1",
		`cloakroom_cached_sessions`: "1", `cloakroom_cached_subjects`: "1", `cloakroom_cache_limit_bytes`: "2.68435456e+08",
		`cloakroom_loads_in_progress`: "0", `cloakroom_revocation_lag_seconds`: "0",
	} {
		if got := s.figure(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	s.admin("root@example.com").do("POST", "/v1/admin/accounts", `{"email":"ada@example.com"}`).is(http.StatusConflict)
	_, text := s.ops("/metrics")
	if strings.Contains(text, `outcome="failed"`) {
		t.Error("a refusal is taken for a failure of the store")
	}
	for _, secret := range []string{ada.cookie, ada.accountID(), ada.sessionID(), "ada@example.com"} {
		if strings.Contains(text, secret) {
			t.Errorf("the figures hold %.8s…", secret)
		}
	}
	host := func(r *http.Request) { r.Host = s.URL()[len("http://"):] }
	s.browser().to("GET", "/metrics", "", host).problem(http.StatusNotFound, "not-found")
}

// TestWhatWaitsToBeHashedIsCounted, and who is turned away, and who waits for the store.
func TestWhatWaitsToBeHashedIsCounted(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Passwords.Slots, o.Passwords.Queue, o.Passwords.Wait = 1, 2, time.Minute })
	s.browser().signUp("ada@example.com")
	turn, err := s.signin.Passwords.Turn(t.Context(), password.Place{Rank: password.First})
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan answer, 5)
	for range 5 {
		go func() { answers <- s.browser().do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword)) }()
	}
	for range 3 {
		(<-answers).problem(http.StatusServiceUnavailable, "busy")
	}
	for name, want := range map[string]string{
		"cloakroom_hashing_slots": "1", "cloakroom_hashing_in_progress": "1",
		"cloakroom_hashing_waiting": "2", "cloakroom_hashing_refused_total": "3",
	} {
		if got := s.figure(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	turn.End()
	for range 2 {
		(<-answers).is(http.StatusOK)
	}
}

// TestWhoWaitsForTheStoreIsCounted while the store hangs.
func TestWhoWaitsForTheStoreIsCounted(t *testing.T) {
	s, store, cookie, _ := newFaultySite(t)
	store.set(hanging)
	answered := make(chan answer, 1)
	go func() { answered <- s.with(cookie).do("GET", "/check", "") }()
	for deadline := time.Now().Add(time.Second); s.figure("cloakroom_loads_in_progress") != "1"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("nobody waits")
			break
		}
	}
	store.mend()
	<-answered
}

// TestLiveSessionsAreThoseThatWouldBeLetIn: not those that have ended, in whichever way.
func TestLiveSessionsAreThoseThatWouldBeLetIn(t *testing.T) {
	s := newSite(t)
	ada := s.browser().signUp("ada@example.com")
	s.browser().signIn("ada@example.com").do("POST", "/v1/sign-out", "").is(http.StatusNoContent)
	s.browser().signUp("eve@example.com").do("DELETE", "/v1/sessions?all=true", "").is(http.StatusNoContent)
	s.browser().signIn("ada@example.com")
	if got := s.figure("cloakroom_live_sessions"); got != "2" {
		t.Errorf("%s", got)
	}
	ada.do("POST", "/v1/sign-out", "").is(http.StatusNoContent)
	if got := s.figure("cloakroom_live_sessions"); got != "2" { // a scrape must not read them all each time
		t.Errorf("counted anew: %s", got)
	}
}

// TestTheRecordIsKeptAsLongAsIsConfigured and no longer.
func TestTheRecordIsKeptAsLongAsIsConfigured(t *testing.T) {
	before := new(setClock)
	before.set(-48 * time.Hour)
	first := newSite(t, before.options)
	first.browser().signUp("ada@example.com")
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{"3d", "1d"} {
		want := kept == "3d"
		s := newSite(t, func(o *Options) {
			o.Config.Database, o.Config.AuditRetention = "sqlite:"+first.Database(), kept
		})
		entries := func() int { return s.count(`SELECT count(*) FROM cloakroom_audit WHERE event = 'account.created'`) }
		for end := time.Now().Add(2 * time.Second); time.Now().Before(end) && (want || entries() > 0); time.Sleep(10 * time.Millisecond) {
		}
		if (entries() > 0) != want {
			t.Errorf("after two days, kept for %s: %d", kept, entries())
		}
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnOutageIsCountedAsOne(t *testing.T) {
	s, store, cookie, _ := newFaultySite(t)
	store.set(failing)
	s.with(cookie).do("GET", "/check", "").is(http.StatusServiceUnavailable)
	store.mend()
	s.with(cookie).do("GET", "/check", "").is(http.StatusOK)
	for name, want := range map[string]string{
		`cloakroom_check_decisions_total{decision="undecided",policy=""}`:           "1",
		`cloakroom_loads_total{outcome="undecided"}`:                                "1",
		`cloakroom_loads_total{outcome="decided"}`:                                  "1",
		`cloakroom_store_duration_seconds_count{operation="load",outcome="failed"}`: "1",
	} {
		if got := s.figure(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
