package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"cloakroom/internal/config"
)

// ops asks the operations listener.
func (s *site) ops(path string) (int, string) {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + s.OpsAddr().String() + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// abandon leaves a socket behind that nobody listens on.
func abandon(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// settingsOf is a configuration like the site's, with a database of its own.
func (s *site) settingsOf() config.Config {
	return config.Config{
		OpsListen: "127.0.0.1:0", PublicURL: []string{"https://example.com"},
		Database: "sqlite:" + s.t.TempDir() + "/other.db", SignUp: "open",
	}
}

func TestHealthAndReadinessStandOnTheirOwnListener(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if status, text := s.ops(path); status != http.StatusOK || text != want {
			t.Errorf("%s: %d %q", path, status, text)
		}
		host := func(r *http.Request) { r.Host = s.URL()[len("http://"):] }
		s.browser().to("GET", path, "", host).problem(http.StatusNotFound, "not-found")
	}
	if status, _ := s.ops("/auth/v1/session"); status != http.StatusNotFound {
		t.Errorf("the API on the operations listener: %d", status)
	}
}

func TestNotReadyWhileTheStoreDoesNotAnswer(t *testing.T) {
	s, store, _, _ := newFaultySite(t)
	store.set(failing)
	if status, _ := s.ops("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz: %d", status)
	}
	if status, _ := s.ops("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d", status)
	}
	store.mend()
	if status, _ := s.ops("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz after that: %d", status)
	}
}

func TestRequestsInFlightAreAnsweredBeforeTheServerEnds(t *testing.T) {
	s, store, cookie, _ := newFaultySite(t)
	under, release := make(chan struct{}), make(chan struct{})
	store.set(func(context.Context) error {
		select {
		case under <- struct{}{}:
		default:
		}
		<-release
		return nil
	})
	status := make(chan int, 1)
	go func() {
		defer close(status)
		status <- s.with(cookie).do("GET", "/v1/session", "").status
	}()
	<-under
	ended := make(chan error)
	go func() { ended <- s.stop() }()
	for s.ready.Load() {
		time.Sleep(time.Millisecond)
	}
	close(release)
	if got := <-status; got != http.StatusOK {
		t.Errorf("the request in flight: %d", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestLastUsesAreWrittenWhenTheServerEnds(t *testing.T) {
	s := newSite(t)
	b := s.browser().signUp("ada@example.com")
	s.exec(`UPDATE cloakroom_sessions SET last_seen = last_seen - 1000, idle_ends = idle_ends - 1000`)
	var before int64
	if err := s.store.Read().QueryRow(`SELECT last_seen FROM cloakroom_sessions`).Scan(&before); err != nil {
		t.Fatal(err)
	}
	b.do("GET", "/check", "").is(http.StatusOK)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	again := newSite(t, func(o *Options) { o.Config.Database = "sqlite:" + s.Database() })
	var after int64
	if err := again.store.Read().QueryRow(`SELECT last_seen FROM cloakroom_sessions`).Scan(&after); err != nil {
		t.Fatal(err)
	}
	if after <= before+500 {
		t.Errorf("last seen %d before and %d after", before, after)
	}
}
