package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

// The schedules below are scripted: random faults miss them. Each says which
// invariant it defends; a failure names it.

func TestBoundedWhenANodeIsCutOff(t *testing.T) {
	for name, fault := range map[string]func(*link){"cut": (*link).cut, "hanging": func(l *link) {
		l.cut()
		l.hangTicks()
	}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, store *memory.Store) {
				a, b := join(t, store), join(t, store)
				token, _ := a.signIn("ada")
				b.accepts("I8", token)
				fault(b.link)
				a.apply(session.RevokeAll("ada"))
				time.Sleep(delta)
				b.refuses("I2", token)
				time.Sleep(10 * delta)
				b.undecided("I14", token)
				b.link.mend()
				time.Sleep(delta)
				b.rejects("I1", token)
			})
		})
	}
}

func TestCutOffForLessThanDeltaCostsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		b.accepts("I8", token)
		b.link.cut()
		time.Sleep(delta / 2)
		b.accepts("I8", token)
		time.Sleep(10 * delta)
		b.undecided("I8", token)
		b.link.mend()
		time.Sleep(delta)
		b.link.onLoad(func(func() (session.Loaded, error)) (session.Loaded, error) {
			t.Error("I16: the cache was flushed although the log went on without a gap")
			return session.Loaded{}, errCut
		})
		b.accepts("I8", token)
	})
}

// A tick is answered before a revocation, and its reply arrives late.
func TestLeaseCountsFromSending(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		b.accepts("I8", token)
		answered := make(chan struct{})
		b.link.onTick(func(_ context.Context, next func() (session.Batch, error)) (session.Batch, error) {
			batch, err := next()
			b.link.cutTicks()
			close(answered)
			time.Sleep(delta * 4 / 10)
			return batch, err
		})
		<-answered
		a.apply(session.RevokeAll("ada"))
		time.Sleep(delta)
		b.refuses("I2", token)
	})
}

func TestStrictWaitsForEveryLease(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		b.accepts("I8", token)
		b.link.cut()
		a.revokeStrictly("ada")
		b.refuses("I3", token)
	})
}

func TestStrictAfterLooseWaitsToo(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, s := a.signIn("ada")
		b.accepts("I8", token)
		b.link.cut()
		first := a.apply(session.Revoke("ada", s.ID()))
		again := a.apply(session.Revoke("ada", s.ID()))
		if again.Number < first.Number || again.Incarnation != first.Incarnation || again.Nonce == 0 {
			t.Fatalf("I3: revoking nothing returned %v after %v", again, first)
		}
		if err := a.Wait(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		b.refuses("I3", token)
	})
}

// A check is paused after it has read a valid lease; meanwhile a strict
// revocation returns, and the lease is renewed.
func TestPauseBetweenLeaseAndRecord(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		b.accepts("I8", token)
		resume := make(chan struct{})
		b.SetPause(func(step string) {
			if step == "lease read" {
				<-resume
			}
		})
		paused := b.startCheck(token, session.Cached)
		a.revokeStrictly("ada")
		close(resume)
		if err := paused.answer(); !errors.Is(err, session.ErrNoSession) {
			t.Fatalf("I3: a check answered %v after a strict revocation had returned and its node had applied it", err)
		}
	})
}

// held is a load whose reply waits, with the store's answer already given.
func held(n *node) (answered, release chan struct{}) {
	answered, release = make(chan struct{}), make(chan struct{})
	n.link.onLoad(func(next func() (session.Loaded, error)) (session.Loaded, error) {
		n.link.onLoad(nil)
		l, err := next()
		close(answered)
		<-release
		return l, err
	})
	return answered, release
}

// changes are all the ways to take a session away.
var changes = map[string]func(*node, session.Session) session.Change{
	"revoke":            func(_ *node, s session.Session) session.Change { return session.Revoke("ada", s.ID()) },
	"revoke all":        func(*node, session.Session) session.Change { return session.RevokeAll("ada") },
	"revoke everything": func(*node, session.Session) session.Change { return session.RevokeEverything() },
	"delete":            func(*node, session.Session) session.Change { return session.DeleteSubject("ada") },
	"revoke others": func(n *node, _ session.Session) session.Change {
		_, keep := n.signIn("ada")
		return session.RevokeOthers("ada", keep.ID())
	},
}

func TestLoadAnsweredBeforeARevocationIsNotCachedAfterIt(t *testing.T) {
	for _, where := range []string{"here", "elsewhere"} {
		t.Run(where, func(t *testing.T) {
			eachEnding(t, func(t *testing.T, a, b *node, token string, end func(*node)) {
				answered, release := held(b)
				slow := b.startCheck(token, session.Cached)
				<-answered
				if where == "here" {
					end(b)
				} else {
					end(a)
					time.Sleep(delta / 2)
				}
				close(release)
				_ = slow.answer() // it began before: either answer is right
				b.rejects("I10", token)
			})
		})
	}
}

// A check that starts after a revocation finds a load under way that was
// answered before it.
func TestJoiningALoadThatIsOlderThanARevocation(t *testing.T) {
	eachEnding(t, func(t *testing.T, a, b *node, token string, end func(*node)) {
		answered, release := held(b)
		slow := b.startCheck(token, session.Cached)
		<-answered
		end(b)
		late := b.startCheck(token, session.Cached)
		close(release)
		_ = slow.answer()
		if err := late.answer(); !errors.Is(err, session.ErrNoSession) {
			t.Fatalf("I1: a check that began after the revocation had returned: %v", err)
		}
	})
}

// A check decides whether to join a load; between its readings the node, which
// was cut off, catches up.
func TestLeaseIsReadBeforeTheRingWhenJoining(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		answered, release := held(b)
		slow := b.startCheck(token, session.Cached)
		<-answered
		b.link.cutTicks()
		a.revokeStrictly("ada")
		resume := make(chan struct{})
		b.SetPause(func(step string) {
			if step == "joining" {
				<-resume
			}
		})
		late := b.startCheck(token, session.Cached)
		b.link.onTick(nil)
		time.Sleep(delta / 2)
		close(resume)
		synctest.Wait()
		close(release)
		_ = slow.answer()
		if err := late.answer(); err == nil {
			t.Fatal("I3: a check that began after a strict revocation joined a load from before it")
		}
	})
}

func TestFreshJoinsNoLoadThatWasSent(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		answered, release := held(b)
		slow := b.startCheck(token, session.Cached)
		<-answered
		fresh := b.startCheck(token, session.Fresh)
		select {
		case <-fresh.done:
		default:
			t.Error("I6: a fresh check waits for a load that was sent before it began")
		}
		close(release)
		if err := errors.Join(fresh.answer(), slow.answer()); err != nil {
			t.Fatalf("I8: %v", err)
		}
	})
}

// Between the rule's question and the two steps of caching, something is applied.
func TestTheRingIsAskedWhereEachStepActs(t *testing.T) {
	eachEnding(t, func(t *testing.T, a, b *node, token string, end func(*node)) {
		b.SetPause(func(step string) {
			if step == "caching" {
				b.SetPause(nil)
				end(b)
			}
		})
		_ = b.startCheck(token, session.Cached).answer()
		b.rejects("I10", token)
	})
}

// A sign-in is answered by the store, and revoked before it is cached.
func TestSignInIsNotCachedAfterItsRevocation(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, store *memory.Store) {
				a := join(t, store)
				_, first := a.signIn("ada")
				a.SetPause(func(step string) {
					if step == "created" {
						a.SetPause(nil)
						if name != "revoke" {
							a.apply(change(a, first))
							return
						}
						list, _, err := a.List(t.Context(), "ada", "")
						if err != nil || len(list) != 2 {
							t.Errorf("list: %d, %v", len(list), err)
						}
						for _, d := range list {
							if d.ID != first.ID() {
								a.apply(session.Revoke("ada", d.ID))
							}
						}
					}
				})
				token, _ := a.signIn("ada")
				a.rejects("I10", token)
			})
		})
	}
}

func TestAWriteReturnsAfterItsOwnFeed(t *testing.T) {
	eachEnding(t, func(t *testing.T, a, _ *node, token string, end func(*node)) {
		a.accepts("I8", token)
		a.link.onTick(func(_ context.Context, next func() (session.Batch, error)) (session.Batch, error) {
			time.Sleep(delta / 5)
			return next()
		})
		end(a)
		a.rejects("I1", token)
	})
}

// The lease has run out when a revocation commits, but a tick that the store
// answered before it is still on its way and will renew it.
func TestALeaseThatHasRunOutIsNotEnough(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		a.accepts("I8", token)
		lateTick(a)
		time.Sleep(delta / 20) // the lease has run out, the reply has not come
		a.apply(session.RevokeAll("ada"))
		time.Sleep(delta / 4) // the reply has come; no check has buried the token before
		a.refuses("I1", token)
		b.rejects("I1", token)
	})
}

// lateTick returns when the node's lease is about to run out and a tick that
// was answered just before is on its way back, for another fifth of delta.
// After it no tick passes.
func lateTick(n *node) {
	answered := make(chan struct{})
	n.link.cutTicks()
	time.Sleep(delta * 7 / 10) // of a lease of at most delta, at least a quarter younger
	n.link.onTick(func(_ context.Context, next func() (session.Batch, error)) (session.Batch, error) {
		batch, err := next()
		n.link.cutTicks()
		close(answered)
		time.Sleep(delta * 4 / 10)
		return batch, err
	})
	<-answered
	time.Sleep(delta / 4)
}

// What one check has answered "revoked" stays so on its node, although the node
// has not applied the revocation and its lease comes back.
func TestRevokedOnceIsRevokedForEver(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		b.accepts("I8", token)
		lateTick(b)
		time.Sleep(delta / 20)
		if _, err := a.Apply(t.Context(), session.RevokeAll("ada")); err != nil {
			t.Fatal(err)
		}
		b.rejects("I5", token) // from the store: no lease
		for range 20 {
			time.Sleep(delta / 20)
			b.rejects("I5", token)
		}
	})
}

// A load from before a revocation comes back after another has read "revoked".
func TestALateLoadDoesNotReplaceADeadMarker(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		b.accepts("I8", token)
		lateTick(b)
		time.Sleep(delta / 20)
		answered, release := held(b)
		slow := b.startCheck(token, session.Cached)
		<-answered
		a.apply(session.RevokeAll("ada"))
		b.rejects("I5", token)
		close(release)
		_ = slow.answer()
		time.Sleep(delta / 5) // the lease is back; no check has buried it again
		b.rejects("I5", token)
	})
}

// A node has more to apply than one reply brings.
func TestFreshIsNotSatisfiedByAPartOfTheLog(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, s := a.signIn("ada")
		for range 1100 {
			_, bob := a.signIn("bob")
			a.apply(session.Revoke("bob", bob.ID()))
		}
		b.accepts("I8", token)
		time.Sleep(delta / 2)
		b.link.cutTicks()
		for range 1100 {
			_, bob := a.signIn("bob")
			a.apply(session.Revoke("bob", bob.ID()))
		}
		a.apply(session.Revoke("ada", s.ID()))
		ticks := 0
		b.link.onTick(func(_ context.Context, next func() (session.Batch, error)) (session.Batch, error) {
			if ticks++; ticks > 1 {
				time.Sleep(delta / 10)
			}
			return next()
		})
		if _, err := b.Check(t.Context(), token, session.Fresh); !errors.Is(err, session.ErrNoSession) {
			t.Fatalf("I6: a fresh check did not see a revocation that had returned: %v", err)
		}
	})
}

func TestFreshSeesWhatCachedMayMiss(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		for range 50 {
			token, s := a.signIn("ada")
			b.accepts("I8", token)
			a.apply(session.Revoke("ada", s.ID()))
			if _, err := b.Check(t.Context(), token, session.Fresh); !errors.Is(err, session.ErrNoSession) {
				t.Fatalf("I6: %v", err)
			}
		}
		b.link.cut()
		token, _ := a.signIn("ada")
		if _, err := b.Check(t.Context(), token, session.Fresh); !errors.Is(err, session.ErrUnavailable) {
			t.Fatalf("I14: a fresh check without the store: %v", err)
		}
	})
}

// The store comes back as it was yesterday: the numbers of its log begin again.
func TestAppliedByNumberAloneNeverCounts(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		yesterday := store.Snapshot()
		token, _ := a.signIn("ada")
		for range 20 {
			a.apply(session.RevokeAll("bob"))
		}
		a.accepts("I8", token)
		a.link.onTick(func(_ context.Context, next func() (session.Batch, error)) (session.Batch, error) {
			time.Sleep(delta / 5)
			return next()
		})
		store.Restore(yesterday)
		a.apply(session.RevokeAll("ada"))
		a.refuses("I1", token)
	})
}

func TestARestoredStoreResetsEveryNode(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		yesterday := store.Snapshot()
		token, _ := a.signIn("ada")
		b.accepts("I8", token)
		store.Restore(yesterday)
		time.Sleep(delta)
		a.rejects("I12", token)
		b.rejects("I12", token)
		again, _ := a.signIn("ada")
		b.accepts("I8", again)
	})
}

// The log was cut off behind a node that was away.
func TestALogCutOffBehindANodeResetsIt(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		store.Tail = 8
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		b.accepts("I8", token)
		b.link.cutTicks()
		a.apply(session.RevokeAll("ada"))
		for range 20 {
			a.apply(session.RevokeAll("bob"))
		}
		b.link.onTick(nil)
		time.Sleep(delta)
		b.rejects("I12", token)
	})
}

func TestAnEntryOfAnUnknownKindResetsTheNode(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		b.accepts("I8", token)
		b.link.onTick(func(_ context.Context, next func() (session.Batch, error)) (session.Batch, error) {
			batch, err := next()
			for i := range batch.Entries {
				batch.Entries[i].Kind, batch.Entries[i].Subject = 77, ""
			}
			return batch, err
		})
		a.apply(session.RevokeAll("ada"))
		time.Sleep(delta)
		b.rejects("I12", token)
	})
}

func TestASignInThatBeganBeforeARevocationFails(t *testing.T) {
	for name, change := range changes {
		if name == "revoke" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, store *memory.Store) {
				a, b := join(t, store), join(t, store)
				_, s := a.signIn("ada")
				attempt, err := b.Begin(t.Context(), "ada")
				if err != nil {
					t.Fatal(err)
				}
				a.apply(change(a, s))
				_, _, err = b.Issue(t.Context(), attempt, session.Grant{})
				if !errors.Is(err, session.ErrMoved) && !errors.Is(err, session.ErrDeleted) {
					t.Fatalf("I11: a sign-in that began before the revocation: %v", err)
				}
			})
		})
	}
}

// The profile changes between the beginning and the end of a sign-in.
func TestIssueShowsTheProfileOfItsOwnTransaction(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		a.apply(session.SetProfile("ada", session.Profile{Name: "before", Roles: []string{"admin"}}, 0))
		attempt, err := a.Begin(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		a.apply(session.SetProfile("ada", session.Profile{Name: "after"}, 0))
		token, s, err := a.Issue(t.Context(), attempt, session.Grant{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Name() != "after" || s.HasRole("admin") {
			t.Fatalf("I18: Issue returned the profile %q", s.Name())
		}
		if s := a.accepts("I8", token.Reveal()); s.Name() != "after" || s.HasRole("admin") {
			t.Fatalf("I18: a check shows the profile %q", s.Name())
		}
	})
}

func TestAChangedProfileHoldsFromTheNextCheck(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a, b := join(t, store), join(t, store)
		token, _ := a.signIn("ada")
		a.accepts("I8", token)
		b.accepts("I8", token)
		a.apply(session.SetProfile("ada", session.Profile{Roles: []string{"admin"}}, 0))
		if !a.accepts("I8", token).HasRole("admin") {
			t.Fatal("I18: the next check here shows the old roles")
		}
		time.Sleep(delta)
		if !b.accepts("I8", token).HasRole("admin") {
			t.Fatal("I18: after delta a check elsewhere shows the old roles")
		}
	})
}
