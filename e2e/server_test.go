//go:build browser

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
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
	build := exec.Command("go", "build", "-o", binary, "cloakroom/cmd/cloakroom")
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the server:", err)
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

// startServer runs the built server on an empty SQLite file, as a person would
// start it, and returns the address that it says to open.
func startServer(t *testing.T) (base string) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 80*time.Second)
	cmd := exec.CommandContext(ctx, binary, "serve", "--listen", "127.0.0.1:0", "--ops.listen", "127.0.0.1:0")
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
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "Open"); ok {
			return strings.TrimSpace(address)
		}
	}
	t.Fatal("the server did not say which address to open")
	return ""
}
