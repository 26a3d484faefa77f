package server

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/notify"
	"cloakroom/session"
)

// serviceManager is a socket of the kind that systemd listens on.
type serviceManager struct {
	t    *testing.T
	conn *net.UnixConn
}

// newServiceManager returns one, and how a server sees it.
func newServiceManager(t *testing.T, watchdog string) (*serviceManager, func(*Options)) {
	t.Helper()
	folder, err := os.MkdirTemp("", "notify") // a test's own is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "n")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = os.RemoveAll(folder)
	})
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", watchdog)
	manager, err := notify.FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	return &serviceManager{t, conn}, func(o *Options) { o.Manager = manager }
}

// hears returns what it is told within a time, or "".
func (m *serviceManager) hears(within time.Duration) string {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		m.t.Fatal(err)
	}
	text := make([]byte, 4096)
	n, err := m.conn.Read(text)
	if err != nil {
		return ""
	}
	return string(text[:n])
}

// counts counts what it is told of one kind in a time.
func (m *serviceManager) counts(state string, within time.Duration) (n int) {
	m.t.Helper()
	for until := time.Now().Add(within); time.Until(until) > 0; {
		if m.hears(time.Until(until)) == state {
			n++
		}
	}
	return n
}

func TestTheServiceManagerIsToldOfReadinessOfLifeAndOfTheEnd(t *testing.T) {
	m, told := newServiceManager(t, "200000")
	s := newSite(t, told)
	if got := m.hears(5 * time.Second); got != "READY=1" {
		t.Fatalf("first it is told %q", got)
	}
	s.browser().do("GET", "/check", "").is(http.StatusUnauthorized)
	if n := m.counts("WATCHDOG=1", time.Second); n < 5 || n > 11 {
		t.Errorf("in a second it is told %d times of a server that is alive, which has to be every 200 ms", n)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.stop() }()
	for got := ""; got != "STOPPING=1"; {
		if got = m.hears(5 * time.Second); got == "" {
			t.Fatal("it is not told that the server ends")
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestOnlyAServerThatHangsIsStartedAnew: one whose store fails is no better off
// for it.
func TestOnlyAServerThatHangsIsStartedAnew(t *testing.T) {
	m, told := newServiceManager(t, "200000")
	store := new(faulty)
	s := newSite(t, told, func(o *Options) {
		o.wrap = func(inner session.Store) session.Store { store.Store = inner; return store }
	})
	store.set(failing)
	if n := m.counts("WATCHDOG=1", 500*time.Millisecond); n < 2 {
		t.Errorf("of one whose store fails it is told %d times", n)
	}
	store.set(hanging)
	time.Sleep(200 * time.Millisecond)
	for m.hears(time.Millisecond) != "" {
		continue
	}
	if n := m.counts("WATCHDOG=1", time.Second); n > 0 {
		t.Errorf("of one whose store hangs it is told %d times that it is alive", n)
	}
	store.mend()
	if n := m.counts("WATCHDOG=1", time.Second); n < 3 {
		t.Errorf("of one whose store answers again it is told %d times", n)
	}
	release := make(chan struct{})
	writing := make(chan error, 1)
	go func() {
		writing <- s.store.Write(context.Background(), sqlHold(release))
	}()
	time.Sleep(200 * time.Millisecond)
	for m.hears(time.Millisecond) != "" {
		continue
	}
	if n := m.counts("WATCHDOG=1", time.Second); n > 0 {
		t.Errorf("of one that cannot write it is told %d times that it is alive", n)
	}
	close(release)
	if err := <-writing; err != nil {
		t.Error(err)
	}
}

func TestASocketThatIsHandedOverIsUsedAndNoOther(t *testing.T) {
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(o *Options) {
		o.Config.Listen = "127.0.0.1:1" // which nobody here may listen on, or has use for
		o.Sockets = map[string]net.Listener{"public": public}
	})
	if s.Addr() != public.Addr() || !strings.HasSuffix(s.URL(), public.Addr().String()[len("127.0.0.1"):]) {
		t.Errorf("listens on %v as %s", s.Addr(), s.URL())
	}
	s.browser().signUp("ada@example.com")
}

// TestASocketThatIsHandedOverIsHeldToTheRules that hold for one that is
// configured.
func TestASocketThatIsHandedOverIsHeldToTheRules(t *testing.T) {
	everywhere, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer everywhere.Close()
	named, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer named.Close()
	s := newSite(t)
	for name, c := range map[string]struct {
		sockets map[string]net.Listener
		url     string
		want    string
	}{
		"open to all without https":  {map[string]net.Listener{"public": everywhere}, "", "there is no https public URL"},
		"operations open to all":     {map[string]net.Listener{"ops": everywhere}, "http://localhost", "ops.listen: "},
		"a path without an address":  {map[string]net.Listener{"public": named}, "", "public_url: is needed"},
		"a name that means nothing":  {map[string]net.Listener{"cloakroom.socket": everywhere}, "https://example.com", "FileDescriptorName=public"},
		"all of it, and it is right": {map[string]net.Listener{"public": named, "ops": everywhere}, "https://example.com", ""},
	} {
		cfg := s.settingsOf()
		cfg.Listen, cfg.PublicURL = "127.0.0.1:0", nil
		if c.url != "" {
			cfg.PublicURL = []string{c.url}
		}
		srv, err := New(t.Context(), Options{Config: cfg, Sockets: c.sockets})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, without %q", name, err, c.want)
		}
		if err == nil {
			_ = srv.Close()
		}
	}
}
