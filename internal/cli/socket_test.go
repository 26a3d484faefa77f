package cli

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const nobody = 65534

// shared is a folder that everybody can write to, as /tmp is, with the program in it.
type shared struct{ folder, program, database string }

func newShared(t *testing.T) shared {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("only root can be two users, and this test needs two: run it as root")
	}
	folder, err := os.MkdirTemp("", "shared") // t.TempDir is no other user's to reach
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	s := shared{folder, filepath.Join(folder, "cloakroom"), filepath.Join(folder, "c.db")}
	text, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(s.program, text, 0o755)
	}
	if err := errors.Join(err, os.Chmod(folder, 0o777|os.ModeSticky)); err != nil {
		t.Fatal(err)
	}
	return s
}

// command is the program as a user runs it, with the database in the folder.
func (s shared) command(t *testing.T, user uint32, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), s.program, append(args, "--database=sqlite:"+s.database)...)
	c.Dir = s.folder
	c.Env = append(os.Environ(), "CLOAKROOM_LISTEN=127.0.0.1:0", "CLOAKROOM_OPS_LISTEN=127.0.0.1:0")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	return c
}

// refused fails unless a command fails, and says this.
func refused(t *testing.T, c *exec.Cmd, says string) {
	t.Helper()
	killed := time.AfterFunc(20*time.Second, func() { _ = c.Process.Kill() })
	defer killed.Stop()
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), says) {
		t.Errorf("%v, and it does not fail with %q: %v\n%s", c.Args, says, err, out)
	}
}

// TestServeDoesNotStartOverASocketOfSomebodyElses: it can take it away from nobody in
// a folder where each keeps their own, and does not serve without one.
func TestServeDoesNotStartOverASocketOfSomebodyElses(t *testing.T) {
	s := newShared(t)
	l, err := net.Listen("unix", s.database+".sock") // root's
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	serve := s.command(t, nobody, "serve")
	refused(t, serve, "c.db.sock is a socket of somebody else's; move it away")
	if c, err := net.Dial("unix", s.database+".sock"); err != nil {
		t.Errorf("the socket is its owner's no longer: %v", err)
	} else {
		_ = c.Close()
	}
}

// TestACommandTellsASquatterNothing: whoever can write to the folder puts a socket
// there before a server does, and waits to be told passwords.
func TestACommandTellsASquatterNothing(t *testing.T) {
	s := newShared(t)
	if err := os.WriteFile(s.database, nil, 0o600); err != nil { // root's, as the command is
		t.Fatal(err)
	}
	l, err := net.Listen("unix", s.database+".sock")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	told := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		text, _ := io.ReadAll(c)
		told <- string(text)
	}()
	list := s.command(t, nobody, "account", "create", "ada@example.com", "--password")
	list.Stdin = strings.NewReader("correct horse battery staple\n")
	if err := errors.Join(os.Chmod(s.database+".sock", 0o777), os.Chown(s.database, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	refused(t, list, "the other end is not the server's user")
	select {
	case text := <-told:
		if text != "" {
			t.Errorf("it was told %q", text)
		}
	case <-time.After(10 * time.Second):
		t.Error("nobody came")
	}
}

// TestServeAnswersNoOtherUser: the mode of the socket keeps others out and, if it did
// not, who they are.
func TestServeAnswersNoOtherUser(t *testing.T) {
	s := newShared(t)
	serve := s.command(t, 0, "serve")
	serve.Cancel = func() error { return serve.Process.Signal(syscall.SIGTERM) }
	out, err := serve.StdoutPipe()
	if err == nil {
		err = serve.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // it has greeted
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	list := func() *exec.Cmd { return s.command(t, nobody, "account", "list") }
	refused(t, list(), "is another user's; run this as the user who runs the server, or as root")
	if err := errors.Join(os.Chmod(s.database+".sock", 0o777), os.Chmod(s.database, 0o644)); err != nil {
		t.Fatal(err)
	}
	refused(t, list(), "the server does not answer")
	if said, err := s.command(t, 0, "account", "list").CombinedOutput(); err != nil {
		t.Errorf("the server's own user: %v\n%s", err, said)
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Errorf("the server ends with %v", err)
	}
}
