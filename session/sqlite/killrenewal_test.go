package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloakroom/session"
)

// node is a Manager on the file, until the test's end or end.
func node(path string, now func() time.Time) (m *session.Manager, end func() error, err error) {
	s, err := Open(context.Background(), path)
	if err != nil {
		return nil, nil, err
	}
	m, err = session.New(session.Config{Store: s, Now: now})
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	return m, func() error { cancel(); return errors.Join(<-ended, s.Close()) }, m.Ready(ctx)
}

// helpRenew renews a session whose refresh token it reads, uses the new token, and so
// on, for as long as it lives. It prints each pair when its client would have it.
func helpRenew() {
	ctx := context.Background()
	text, err := io.ReadAll(os.Stdin)
	check(err)
	m, _, err := node(os.Args[1], nil)
	check(err)
	refresh := string(text)
	for {
		token, _, err := m.Renew(ctx, refresh)
		check(err)
		refresh = token.Refresh().Reveal()
		fmt.Println(token.Reveal(), refresh) // unbuffered: it is out before the next step
		_, err = m.Check(ctx, token.Reveal(), session.Cached)
		check(err)
	}
}

// A process is killed 50 times in the middle of a renewal. Afterwards the client's pair
// or the one after it is good, never neither, and once that one is used the client's
// is dead when its grace is over.
func TestARenewalOutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	access, refresh := beginRenewable(t, path)
	var ahead time.Duration
	for range 50 {
		access, refresh = killWhileRenewing(t, path, access, refresh)
		m, end, err := node(path, func() time.Time { return time.Now().Add(ahead) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Check(t.Context(), access, session.Cached); err != nil {
			t.Fatalf("I9: the client's token: %v", err)
		}
		first, _, err := m.Renew(t.Context(), refresh)
		if err != nil {
			t.Fatalf("I9: the client's refresh token: %v", err)
		}
		again, _, err := m.Renew(t.Context(), refresh)
		if err != nil || again.Reveal() != first.Reveal() || again.Refresh().Reveal() != first.Refresh().Reveal() {
			t.Fatalf("two live successors: %v", err)
		}
		s, err := m.Check(t.Context(), first.Reveal(), session.Fresh)
		if err != nil || s.Subject() != "ada" {
			t.Fatalf("I9: the successor: %v", err)
		}
		old := access
		access, refresh = first.Reveal(), first.Refresh().Reveal()
		if err := end(); err != nil {
			t.Fatal(err)
		}
		ahead += 11 * time.Second
		if m, end, err = node(path, func() time.Time { return time.Now().Add(ahead) }); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Check(t.Context(), old, session.Cached); !errors.Is(err, session.ErrNoSession) {
			t.Fatalf("the old token after its grace: %v", err)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
}

func beginRenewable(t *testing.T, path string) (access, refresh string) {
	t.Helper()
	m, end, err := node(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	attempt, err := m.Begin(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := m.Issue(t.Context(), attempt, session.Grant{Bearer: true, Renewable: true})
	if err := errors.Join(err, end()); err != nil {
		t.Fatal(err)
	}
	return token.Reveal(), token.Refresh().Reveal()
}

// killWhileRenewing returns the last pair that the helper's client has got.
func killWhileRenewing(t *testing.T, path, access, refresh string) (lastAccess, lastRefresh string) {
	t.Helper()
	cmd := helper(t, "renew", path)
	cmd.Stdin = strings.NewReader(refresh)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until := rand.IntN(20)
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		a, r, ok := strings.Cut(lines.Text(), " ")
		if !ok || len(r) != len(refresh) {
			break // cut off by the kill
		}
		access, refresh = a, r
		if n == until {
			time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the helper ended by itself")
	}
	return access, refresh
}
