package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cloakroom/session"
)

// helper is this test binary as another process on the same file.
func helper(t *testing.T, name, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, path)
	cmd.Env = append(os.Environ(), helperEnv+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "helper:", err)
		os.Exit(1)
	}
}

// helpOpen says how opening went.
func helpOpen() {
	s, err := Open(context.Background(), os.Args[1])
	if err != nil {
		fmt.Print(err)
		return
	}
	check(s.Close())
	fmt.Print("opened")
}

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sessions.db")
	link := filepath.Join(dir, "link.db")
	s := openAt(t, path)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	fromElsewhere := func() string {
		out, err := helper(t, "open", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	for _, name := range []string{path, link} {
		_, err := Open(t.Context(), name)
		if err == nil || !strings.Contains(err.Error(), path+".lock") {
			t.Errorf("second Open of %s in this process: %v", name, err)
		}
	}
	if out := fromElsewhere(); !strings.Contains(out, path+".lock") {
		t.Errorf("Open in another process: %s", out)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if out := fromElsewhere(); out != "opened" {
		t.Errorf("Open in another process after Close: %s", out)
	}
}

func TestFilesAreTheOwnersOnly(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "sessions.db")
	openAt(t, path)
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", filepath.Base(name), mode)
		}
	}
}

// helpFill is a process on a disk that is full, as far as it can see: the
// system lets no file grow beyond a limit. It writes until that fails, and
// again once there is room.
func helpFill() {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := Open(context.Background(), os.Args[1])
	check(err)
	var before syscall.Rlimit
	check(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	info, err := os.Stat(os.Args[1] + "-wal")
	check(err)
	full := before
	full.Cur = uint64(info.Size()) + 200_000
	check(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full))

	var kept []session.Hash
	for {
		c := creation("subject")
		c.Limit = 1_000_000
		if _, err = s.Create(context.Background(), time.Now(), c, nil); err != nil {
			break
		}
		kept = append(kept, c.Token)
	}
	fmt.Println("full:", errors.Is(err, session.ErrUnknownOutcome), err)
	_, err = s.Tick(context.Background(), session.Position{}, 10)
	fmt.Println("tick:", err)

	check(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before))
	for {
		if _, err = s.Create(context.Background(), time.Now(), creation("after"), nil); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, token := range kept {
		_, err := s.Load(context.Background(), time.Now(), token)
		check(err)
	}
	fmt.Println("recovered with", len(kept))
	check(s.Close())
}

func TestFullDisk(t *testing.T) {
	out, err := helper(t, "fill", filepath.Join(t.TempDir(), "sessions.db")).Output()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(out), "\n")
	if !strings.HasPrefix(lines[0], "full: true") {
		t.Error("the write that found no room has no unknown outcome")
	}
	if !strings.Contains(lines[1], "out of use") {
		t.Error("the log is still vouched for")
	}
	if !strings.HasPrefix(lines[2], "recovered with") {
		t.Error("the store did not come back")
	}
}
