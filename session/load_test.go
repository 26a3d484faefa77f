package session_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

// countLoads counts what reaches the store from now on.
func countLoads(n *node) *atomic.Int64 {
	var loads atomic.Int64
	n.link.onLoad(func(next func() (session.Loaded, error)) (session.Loaded, error) {
		loads.Add(1)
		return next()
	})
	return &loads
}

func TestWithoutRunEveryCallSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, stop := stoppable(t, store)
		token, s := a.signIn("ada")
		attempt, err := a.Begin(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		stop()
		never := idleNode(t, store)
		for _, n := range []*node{a, never} {
			ctx := t.Context()
			_, _, issue := n.Issue(ctx, attempt, session.Grant{})
			_, begin := n.Begin(ctx, "ada")
			_, apply := n.Apply(ctx, session.RevokeAll("ada"))
			_, cached := n.Check(ctx, token, session.Cached)
			_, fresh := n.Check(ctx, token, session.Fresh)
			_, malformed := n.Check(ctx, "malformed", session.Cached)
			put := n.Data(s).Put(ctx, "k", nil)
			for what, err := range map[string]error{
				"Issue": issue, "Begin": begin, "Apply": apply, "Check": cached,
				"Check Fresh": fresh, "Check of a malformed token": malformed, "Put": put,
			} {
				if !errors.Is(err, session.ErrUnavailable) || !strings.Contains(err.Error(), "Manager.Run is not running") {
					t.Errorf("%s without a live Run: %v", what, err)
				}
			}
		}
	})
}

func TestReadyWaitsForRunAndTheStore(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		n := idleNode(t, store)
		n.link.cutTicks()
		ready := make(chan error, 1)
		go func() { ready <- n.Ready(context.Background()) }()
		time.Sleep(time.Hour)
		select {
		case err := <-ready:
			t.Fatalf("ready without Run: %v", err)
		default:
		}
		n.run()
		if err := <-ready; !errors.Is(err, session.ErrUnavailable) {
			t.Fatalf("ready although the store does not answer: %v", err)
		}
		n.link.mend()
		if err := n.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := idleNode(t, store).Ready(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, session.ErrUnavailable) {
			t.Fatalf("without Run: %v", err)
		}
	})
}

func TestRunTwiceAtOnceIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		if err := join(t, store).Run(t.Context()); err == nil {
			t.Fatal("a second Run at the same time was let through")
		}
	})
}

// mutations are texts that are not the token, each almost it.
func mutations(token string) []string {
	texts := []string{
		"", "cks_", token[:len(token)-1], token + "A", token + " ", " " + token, `"` + token + `"`,
		"cka_" + token[4:], "ckr_" + token[4:], "CKS_" + token[4:], token[4:], strings.ToUpper(token),
		strings.Repeat("A", 8<<10), token + "\x00", token[:20] + "\x00" + token[21:], token[:20] + "+" + token[21:],
		token[:20] + "é" + token[22:], token[:30] + "%20" + token[33:], token[:20] + "\n" + token[21:],
	}
	for i := range token { // another letter in every place
		c := byte('A')
		if token[i] == 'A' {
			c = 'B'
		}
		texts = append(texts, token[:i]+string(c)+token[i+1:])
	}
	return texts
}

func TestMalformedAndInventedTokensNeverReachTheStore(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		token, _ := a.signIn("ada")
		loads := countLoads(a)
		for _, text := range mutations(token) {
			for _, c := range []session.Consistency{session.Cached, session.Fresh} {
				if _, err := a.Check(t.Context(), text, c); !errors.Is(err, session.ErrNoSession) {
					t.Errorf("%q: %v", text, err)
				}
			}
		}
		for i := range manyTokens {
			text := invented(token, i)
			if _, err := a.Check(t.Context(), text, session.Cached); !errors.Is(err, session.ErrNoSession) {
				t.Fatalf("%q: %v", text, err)
			}
		}
		if n := loads.Load(); n != 0 {
			t.Fatalf("%d invented tokens reached the store", n)
		}
		a.accepts("I8", token) // a real one is served all the while
	})
}

// invented is the i-th well-formed token that nobody issued.
func invented(token string, i int) string {
	const digits = "0123456789abcdef"
	b := []byte(token)
	for j := range 6 {
		b[10+j] = digits[i>>(4*j)&15]
	}
	if string(b) == token {
		b[9] ^= 1
	}
	return string(b)
}

// A token that was made here and that the store does not know: its row was
// swept, or a backup was restored.
func TestUnknownTokensAreNotCached(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		empty := store.Snapshot()
		a := join(t, store)
		token, _ := a.signIn("ada")
		store.Restore(empty)
		time.Sleep(delta)
		before := a.CacheStats()
		for range 100 {
			a.rejects("I14", token)
		}
		if after := a.CacheStats(); after != before {
			t.Fatalf("unknown tokens were cached: %+v, before %+v", after, before)
		}
	})
}

func TestASignedOutTokenSpendsTheBudgetOnce(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, s := a.signIn("ada")
		a.apply(session.Revoke("ada", s.ID()))
		c := join(t, store) // has seen nothing of it
		loads := countLoads(c)
		for range 100_000 {
			c.rejects("I5", token)
		}
		if n := loads.Load(); n != 1 {
			t.Fatalf("a token that was signed out reached the store %d times", n)
		}
		b.rejects("I1", token)
	})
}

func TestChecksOfOneTokenShareALoad(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		var loads atomic.Int64
		release := make(chan struct{})
		b.link.onLoad(func(next func() (session.Loaded, error)) (session.Loaded, error) {
			loads.Add(1)
			<-release
			return next()
		})
		var checks []*checking
		for range 100 {
			checks = append(checks, b.startCheck(token, session.Cached))
		}
		close(release)
		for _, k := range checks {
			if err := k.answer(); err != nil {
				t.Fatalf("I8: %v", err)
			}
		}
		if n := loads.Load(); n != 1 {
			t.Fatalf("100 checks of one token made %d loads", n)
		}
	})
}

// A store that hangs gets a bounded number of loads, and checks are answered
// within a bounded time; when it is back, so are the sessions.
func TestAHangingStoreGetsABoundedNumberOfLoads(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		var tokens []string
		for range 3 * session.MaxLoads {
			token, _ := a.signIn("ada" + string(rune('a'+len(tokens)/90)))
			tokens = append(tokens, token)
		}
		var flying, most atomic.Int64
		b.link.onLoad(func(func() (session.Loaded, error)) (session.Loaded, error) {
			most.Store(max(most.Load(), flying.Add(1)))
			defer flying.Add(-1)
			time.Sleep(session.LoadTimeout)
			return session.Loaded{}, context.DeadlineExceeded
		})
		began := time.Now()
		var all sync.WaitGroup
		for _, token := range tokens {
			all.Go(func() { b.undecided("I14", token) })
		}
		all.Wait()
		if got := most.Load(); got != session.MaxLoads {
			t.Errorf("I16: %d loads at once, want %d", got, session.MaxLoads)
		}
		if took := time.Since(began); took > session.LoadTimeout+time.Second {
			t.Errorf("I16: the last check was answered after %v", took)
		}
		b.link.mend()
		for _, token := range tokens {
			b.accepts("I8", token)
		}
	})
}

func TestACheckObeysItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		answered, release := held(b)
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			_, err := b.Check(ctx, token, session.Cached)
			result <- err
		}()
		<-answered
		cancel()
		if err := <-result; !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Fatalf("a check whose caller went away: %v", err)
		}
		close(release)
		synctest.Wait()
		a.accepts("I8", token)
		b.accepts("I8", token) // the load went on, for those who had joined it
	})
}

func TestAnErrorOfTheStoreIsNoRejection(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		b.link.onLoad(func(func() (session.Loaded, error)) (session.Loaded, error) {
			return session.Loaded{}, errors.New("the row of the subject is missing")
		})
		b.undecided("I14", token)
		b.link.mend()
		b.accepts("I8", token)
	})
}

func TestTokensRedactThemselves(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		attempt, err := a.Begin(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		token, s, err := a.Issue(t.Context(), attempt, session.Grant{})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range printed(token, s) {
			if strings.Contains(text, token.Reveal()[4:]) {
				t.Errorf("the token was printed: %q", text)
			}
		}
	})
}
