//go:build proxies

package deploy_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs until the test ends.
type process struct {
	*exec.Cmd
	said string // the file that it writes to
	done chan struct{}
}

// start runs a program. What it said is shown if the test fails.
func start(t *testing.T, dir, name string, args ...string) *process {
	t.Helper()
	said, err := os.CreateTemp(t.TempDir(), filepath.Base(name))
	if err != nil {
		t.Fatal(err)
	}
	p := &process{exec.Command(name, args...), said.Name(), make(chan struct{})}
	p.Dir, p.Stdout, p.Stderr = dir, said, said
	p.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "HOME="+dir) // Caddy's
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Wait() // ended by us, or found out about below
		close(p.done)
	}()
	t.Cleanup(func() {
		p.end()
		_ = said.Close()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.text())
		}
	})
	return p
}

func (p *process) text() string {
	text, _ := os.ReadFile(p.said)
	return string(text)
}

// stop has the program hang: it accepts connections, and does no more. It returns
// when the last of its threads stands still.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.Process.Pid))
		if err != nil || len(threads) == 0 {
			t.Fatalf("no threads: %v", err)
		}
		running := slices.ContainsFunc(threads, func(path string) bool {
			stat, _ := os.ReadFile(path)
			_, state, _ := strings.Cut(string(stat), ") ")
			return !strings.HasPrefix(state, "T")
		})
		if !running {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the program does not stop")
		}
	}
}

// end asks the program to end, and makes it if it does not.
func (p *process) end() {
	_ = p.Process.Signal(syscall.SIGCONT)
	_ = p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(3 * time.Second):
		_ = p.Process.Kill()
		<-p.done
	}
}

// listening waits until the program accepts connections.
func (p *process) listening(t *testing.T, addr string) *process {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
			return p
		}
		select {
		case <-p.done:
			t.Fatalf("%s ended:\n%s", p.Path, p.text())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen on %s:\n%s", p.Path, addr, p.text())
		}
	}
}

// freePort returns a port that nobody listens on, and that is given to no
// connection: two programs have to be told it before either has taken it.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := fmt.Sprint(20000 + rand.IntN(12000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}
