package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// database makes a file in a folder whose name has this length at least.
func database(t *testing.T, length int) string {
	t.Helper()
	folder := t.TempDir()
	for len(folder) < length {
		folder = filepath.Join(folder, strings.Repeat("d", 50))
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "c.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func listen(t *testing.T, database string) net.Listener {
	t.Helper()
	path, err := Path(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestTheSocketIsItsUsersAlone(t *testing.T) {
	for _, length := range []int{0, 200} {
		db := database(t, length)
		l := listen(t, db)
		path := l.Addr().String()
		info, err := os.Lstat(path)
		if err != nil || info.Mode() != os.ModeSocket|0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if len(path) > longest {
			t.Errorf("a path of %d bytes", len(path))
		}
		if length == 0 && path != db+".sock" {
			t.Errorf("the socket is at %s", path)
		}
		go func() {
			if c, err := l.Accept(); err == nil {
				_, _ = c.Write([]byte("x"))
				_ = c.Close()
			}
		}()
		c, err := Dial(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		_ = c.Close()
	}
}

func TestWithoutAServerThereIsNobody(t *testing.T) {
	db := database(t, 0)
	if _, err := Dial(t.Context(), db); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: db + ".sock", Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err := Dial(t.Context(), db); !errors.Is(err, ErrNobody) {
		t.Errorf("a socket that was left behind: %v", err)
	}
	listen(t, db) // takes its place
}

// TestWhatStandsInTheSocketsPlaceIsNotTouched: a link could lead anywhere.
func TestWhatStandsInTheSocketsPlaceIsNotTouched(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"a file":   func(path string) error { return os.WriteFile(path, []byte("precious"), 0o600) },
		"a link":   func(path string) error { return os.Symlink("/etc/passwd", path) },
		"a folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
	} {
		path := database(t, 0) + ".sock"
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		before, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.Lstat(path); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s: %v, %v", name, after, err)
		}
	}
}

// TestASocketOfSomebodyElsesIsNotSpokenTo: whoever can write to the folder could
// put one there and be told passwords.
func TestASocketOfSomebodyElsesIsNotSpokenTo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("only root can be two users, and this test needs two: run it as root")
	}
	const nobody = 65534
	folder, err := os.MkdirTemp("", "control") // which others can reach
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(folder, "c.db")
	if err := os.WriteFile(db, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "program") // where others can run it
	text, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(program, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	helper := func(as uint32, mode, path string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), program, "-test.run=^TestHelper$")
		c.Env = []string{"CONTROL_HELPER=" + mode, "CONTROL_PATH=" + path}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: as, Gid: as}}
		return c
	}
	squatter := helper(nobody, "listen", db+".sock")
	out, err := squatter.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := squatter.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // it listens
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), db); !errors.Is(err, ErrStranger) {
		t.Errorf("somebody else's socket: %v", err)
	}
	_ = squatter.Process.Kill()
	_ = squatter.Wait()

	// The other way round: the mode keeps others out, and if it did not, who they are.
	l := listen(t, db)
	accepted := make(chan error, 1)
	go func() { _, err := l.Accept(); accepted <- err }()
	if said, err := helper(nobody, "dial", db+".sock").CombinedOutput(); err != nil || !strings.Contains(string(said), "permission denied") {
		t.Errorf("%v: %s", err, said)
	}
	if err := os.Chmod(db+".sock", 0o777); err != nil {
		t.Fatal(err)
	}
	if said, err := helper(nobody, "dial", db+".sock").CombinedOutput(); err != nil || !strings.Contains(string(said), "closed without a word") {
		t.Errorf("%v: %s", err, said)
	}
	_ = l.Close()
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("somebody else was accepted: %v", err)
	}
}

// TestHelper is another user's process.
func TestHelper(t *testing.T) {
	path := os.Getenv("CONTROL_PATH")
	switch os.Getenv("CONTROL_HELPER") {
	case "listen":
		if _, err := net.Listen("unix", path); err != nil {
			t.Fatal(err)
		}
		fmt.Println("listening")
		select {}
	case "dial":
		c, err := net.Dial("unix", path)
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := c.Read(make([]byte, 1)); err != nil {
			fmt.Println("closed without a word")
		}
	}
}
