//go:build browser

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cloakroom/internal/product"
)

// binary is the server, built once for all tests; shared is the browser of the
// tests that need no profile of their own, started when it is first asked for.
var (
	binary string
	shared func() (context.Context, error)
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cloakroom-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "cloakroom")
	if err := product.Build(dir, product.Server); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	stop := func() {}
	defer func() { stop() }()
	shared = sync.OnceValues(func() (context.Context, error) {
		ctx, end, err := startBrowser(filepath.Join(dir, "profile"))
		if err == nil {
			stop = end
		}
		return ctx, err
	})
	return m.Run()
}

// server is a server as it describes itself when it is started.
type server struct {
	base string // the address to open
	code string // that makes the first administrator
}

// startServer runs the built server and returns the address that it says to open.
func startServer(t *testing.T) (base string) { t.Helper(); return startSetup(t).base }

var setupCode = regexp.MustCompile(`\b[0-9A-Z]{4}(-[0-9A-Z]{4}){4}\b`)

// startSetup runs the built server on an empty SQLite file, as a person would
// start it, and reads what it says.
func startSetup(t *testing.T, flags ...string) server {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 4*time.Minute)
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--ops.listen", "127.0.0.1:0"}, flags...)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = t.TempDir() // where cloakroom.db will be
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // ended by us
		_ = log.Close()
		if said, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("the server said:\n%s", said)
		}
	})
	var s server
	lines := bufio.NewScanner(out)
	for lines.Scan() && (s.base == "" || s.code == "") {
		if address, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "Open"); ok {
			s.base = strings.TrimSpace(address)
		}
		if code := setupCode.FindString(lines.Text()); code != "" {
			s.code = code
		}
	}
	if s.base == "" || s.code == "" {
		t.Fatalf("the server did not say which address to open, or how to set it up: %+v", s)
	}
	return s
}
