package session_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

func limits(idle, absolute time.Duration) func(*session.Config) {
	return func(c *session.Config) { c.Idle, c.Absolute = idle, absolute }
}

// peeks demands that a Peek accepts, which does not count as use.
func (n *node) peeks(invariant, token string) session.Session {
	n.t.Helper()
	s, err := n.Peek(n.t.Context(), token, session.Cached)
	if err != nil {
		n.t.Fatalf("%s: a valid session was not accepted: %v", invariant, err)
	}
	return s
}

// ends demands that a Peek finds the session expired.
func (n *node) ends(invariant, token string) {
	n.t.Helper()
	if _, err := n.Peek(n.t.Context(), token, session.Cached); !errors.Is(err, session.ErrNoSession) {
		n.t.Fatalf("%s: want ErrNoSession, got %v", invariant, err)
	}
}

func TestIdleLimit(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, limits(time.Hour, 24*time.Hour))
		token, _ := a.signIn("ada")
		time.Sleep(time.Hour - time.Second)
		a.peeks("I8", token)
		time.Sleep(time.Second)
		a.ends("I15", token)
	})
}

func TestAbsoluteLimitHoldsUnderConstantUse(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, limits(time.Hour, 3*time.Hour))
		token, _ := a.signIn("ada")
		for range 3*60 - 1 {
			time.Sleep(time.Minute)
			a.accepts("I8", token)
		}
		time.Sleep(time.Minute)
		a.ends("I15", token)
	})
}

func TestHitsExtendNoDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, limits(time.Minute, time.Hour))
		token, _ := a.signIn("ada")
		for range 59 {
			time.Sleep(time.Second)
			a.peeks("I8", token)
		}
		time.Sleep(time.Second)
		a.ends("I15", token)
	})
}

// The store's answer is under way for a second and a half.
func TestDeadlinesCountFromSending(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store, limits(10*time.Second, time.Hour)), join(t, store, limits(10*time.Second, time.Hour))
		token, _ := a.signIn("ada")
		time.Sleep(5 * time.Second)
		answered, release := held(b)
		slow := make(chan error)
		go func() {
			_, err := b.Peek(t.Context(), token, session.Cached)
			slow <- err
		}()
		<-answered
		time.Sleep(1500 * time.Millisecond)
		close(release)
		if err := <-slow; err != nil {
			t.Fatalf("I8: %v", err)
		}
		time.Sleep(3600 * time.Millisecond) // 10.1 s after the sign-in
		b.ends("I15", token)
	})
}

// A node's wall clock is set a day back or forward while it runs.
func TestANodesWallClockDecidesNothing(t *testing.T) {
	for name, jump := range map[string]time.Duration{"behind": -24 * time.Hour, "ahead": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, store *memory.Store) {
				a := join(t, store, limits(time.Hour, 2*time.Hour))
				// Only what the node itself judges by this clock would be wrong:
				// it tells the store the right time, as PostgreSQL has its own.
				var off atomic.Int64
				b := join(t, clockless{store}, limits(time.Hour, 2*time.Hour), func(c *session.Config) {
					c.Now = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
				})
				token, _ := a.signIn("ada")
				b.peeks("I8", token)
				off.Store(int64(jump))
				time.Sleep(time.Hour - time.Second)
				b.peeks("I8", token)
				time.Sleep(2 * time.Second)
				b.ends("I15", token)
			})
		})
	}
}

// The wall clock is set under a running node, which tells the store the time by
// it: a machine that slept, or one whose clock was wrong. A session that begins
// after that and is in use does not end, and one that is not used does.
func TestUseCountsAfterTheWallClockWasSet(t *testing.T) {
	for name, jump := range map[string]time.Duration{"an hour back": -time.Hour, "a day forward": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, store *memory.Store) {
				var off atomic.Int64
				a := join(t, store, limits(10*time.Minute, 24*time.Hour), func(c *session.Config) {
					c.Now = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
				})
				a.signIn("eve") // before
				time.Sleep(time.Minute)
				off.Store(int64(jump))
				time.Sleep(time.Second)
				token, _ := a.signIn("ada")
				time.Sleep(9 * time.Minute)
				a.accepts("I8", token) // from memory; the use is written within a minute
				time.Sleep(9 * time.Minute)
				a.accepts("I8", token)
				token, _ = a.signIn("ada")
				time.Sleep(10*time.Minute - time.Second/2)
				a.accepts("I8", token) // from memory; the use has not been written
				time.Sleep(time.Second)
				a.accepts("I8", token)
				time.Sleep(11 * time.Minute)
				a.ends("I15", token)
			})
		})
	}
}

// The wall clock is set forward by more than a session may be idle, and the store
// deletes it. Memory must not take it for live any longer, for nobody could revoke
// it.
func TestWhatIsOverByAClockThatWasSetForwardIsOver(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		var off atomic.Int64
		a := join(t, store, limits(time.Hour, 30*24*time.Hour), func(c *session.Config) {
			c.Now = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
		})
		token, s := a.signIn("ada")
		a.accepts("I8", token)
		off.Store(int64(72 * time.Hour))
		time.Sleep(time.Second)
		a.ends("I15", token)
		time.Sleep(2 * time.Minute) // and it is deleted
		if _, err := a.Apply(t.Context(), session.Revoke("ada", s.ID())); !errors.Is(err, session.ErrNoSession) {
			t.Errorf("its revocation: %v", err)
		}
		a.ends("I1", token)
	})
}

// One that is not over by it goes on, and can be revoked as before.
func TestWhatIsNotOverByAClockThatWasSetForwardGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		var off atomic.Int64
		a := join(t, store, limits(7*24*time.Hour, 30*24*time.Hour), func(c *session.Config) {
			c.Now = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
		})
		token, s := a.signIn("ada")
		for _, jump := range []time.Duration{24 * time.Hour, 23 * time.Hour, 48 * time.Hour} {
			off.Store(int64(jump))
			time.Sleep(3 * time.Second)
			a.accepts("I8", token)
		}
		if _, err := a.Apply(t.Context(), session.Revoke("ada", s.ID())); err != nil {
			t.Fatal(err)
		}
		a.ends("I1", token)
	})
}

func TestUseExtendsTheIdleLimit(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store, limits(time.Hour, 24*time.Hour)), join(t, store, limits(time.Hour, 24*time.Hour))
		token, s := a.signIn("ada")
		time.Sleep(50 * time.Minute)
		a.accepts("I8", token)
		time.Sleep(2 * time.Minute) // within it the use has been written
		list, _, err := b.List(t.Context(), "ada", "")
		if err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		if got := list[0].LastSeenAt.Sub(s.CreatedAt()); got != 50*time.Minute {
			t.Fatalf("last seen %v after the sign-in, want 50m", got)
		}
		time.Sleep(50 * time.Minute)
		b.accepts("I8", token)
	})
}

// The last use has not been written when the idle limit seems to have passed.
func TestAUseThatIsNotWrittenYetCounts(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, limits(30*time.Second, 24*time.Hour))
		token, _ := a.signIn("ada")
		for range 20 {
			time.Sleep(29 * time.Second)
			a.accepts("I8", token)
		}
		time.Sleep(31 * time.Second)
		a.ends("I15", token)
	})
}

// The same when the record that was marked has been evicted since.
func TestAUseOfAnEvictedSessionCounts(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, limits(30*time.Second, 24*time.Hour))
		token, _ := a.signIn("ada")
		time.Sleep(29 * time.Second)
		a.accepts("I8", token)
		large := func(g *session.Grant) {
			g.Profile = &session.Profile{Attributes: []byte(`"` + strings.Repeat("x", session.MaxAttributes-2) + `"`)}
		}
		for i := 0; a.Holds(token); i++ { // no time passes
			for j := range 500 {
				other, _ := a.signIn(fmt.Sprintf("other-%d-%d", i, j), large)
				a.peeks("I8", other) // puts it into the cache
			}
		}
		time.Sleep(28 * time.Second)
		a.accepts("I8", token)
		time.Sleep(31 * time.Second)
		a.ends("I15", token)
	})
}

// The same on a node whose cache may not answer, so that no record is marked.
func TestAUseWithoutALeaseCounts(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store, limits(30*time.Second, 24*time.Hour))
		token, _ := a.signIn("ada")
		a.link.cutTicks()
		for range 20 {
			time.Sleep(29 * time.Second)
			a.accepts("I8", token)
		}
		time.Sleep(31 * time.Second)
		a.ends("I15", token)
	})
}

func TestAWriteOfUsesThatFailsIsMadeUpFor(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store, limits(time.Hour, 24*time.Hour)), join(t, store, limits(time.Hour, 24*time.Hour))
		token, _ := a.signIn("ada")
		time.Sleep(50 * time.Minute)
		a.accepts("I8", token)
		a.link.cut()
		time.Sleep(5 * time.Minute)
		a.link.mend()
		time.Sleep(time.Minute)
		a.link.cut()
		time.Sleep(50 * time.Minute)
		b.accepts("I8", token)
	})
}

func TestUsesAreWrittenWhenTheNodeStops(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		b := join(t, store, limits(time.Hour, 24*time.Hour))
		a, stop := stoppable(t, store, limits(time.Hour, 24*time.Hour))
		token, _ := a.signIn("ada")
		time.Sleep(50 * time.Minute)
		a.accepts("I8", token)
		stop()
		a.undecided("I14", token)
		time.Sleep(50 * time.Minute)
		b.accepts("I8", token)
	})
}

func TestRecentIsJudgedByTheAge(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		token, _ := a.signIn("ada")
		time.Sleep(10 * time.Minute)
		if age := a.accepts("I8", token).Age(); age < 10*time.Minute || age > 10*time.Minute+time.Second {
			t.Fatalf("age %v, want 10m, rounded up", age)
		}
	})
}

// What a check shows is the same from memory and from the store.
func TestACheckShowsTheSameFromMemoryAndFromTheStore(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		time.Sleep(1234567 * time.Microsecond)
		token, issued := a.signIn("ada", func(g *session.Grant) {
			g.Level, g.Methods = 2, session.Password|session.TOTP
			g.Profile = &session.Profile{
				Name: "Ada", Email: "ada@example.com", EmailVerified: true,
				Roles: []string{"admin", "staff"}, Attributes: []byte(`{"plan":"gold"}`),
			}
		})
		time.Sleep(2345678 * time.Microsecond)
		fromStore, fromMemory := b.peeks("I8", token), b.peeks("I8", token)
		for _, s := range []session.Session{issued, fromStore, fromMemory, a.peeks("I8", token)} {
			if got, want := shown(s), shown(issued); got != want {
				t.Errorf("shows\n%+v, want\n%+v", got, want)
			}
		}
	})
}

type view struct {
	id                                     session.ID
	subject, name, email, roles, attrs     string
	verified, admin, other                 bool
	created, authenticated, idle, absolute time.Time
	level                                  int
	methods                                session.Methods
}

func shown(s session.Session) view {
	return view{
		s.ID(), s.Subject(), s.Name(), s.Email(), s.RoleList(), s.Attributes(),
		s.EmailVerified(), s.HasRole("admin"), s.HasRole("adm"),
		s.CreatedAt(), s.AuthenticatedAt(), s.IdleExpiresAt(), s.ExpiresAt(), s.Level(), s.Methods(),
	}
}
