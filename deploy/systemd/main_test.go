package systemd

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cloakroom/internal/product"
)

// workshop is where the binary is built, and where sockets have short names.
var workshop string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "systemd")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	workshop = dir
	return m.Run()
}

// build makes the server, once, and returns where it is.
var build = sync.OnceValues(func() (string, error) {
	return filepath.Join(workshop, "cloakroom"), product.Build(workshop, product.Server)
})

func binary(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// process is a server that runs until the test ends.
type process struct {
	*exec.Cmd
	t    *testing.T
	said *os.File
	done chan struct{}
	err  error // once done is closed
}

// prepare returns a server that was not started yet, on a database in dir.
func prepare(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	said, err := os.CreateTemp(t.TempDir(), "said")
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"serve", "--listen=127.0.0.1:0", "--ops.listen=127.0.0.1:0",
		"--database=sqlite:" + filepath.Join(dir, "cloakroom.db")}, args...)
	p := &process{Cmd: exec.Command(binary(t), args...), t: t, said: said, done: make(chan struct{})}
	p.Stdout, p.Stderr, p.Env = said, said, os.Environ()
	return p
}

// asSystemd has the process be started with these sockets, which have these
// names. A shell finds the number of the process first, which it goes on to be.
func (p *process) asSystemd(names string, sockets ...*os.File) *process {
	p.ExtraFiles = sockets
	p.Env = append(p.Env, fmt.Sprint("LISTEN_FDS=", len(sockets)), "LISTEN_FDNAMES="+names)
	p.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, p.Path}, p.Args[1:]...)
	p.Path = "/bin/sh"
	return p
}

func (p *process) start() *process {
	p.t.Helper()
	if err := p.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		p.err = p.Wait()
		close(p.done)
	}()
	p.t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.done
		_ = p.said.Close()
		if p.t.Failed() {
			p.t.Logf("the server said:\n%s", p.text())
		}
	})
	return p
}

func (p *process) text() string {
	text, _ := os.ReadFile(p.said.Name())
	return string(text)
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits until the process has ended by itself, without an error.
func (p *process) ends() {
	p.t.Helper()
	select {
	case <-p.done:
		if p.err != nil {
			p.t.Errorf("the server ended with %v", p.err)
		}
	case <-time.After(20 * time.Second):
		p.t.Fatal("the server does not end")
	}
}

// address waits for the log to say where the server listens.
func (p *process) address(key string) string {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, rest, ok := strings.Cut(p.text(), " "+key+"="); ok {
			if address, _, ok := strings.Cut(rest, " "); ok {
				return address
			}
		}
	}
	p.t.Fatalf("the log does not say where %s is:\n%s", key, p.text())
	return ""
}

// status asks once, on a connection of its own.
func status(t *testing.T, address, path string) int {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := client.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	return a.StatusCode
}

// signUp makes an account and returns its session cookie's value.
func signUp(t *testing.T, address, email string) string {
	t.Helper()
	body := bytes.NewBufferString(`{"email":"` + email + `","password":"correct horse battery staple"}`)
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := client.Post("http://"+address+"/auth/v1/sign-up", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	for _, c := range a.Cookies() {
		if c.Name == "__Host-session" {
			return c.Value
		}
	}
	t.Fatalf("sign-up: %s", a.Status)
	return ""
}

// asks sends one check on a connection, and returns the status of the answer and
// whether the connection ends with it.
func asks(c net.Conn, from *bufio.Reader, cookie string) (status int, last bool, err error) {
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, "GET /auth/check HTTP/1.1\r\nHost: x\r\nCookie: __Host-session="+cookie+"\r\n\r\n"); err != nil {
		return 0, true, err
	}
	a, err := http.ReadResponse(from, nil)
	if err != nil {
		return 0, true, err
	}
	_, err = io.Copy(io.Discard, a.Body)
	return a.StatusCode, a.Close, err
}
