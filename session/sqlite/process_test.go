package sqlite

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
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

// helpWrite signs in and revokes from 16 goroutines for as long as it lives,
// and prints a line for everything that was acknowledged.
func helpWrite() {
	s, err := Open(context.Background(), os.Args[1])
	check(err)
	var mu sync.Mutex
	say := func(verb string, token session.Hash) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf("%s %x\n", verb, token) // unbuffered: it is out before the next step
	}
	for i := range 16 {
		go func() {
			for n := 0; ; n++ {
				c := creation(fmt.Sprintf("subject-%d-%d", i, n))
				_, err := s.Create(context.Background(), time.Now(), c, nil)
				check(err)
				say("created", c.Token)
				if n%2 == 0 {
					_, err := s.Apply(context.Background(), time.Now(), session.Revoke(c.Subject, c.ID), nil)
					check(err)
					say("revoked", c.Token)
				}
			}
		}()
	}
	select {}
}

func TestAcknowledgedOutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	revoked := make(map[session.Hash]bool)
	for range 3 {
		killWhileWriting(t, path, revoked)
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		for token, revoked := range revoked {
			l, err := s.Load(t.Context(), time.Now(), token)
			if err != nil {
				t.Fatalf("an acknowledged session: %v", err)
			}
			if revoked && !l.Ended {
				t.Fatal("an acknowledged revocation is lost")
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killWhileWriting notes what a helper acknowledged before it was killed.
func killWhileWriting(t *testing.T, path string, revoked map[session.Hash]bool) {
	t.Helper()
	cmd := helper(t, "write", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		verb, text, _ := strings.Cut(lines.Text(), " ")
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != 32 {
			break // cut off by the kill
		}
		revoked[session.Hash(b)] = verb == "revoked"
		if n == 300 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
	if len(revoked) < 100 {
		t.Fatalf("only %d sessions were acknowledged", len(revoked))
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
