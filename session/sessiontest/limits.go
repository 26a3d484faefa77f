package sessiontest

import (
	"slices"
	"sync"
	"time"

	"cloakroom/session"
)

func sessionLimit() []promise {
	return []promise{
		{"the longest unseen session goes, with an entry", longestUnseenGoes},
		{"several go where the limit was lowered, each with an entry", severalGo},
		{"a session of a higher level never goes for one of a lower", higherLevelStays},
		{"a sign-in that would need a higher level to go is refused and changes nothing", higherLevelRefused},
		{"sessions that have ended or expired do not count", deadDoNotCount},
		{"other subjects do not count", func(f *fixture) {
			ann, bob := minutely(f, 1)[0], f.signIn("bob")
			f.wantLive(ann, bob, f.signIn("bob", atMost(2)))
		}},
		{"the session that was presented makes room by itself", presentedMakesRoom},
		{"a session that goes on needs no room", replaceNeedsNoRoom},
		{"a sign-in that revokes the others needs no room", func(f *fixture) {
			high := f.signIn("ann", atLevel(2))
			low := f.signIn("ann", atMost(1), func(c *session.Creation) { c.RevokeOthers = true })
			f.wantEnded(high)
			f.wantLive(low)
		}},
		{"concurrent sign-ins never pass the limit", limitUnderRace},
	}
}

func atMost(n int) func(*session.Creation) { return func(c *session.Creation) { c.Limit = n } }

func atLevel(level uint8) func(*session.Creation) {
	return func(c *session.Creation) { c.Level = level }
}

// minutely signs in n sessions a minute apart.
func minutely(f *fixture, n int, edit ...func(*session.Creation)) []ticket {
	var tickets []ticket
	for range n {
		tickets = append(tickets, f.signIn("ann", edit...))
		f.advance(time.Minute)
	}
	return tickets
}

// wantEntries wants one session entry for each of the tickets, in any order.
func wantEntries(f *fixture, start session.Position, tickets ...ticket) {
	f.Helper()
	entries := f.since(start)
	equal(f, "entries", len(entries), len(tickets))
	for _, t := range tickets {
		if !slices.ContainsFunc(entries, func(e session.Entry) bool {
			return e.Kind == session.EntrySession && slices.Equal(e.Hashes, []session.Hash{t.token})
		}) {
			f.Fatal("a session ended without an entry of its own")
		}
	}
}

func longestUnseenGoes(f *fixture) {
	old := minutely(f, 3)
	f.touch(old[0], f.now())
	f.advance(time.Minute)
	start := f.head()
	c := f.begin("ann")
	c.Limit = 3
	created, err := f.tryCreate(c)
	f.ok(err)
	f.wantEnded(old[1])
	f.wantLive(old[0], old[2], ticket{"ann", c.ID, c.Token})
	wantEntries(f, start, old[1])
	equal(f, "position", created.Position, f.head())
}

func severalGo(f *fixture) {
	old := minutely(f, 5)
	start := f.head()
	t := f.signIn("ann", atMost(2))
	f.wantEnded(old[:4]...)
	f.wantLive(old[4], t)
	wantEntries(f, start, old[:4]...)
}

func higherLevelStays(f *fixture) {
	high := minutely(f, 1, atLevel(2))[0]
	low := minutely(f, 1)[0]
	next := f.signIn("ann", atMost(2))
	f.wantEnded(low)
	f.wantLive(high, next)
	f.advance(time.Minute)
	higher := f.signIn("ann", atMost(2), atLevel(2))
	f.wantEnded(high) // of the same level, and the longest unseen
	f.wantLive(next, higher)
}

func higherLevelRefused(f *fixture) {
	high := minutely(f, 2, atLevel(2))
	low := minutely(f, 1)[0]
	f.unchanged(func() {
		c := f.begin("ann")
		c.Limit = 2 // two would have to go, and only one may
		c.Profile = &session.Profile{Name: "Ann"}
		_, err := f.tryCreate(c)
		f.is(err, session.ErrSessionLimit)
		_, err = f.tryLoad(c.Token)
		f.is(err, session.ErrNoSession)
	})
	f.wantLive(high[0], high[1], low)
}

func deadDoNotCount(f *fixture) {
	revoked := f.signIn("ann")
	f.apply(session.Revoke("ann", revoked.id))
	f.signIn("ann")
	f.apply(session.RevokeAll("ann"))
	expired := f.signIn("ann", func(c *session.Creation) { c.Idle = time.Minute })
	kept := f.signIn("ann")
	f.reach(f.load(expired).Session.IdleEnds)
	f.unchanged(func() { f.wantLive(kept, f.signIn("ann", atMost(2))) })
}

func presentedMakesRoom(f *fixture) {
	old := minutely(f, 2)
	start := f.head()
	t := f.signIn("ann", atMost(2), func(c *session.Creation) { c.Presented = old[1].token })
	f.wantEnded(old[1])
	f.wantLive(old[0], t)
	wantEntries(f, start, old[1])
}

func replaceNeedsNoRoom(f *fixture) {
	old := minutely(f, 2)
	start := f.head()
	t := f.signIn("ann", atMost(2), replace(old[0]))
	f.wantLive(old[1], t)
	wantEntries(f, start, old[0]) // its old token
}

func limitUnderRace(f *fixture) {
	const most = 4
	start := f.head()
	c := f.begin("ann")
	c.Limit = most
	created := make([]ticket, 50)
	var all sync.WaitGroup
	for i := range created {
		all.Go(func() {
			c := c
			c.ID, c.Token = session.NewID(), newHash()
			if _, err := f.tryCreate(c); err != nil {
				f.Errorf("create: %v", err)
			}
			created[i] = ticket{"ann", c.ID, c.Token}
			there, _, err := f.Store.List(f.Context(), f.now(), "ann", "", 100)
			if err != nil || len(there) > most {
				f.Errorf("%d live sessions of %d, %v", len(there), most, err)
			}
		})
	}
	all.Wait()
	left := f.list("ann")
	equal(f, "live sessions", len(left), most)
	ended := slices.DeleteFunc(created, func(t ticket) bool {
		return slices.ContainsFunc(left, func(d session.Details) bool { return d.ID == t.id })
	})
	f.wantEnded(ended...)
	wantEntries(f, start, ended...)
}
