package readme

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheReadmeHoldsInAFreshClone does in a clone of the last commit, in an empty
// folder, what the README has a newcomer do: the command that serves is started as
// it is shown, and the commands below it are run against that server. Only the
// ports are others, so that no other server stands in the way.
func TestTheReadmeHoldsInAFreshClone(t *testing.T) {
	dir := t.TempDir()
	clone(t, dir)
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines, commands := shellLines(string(page)), shownCommands(string(page))
	if len(lines) == 0 || !strings.HasSuffix(lines[0], " serve") || len(commands) < 15 {
		t.Fatalf("the README begins with %q and shows %d commands; is it still written in sh and console blocks?", lines, len(commands))
	}
	s := serveAsShown(t, dir, lines[0])
	runShown(t, place{dir: dir, address: s.address, code: s.code}, commands)
	s.interrupt(t)
	if _, err := os.Stat(filepath.Join(dir, "cloakroom.db")); err != nil {
		t.Errorf("the README says that the data is in cloakroom.db: %v", err)
	}
	changed, err := exec.Command("git", "-C", dir, "status", "--porcelain").CombinedOutput()
	if err != nil || !onlyJars(string(changed)) {
		t.Errorf("to serve leaves something in the clone that git does not ignore (%v):\n%s", err, changed)
	}
}

// onlyJars is whether the cookies that the README has curl keep are all there is.
func onlyJars(status string) bool {
	for line := range strings.Lines(status) {
		if !strings.HasSuffix(strings.TrimSpace(line), ".jar") {
			return false
		}
	}
	return true
}

// clone makes a clone of what is committed here.
func clone(t *testing.T, dir string) {
	t.Helper()
	from, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("git", "clone", "--quiet", from, dir).CombinedOutput(); err != nil {
		t.Fatalf("the README begins with a clone, and none can be made; the test needs git, and the folder to be a working tree of it: %v\n%s", err, said)
	}
}

// served is a server that was started by a command that a page shows.
type served struct {
	shell         *exec.Cmd
	ended         chan error
	said          string // the file that has what it prints
	address, code string
}

var (
	opened    = regexp.MustCompile(`(?m)^  Open +(\S+)$`)
	setupCode = regexp.MustCompile(`with the code (\S+)`)
)

// serveAsShown starts a command in a folder, and returns when it serves.
func serveAsShown(t *testing.T, dir, line string, environment ...string) *served {
	t.Helper()
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	s := &served{shell: exec.Command("sh", "-c", "exec "+line), ended: make(chan error, 1), said: said.Name()}
	s.shell.Dir, s.shell.Stdout, s.shell.Stderr = dir, said, said
	s.shell.Env = append(append(os.Environ(), "CLOAKROOM_LISTEN=127.0.0.1:0", "CLOAKROOM_OPS_LISTEN=127.0.0.1:0"), environment...)
	s.shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run has a child, as in a terminal
	if err := s.shell.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.shell.Wait() }()
	t.Cleanup(func() { _ = syscall.Kill(-s.shell.Process.Pid, syscall.SIGKILL) })
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		text := s.printed(t)
		at, code := opened.FindStringSubmatch(text), setupCode.FindStringSubmatch(text)
		if at != nil && code != nil {
			s.address, s.code = strings.TrimSuffix(at[1], "/"), code[1]
			return s
		}
		select {
		case err := <-s.ended:
			t.Fatalf("%s ended: %v\n%s", line, err, text)
		default:
		}
	}
	t.Fatalf("%s does not say what to open:\n%s", line, s.printed(t))
	return nil
}

func (s *served) printed(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(s.said)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// failed is what go run prints when the program that it runs fails. That it was
// interrupted itself it always calls a failure, and prints nothing.
var failed = regexp.MustCompile(`(?m)^(exit status|signal:)`)

// interrupt is Ctrl-C, which reaches all that the command started. The server stops,
// which is no failure, and nobody answers at its address any more.
func (s *served) interrupt(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-s.shell.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		t.Fatalf("Ctrl-C does not end the server:\n%s", s.printed(t))
	}
	if text := s.printed(t); failed.MatchString(text) || !strings.Contains(text, "server: stopping") {
		t.Errorf("Ctrl-C ends the server as a failure:\n%s", text)
	}
	if c, err := net.Dial("tcp", strings.TrimPrefix(s.address, "http://")); err == nil {
		_ = c.Close()
		t.Errorf("after Ctrl-C something still listens at %s", s.address)
	}
}
