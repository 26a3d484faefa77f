package sessiontest

import (
	"time"

	"cloakroom/session"
)

func sweeping() []promise {
	return []promise{
		{"what ended or expired long ago goes, with its data, and nothing else", sweepOld},
		{"an ended session is kept for a day, so that its token is known as revoked", sweepKeepsADay},
		{"a sweep deletes no more than its limit, and says how many", sweepBatches},
		{"a sweep logs nothing", func(f *fixture) {
			t := f.signIn("ann")
			f.apply(session.Revoke("ann", t.id))
			f.advance(session.SweepAfter + time.Hour)
			f.unchanged(func() { equal(f, "swept", f.sweep(10), 1) })
		}},
		{"a swept session does not come back, by a touch or by its data", sweptStaysAway},
		{"a tombstone outlives the sweep", func(f *fixture) {
			f.signIn("ann")
			f.apply(session.DeleteSubject("ann"))
			f.advance(absolute + 2*session.SweepAfter)
			equal(f, "swept", f.sweep(10), 1)
			_, err := f.Store.Begin(f.Context(), "ann")
			f.is(err, session.ErrDeleted)
		}},
	}
}

func (f *fixture) sweep(limit int) int {
	f.Helper()
	n, err := f.Store.Sweep(f.Context(), f.now(), limit)
	f.ok(err)
	return n
}

func longLived(c *session.Creation) { c.Idle, c.Absolute = 1000*time.Hour, 1000*time.Hour }

func sweepOld(f *fixture) {
	revoked := f.signIn("ann", longLived)
	idled := f.signIn("ann") // for an hour
	moved := f.signIn("bob", longLived)
	kept := f.signIn("eve", longLived)
	for _, t := range []ticket{revoked, idled, moved, kept} {
		f.ok(f.Store.PutData(f.Context(), f.now(), t.id, "k", []byte("v")))
	}
	f.apply(session.Revoke("ann", revoked.id))
	f.apply(session.RevokeAll("bob"))
	f.advance(session.SweepAfter + 2*idle)
	recent := f.signIn("ann", longLived)
	f.apply(session.Revoke("ann", recent.id))

	equal(f, "swept", f.sweep(100), 3)
	for _, t := range []ticket{revoked, idled, moved} {
		_, err := f.tryLoad(t.token)
		f.is(err, session.ErrNoSession)
	}
	f.wantLive(kept)
	value, _, err := f.Store.GetData(f.Context(), f.now(), kept.id, "k")
	f.ok(err)
	equal(f, "data", string(value), "v")
	equal(f, "ended", f.load(recent).Ended, true)
	equal(f, "swept again", f.sweep(100), 0)
}

func sweepKeepsADay(f *fixture) {
	revoked, moved := f.signIn("ann", longLived), f.signIn("bob", longLived)
	idled := f.signIn("eve", func(c *session.Creation) { c.Idle = 2 * time.Minute })
	f.apply(session.Revoke("ann", revoked.id))
	f.apply(session.RevokeAll("bob"))
	f.advance(session.SweepAfter - time.Minute)
	equal(f, "swept too early", f.sweep(100), 0)
	equal(f, "ended", f.load(revoked).Ended, true)
	equal(f, "ended", f.load(moved).Ended, true)
	f.load(idled)
	f.advance(2 * time.Minute)
	equal(f, "swept a day after they ended", f.sweep(100), 2)
	f.advance(2 * time.Minute)
	equal(f, "swept a day after it expired", f.sweep(100), 1)
}

func sweepBatches(f *fixture) {
	for range 7 {
		f.signIn("ann")
	}
	f.advance(absolute + session.SweepAfter + time.Minute)
	for _, want := range []int{3, 3, 1, 0} {
		equal(f, "swept", f.sweep(3), want)
	}
}

func sweptStaysAway(f *fixture) {
	t := f.signIn("ann")
	f.ok(f.Store.PutData(f.Context(), f.now(), t.id, "k", []byte("v")))
	f.advance(idle / 2)
	seen := f.now()
	f.advance(idle + session.SweepAfter)
	equal(f, "swept", f.sweep(10), 1)
	f.touch(t, seen)
	_, err := f.tryLoad(t.token)
	f.is(err, session.ErrNoSession)
	f.is(f.Store.PutData(f.Context(), f.now(), t.id, "k", []byte("v")), session.ErrNoSession)
	// One who had its id by chance would not find its data.
	again := f.signIn("ann", func(c *session.Creation) { c.ID = t.id })
	_, ok, err := f.Store.GetData(f.Context(), f.now(), again.id, "k")
	f.ok(err)
	equal(f, "data of the swept session", ok, false)
}
