package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/session"
)

// helpWrite signs up, signs in and revokes from 16 goroutines for as long as it
// lives, and prints a line for everything that was acknowledged.
func helpWrite() {
	ctx := context.Background()
	s, err := Open(ctx, os.Args[1])
	check(err)
	check(s.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS people (token TEXT NOT NULL)`)
		return err
	}))
	var mu sync.Mutex
	say := func(verb string, token session.Hash) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf("%s %x\n", verb, token) // unbuffered: it is out before the next step
	}
	for i := range 16 {
		go func() {
			for n := i; ; n++ {
				c := creation(fmt.Sprintf("subject-%d-%d-%d", os.Getpid(), i, n))
				verb, joins := "signed-in", []session.Join(nil)
				if n%3 == 0 {
					verb, joins = "signed-up", []session.Join{person(c.Token)}
				}
				_, err := s.Create(ctx, time.Now(), c, joins)
				check(err)
				say(verb, c.Token)
				if n%3 == 1 {
					_, err := s.Apply(ctx, time.Now(), session.Revoke(c.Subject, c.ID), nil)
					check(err)
					say("revoked", c.Token)
				}
			}
		}()
	}
	select {}
}

// person is an application's own row in the transaction of a sign-up.
func person(token session.Hash) session.Join {
	return Join(func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO people (token) VALUES (?)`, hex.EncodeToString(token[:]))
		return err
	})
}

// A process is killed 50 times with 16 writers under way; what it acknowledged
// is there after each restart, and at the end all of it.
func TestAcknowledgedOutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	all := make(map[session.Hash]string)
	for range 50 {
		said := killWhileWriting(t, path)
		keeps(t, path, said)
		for token, verb := range said {
			all[token] = verb
		}
	}
	keeps(t, path, all)
}

// keeps opens the file and looks for what was acknowledged.
func keeps(t *testing.T, path string, said map[session.Hash]string) {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for token, verb := range said {
		l, err := s.Load(t.Context(), time.Now(), token)
		if err != nil {
			t.Fatalf("I9: an acknowledged session: %v", err)
		}
		if verb == "revoked" && !l.Ended {
			t.Fatal("I9: an acknowledged revocation is lost")
		}
		var people int
		err = s.Read().QueryRow(`SELECT count(*) FROM people WHERE token = ?`, hex.EncodeToString(token[:])).Scan(&people)
		if err != nil || verb == "signed-up" && people != 1 {
			t.Fatalf("I9: an acknowledged sign-up has %d rows of its own: %v", people, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// killWhileWriting returns what a helper acknowledged before it was killed: by
// token, the last word about it.
func killWhileWriting(t *testing.T, path string) map[session.Hash]string {
	t.Helper()
	cmd := helper(t, "write", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(map[session.Hash]string)
	until := 20 + rand.IntN(60)
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		verb, text, _ := strings.Cut(lines.Text(), " ")
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != 32 {
			break // cut off by the kill
		}
		said[session.Hash(b)] = verb
		if n == until {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
	if len(said) < 10 {
		t.Fatalf("only %d sessions were acknowledged", len(said))
	}
	return said
}
