package conformance

import (
	"bytes"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// house is a server that runs as a process of its own.
type house struct {
	database string // path of its file
	addr     string // host:port of the public listener
	ops      string // of the one for operations
	cmd      *exec.Cmd
	out, log *buffer
	ended    chan error
}

// url is the server's public URL.
func (h *house) url() string { return "http://" + h.addr }

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// released is the binary that people run; driven is the one with a clock that can
// be set.
const (
	released = "cloakroom"
	driven   = "driven"
)

// listening is the line of the log that says that requests are answered.
var listening = regexp.MustCompile(`msg="server: listening" listen=(\S+) ops\.listen=(\S+)`)

// start runs a binary on a database and returns when it listens, or with what it
// said if it does not.
func start(binary, database string, args ...string) (*house, error) {
	if err := build(); err != nil {
		return nil, err
	}
	given := []string{"--listen=127.0.0.1:0", "--ops.listen=127.0.0.1:0", "--database=sqlite:" + database}
	if binary == released {
		given = append([]string{"serve"}, given...)
	}
	args = append(given, args...) // of two flags the last counts
	h := &house{database: database, out: new(buffer), log: new(buffer), ended: make(chan error, 1)}
	h.cmd = exec.Command(filepath.Join(workshop, binary), args...)
	h.cmd.Stdout, h.cmd.Stderr = h.out, h.log
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { h.ended <- h.cmd.Wait() }()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if m := listening.FindStringSubmatch(h.log.String()); m != nil {
			h.addr, h.ops = m[1], m[2]
			return h, nil
		}
		select {
		case err := <-h.ended:
			return nil, &failedStart{err, h.log.String()}
		default:
		}
		if time.Now().After(deadline) {
			_ = h.cmd.Process.Kill()
			return nil, &failedStart{<-h.ended, h.log.String()}
		}
	}
}

// failedStart is a server that ended before it listened.
type failedStart struct {
	cause error
	log   string
}

func (e *failedStart) Error() string { return "the server did not start: " + e.log }
func (e *failedStart) Unwrap() error { return e.cause }

// stop asks the server to end, and waits until it has. It may be called again.
func (h *house) stop() error {
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	err := <-h.ended
	h.ended <- err
	return err
}

// open runs a binary on a new database, until the test ends.
func open(t *testing.T, binary string, args ...string) *house {
	t.Helper()
	return reopen(t, binary, filepath.Join(t.TempDir(), "cloakroom.db"), args...)
}

// newHouse is the product as it is, on a new database.
func newHouse(t *testing.T, args ...string) *house {
	t.Helper()
	return open(t, released, args...)
}

// reopen is open on a database that is there.
func reopen(t *testing.T, binary, database string, args ...string) *house {
	t.Helper()
	h, err := start(binary, database, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", h.log)
		}
	})
	return h
}

// shared is the server of those rows that leave it as they found it. It is the
// product as it is.
var shared = sync.OnceValues(func() (*house, error) {
	return start(released, filepath.Join(workshop, "shared.db"))
})

// usesShared says that somebody has asked for it.
var usesShared atomic.Bool

func sharedHouse(t *testing.T) *house {
	t.Helper()
	usesShared.Store(true)
	h, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func closeShared() {
	if !usesShared.Load() {
		return
	}
	if h, err := shared(); err == nil {
		_ = h.stop()
	}
}

// copied returns the bytes of the database and of its log, and a copy of both
// that can be read by SQL, as somebody has them who got hold of a backup.
func (h *house) copied(t *testing.T) (all []byte, db *sql.DB) {
	t.Helper()
	dir := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(h.database + suffix)
		if suffix != "" && errors.Is(err, fs.ErrNotExist) { // the server has stopped
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
		if err := os.WriteFile(filepath.Join(dir, "copy.db"+suffix), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "copy.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return all, db
}

// raw sends text as it is and returns what comes back until the server closes.
func (h *house) raw(t *testing.T, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(c, text) // a server that has closed already has answered
	answer, _ := io.ReadAll(c)
	return string(answer)
}
