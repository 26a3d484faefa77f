package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// guessEvery is how long each caller of a flood takes for a guess at least. All
// of them together then ask for many times what can be hashed, and leave of the
// processors, which are also theirs, something to be looked at.
const guessEvery = 100 * time.Millisecond

// guessing is a flood under way.
type guessing struct {
	stop  chan struct{} // closed once
	all   sync.WaitGroup
	began time.Time

	mu       sync.Mutex // guards the fields below
	lookedAt []float64  // how long those took whose password was hashed, in milliseconds
	refused  []float64  // and those who were told to come again
	lasted   time.Duration
	err      error // of one caller, who has stopped
}

// beginGuessing lets so many callers from so many addresses guess until end, a
// fourth of the time at the password of one account.
func beginGuessing(ctx context.Context, p *product, callers, addresses int, victim string) *guessing {
	g := &guessing{stop: make(chan struct{}), began: time.Now()}
	for n := range callers {
		g.all.Go(func() {
			c := from(address(n%addresses), 1)
			defer c.CloseIdleConnections()
			time.Sleep(guessEvery * time.Duration(n) / time.Duration(callers)) // not all at once
			if err := g.guess(ctx, c, p, n, victim); err != nil {
				g.mu.Lock()
				defer g.mu.Unlock()
				g.err = err
			}
		})
	}
	return g
}

// guess is one caller.
func (g *guessing) guess(ctx context.Context, c *http.Client, p *product, caller int, victim string) error {
	pace := time.NewTicker(guessEvery)
	defer pace.Stop()
	for i := 0; ; i++ {
		email := victim
		if i%4 != 0 {
			email = fmt.Sprintf("nobody-%d-%d@example.com", caller, i)
		}
		a, err := signIn(ctx, c, p.base, email, wrongPassword, "")
		if err != nil {
			return err
		}
		if err := g.took(a); err != nil {
			return err
		}
		select {
		case <-pace.C:
		case <-g.stop:
			return nil
		}
	}
}

func (g *guessing) took(a answer) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.status == http.StatusUnauthorized {
		g.lookedAt = append(g.lookedAt, inMilliseconds(a.took))
		return nil
	}
	if _, err := a.refusal(); err != nil {
		return fmt.Errorf("a wrong guess: %w", err)
	}
	g.refused = append(g.refused, inMilliseconds(a.took))
	return nil
}

// end stops the callers, and waits for the answers that they wait for.
func (g *guessing) end() error {
	g.lasted = time.Since(g.began)
	close(g.stop)
	g.all.Wait()
	switch {
	case g.err != nil:
		return g.err
	case len(g.refused) == 0 || len(g.lookedAt) == 0:
		return errors.New("this was no flood: either all guesses were refused without a look, or none")
	}
	return nil
}

// report adds how the guesses were answered.
func (g *guessing) report(s samples) {
	n := float64(len(g.refused) + len(g.lookedAt))
	s.add("refused", percentile(g.refused, 99))
	s.add("looked at", percentile(g.lookedAt, 99))
	s.add("share", 100*float64(len(g.refused))/n)
	s.add("rate", n/g.lasted.Seconds())
}
