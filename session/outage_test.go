package session_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

// heard is what was logged since it was asked last.
type heard struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(p)
}

func (h *heard) take() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.b.Reset()
	return h.b.String()
}

// A store that is down for an hour is asked four times a second, and said to be
// down six times a minute.
func TestAnOutageIsSaidNowAndThenAndItsEndOnce(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		log := new(heard)
		a := join(t, store, func(c *session.Config) { c.Logger = slog.New(slog.NewTextHandler(log, nil)) })
		for range 2 {
			a.link.cutTicks()
			time.Sleep(time.Hour)
			if n := strings.Count(log.take(), "the log could not be read"); n < 350 || n > 370 {
				t.Errorf("in an hour it is said %d times", n)
			}
			a.link.mend()
			time.Sleep(time.Minute)
			said := log.take()
			if n := strings.Count(said, "the log can be read again"); n != 1 || !strings.Contains(said, "after=1h0m0s") {
				t.Errorf("the end is said %d times: %s", n, said)
			}
		}
	})
}
