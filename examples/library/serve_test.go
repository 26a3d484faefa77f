package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/session/sqlite"
)

// lateBody is a request's body. The transport reads it when the handler does
// (Expect: 100-continue), and so sees the program stop before it goes on.
type lateBody struct {
	io.Reader
	first func()
}

func (b *lateBody) Read(p []byte) (int, error) {
	b.first()
	return b.Reader.Read(p)
}

func TestARequestUnderWayIsAnsweredBeforeTheProgramEnds(t *testing.T) {
	address, file := freeAddress(t), filepath.Join(t.TempDir(), "library.db")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, address, file) }()
	waitUntil(t, "the program answers", func() bool { return status(t, address) == http.StatusOK })

	body := &lateBody{strings.NewReader("name=Ada&email=" + ada + "&password=correct+horse+battery"), sync.OnceFunc(func() {
		stop()
		waitUntil(t, "the program takes no more requests", func() bool { return status(t, address) == 0 })
	})}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/sign-up", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Expect", "100-continue")
	transport := &http.Transport{ExpectContinueTimeout: time.Minute, DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the request under way: %s", answer.Status)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	store, err := sqlite.Open(t.Context(), file)
	if err != nil {
		t.Fatalf("the file is still in use: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// status asks for the first page on a connection of its own; 0 is no answer.
func status(t *testing.T, address string) int {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

func waitUntil(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Errorf("waited in vain until %s", what)
			return
		}
	}
}
