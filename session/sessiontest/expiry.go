package sessiontest

import (
	"time"

	"cloakroom/session"
)

func expiry() []promise {
	return []promise{
		{"a session ends when its idle limit is reached, not before", expiresAt(func(l session.Loaded) time.Time { return l.Session.IdleEnds })},
		{"a session ends when its absolute limit is reached, not before", absoluteLimit},
		{"an expired session has not Ended", func(f *fixture) {
			t := f.signIn("ann")
			f.reach(f.load(t).Session.IdleEnds)
			equal(f, "ended", f.load(t).Ended, false)
		}},
		{"a touch moves the idle limit", touchExtends},
		{"a touch never moves the idle limit past the absolute one", touchStopsAtAbsolute},
		{"an idle time beyond the absolute limit stops there from the start", func(f *fixture) {
			t := f.signIn("ann", func(c *session.Creation) { c.Idle, c.Absolute = 2*time.Hour, time.Hour })
			l := f.load(t)
			if l.Session.IdleEnds.After(l.Session.Absolute) {
				f.Fatalf("idle until %v, absolute until %v", l.Session.IdleEnds, l.Session.Absolute)
			}
		}},
		{"a touch moves nothing back", touchNeverBack},
		{"a touch seen before the idle limit counts although it arrives after it", touchArrivesLate},
		{"a touch seen when a limit had been reached changes nothing", touchTooLate},
		{"a touch of an ended session changes nothing", touchOfEnded},
		{"a touch of an unknown session is no error, and the others count", touchMany},
		{"a touch logs nothing", func(f *fixture) {
			t := f.signIn("ann")
			f.unchanged(func() { f.touch(t, f.now()) })
		}},
		{"a clock that is set back revives nothing", clockSetBack},
		{"an expired session has no data, cannot be replaced and is not listed", expiredIsDead},
	}
}

func expiresAt(limit func(session.Loaded) time.Time) func(*fixture) {
	return func(f *fixture) {
		t := f.signIn("ann")
		f.approach(limit(f.load(t)))
		f.wantLive(t)
		f.reach(limit(f.load(t)))
		f.wantExpired(t)
	}
}

func absoluteLimit(f *fixture) {
	t := f.signIn("ann", func(c *session.Creation) { c.Idle, c.Absolute = 40*time.Minute, time.Hour })
	f.advance(30 * time.Minute)
	f.touch(t, f.now())
	l := f.load(t)
	f.approach(l.Session.Absolute)
	f.wantLive(t)
	f.touch(t, f.now())
	f.reach(l.Session.Absolute)
	f.wantExpired(t)
}

func touchExtends(f *fixture) {
	t := f.signIn("ann")
	for range 3 {
		f.advance(50 * time.Minute)
		seen := f.now().Truncate(time.Second)
		f.touch(t, seen)
		l := f.load(t)
		f.sameTime("last seen", l.Session.LastSeen, seen)
		f.sameTime("idle limit", l.Session.IdleEnds, seen.Add(idle))
		f.remain("idle", l.IdleLeft, l.Session.IdleEnds)
		f.wantLive(t)
		f.sameTime("last seen in the list", f.list("ann")[0].LastSeenAt, seen)
	}
	created := f.load(t).Session.Created
	f.sameTime("authenticated", f.load(t).Session.Authenticated, created)
	f.sameTime("absolute limit", f.load(t).Session.Absolute, created.Add(absolute))
	f.remain("age", -f.load(t).Age, created)
}

func touchStopsAtAbsolute(f *fixture) {
	t := f.signIn("ann", func(c *session.Creation) { c.Idle, c.Absolute = 40*time.Minute, time.Hour })
	f.advance(30 * time.Minute)
	f.touch(t, f.now())
	l := f.load(t)
	f.sameTime("idle limit", l.Session.IdleEnds, l.Session.Absolute)
}

func touchNeverBack(f *fixture) {
	t := f.signIn("ann")
	f.advance(30 * time.Minute)
	f.touch(t, f.now())
	before := f.load(t).Session
	f.touch(t, f.now().Add(-10*time.Minute))
	f.touch(t, f.now().Add(-72*time.Hour))
	after := f.load(t).Session
	f.sameTime("last seen", after.LastSeen, before.LastSeen)
	f.sameTime("idle limit", after.IdleEnds, before.IdleEnds)
	// An idle time that grew shorter does not shorten what was granted.
	other := f.signIn("ann")
	ends := f.load(other).Session.IdleEnds
	f.touch(other, f.now().Add(-time.Minute))
	f.sameTime("idle limit", f.load(other).Session.IdleEnds, ends)
}

func touchArrivesLate(f *fixture) {
	t := f.signIn("ann")
	f.advance(50 * time.Minute)
	seen := f.now().Truncate(time.Second)
	f.advance(20 * time.Minute)
	f.wantExpired(t)
	f.touch(t, seen)
	f.wantLive(t)
	f.sameTime("idle limit", f.load(t).Session.IdleEnds, seen.Add(idle))
}

func touchTooLate(f *fixture) {
	idled := f.signIn("ann")
	f.reach(f.load(idled).Session.IdleEnds)
	f.touch(idled, f.load(idled).Session.IdleEnds)
	f.touch(idled, f.now())
	f.wantExpired(idled)

	over := f.signIn("ann", func(c *session.Creation) { c.Idle, c.Absolute = time.Hour, time.Hour })
	before := f.load(over).Session
	f.reach(before.Absolute)
	f.touch(over, before.Absolute)
	f.wantExpired(over)
	f.sameTime("last seen", f.load(over).Session.LastSeen, before.LastSeen)
}

func touchOfEnded(f *fixture) {
	revoked, moved := f.signIn("ann"), f.signIn("bob")
	f.apply(session.Revoke("ann", revoked.id))
	f.apply(session.RevokeAll("bob"))
	f.advance(time.Minute)
	for _, t := range []ticket{revoked, moved} {
		before := f.load(t).Session
		f.touch(t, f.now())
		after := f.load(t).Session
		f.sameTime("last seen", after.LastSeen, before.LastSeen)
		f.sameTime("idle limit", after.IdleEnds, before.IdleEnds)
	}
}

func touchMany(f *fixture) {
	revoked, a, b := f.signIn("ann"), f.signIn("ann"), f.signIn("bob")
	f.apply(session.Revoke("ann", revoked.id))
	f.advance(time.Minute)
	seen := f.now().Truncate(time.Second)
	f.ok(f.Store.Touch(f.Context(), f.now(), nil))
	f.ok(f.Store.Touch(f.Context(), f.now(), []session.Touch{
		{ID: session.NewID(), Seen: seen}, {ID: a.id, Seen: seen}, {ID: revoked.id, Seen: seen},
		{ID: b.id, Seen: seen}, {ID: a.id, Seen: seen.Add(-time.Second)},
	}))
	f.sameTime("last seen", f.load(a).Session.LastSeen, seen)
	f.sameTime("last seen", f.load(b).Session.LastSeen, seen)
	f.wantEnded(revoked)
}

func clockSetBack(f *fixture) {
	if f.Engine.Now != nil {
		f.Skip("the engine's clock is its own")
	}
	t := f.signIn("ann")
	f.reach(f.load(t).Session.IdleEnds)
	f.wantExpired(t)
	f.at = f.at.Add(-30 * time.Minute)
	f.wantExpired(t)
	equal(f, "listed", len(f.list("ann")), 0)
	_, _, err := f.Store.GetData(f.Context(), f.now(), t.id, "k")
	f.is(err, session.ErrNoSession)
	c := f.begin("ann")
	c.Replace = t.id
	_, err = f.tryCreate(c)
	f.is(err, session.ErrNoSession)
	// One issued meanwhile begins at the latest time known, and is live.
	f.wantLive(f.signIn("ann"))
}

func expiredIsDead(f *fixture) {
	t := f.signIn("ann")
	f.ok(f.Store.PutData(f.Context(), f.now(), t.id, "k", []byte("v")))
	f.reach(f.load(t).Session.IdleEnds)
	_, _, err := f.Store.GetData(f.Context(), f.now(), t.id, "k")
	f.is(err, session.ErrNoSession)
	c := f.begin("ann")
	c.Replace = t.id
	_, err = f.tryCreate(c)
	f.is(err, session.ErrNoSession)
	equal(f, "listed", len(f.list("ann")), 0)
}
