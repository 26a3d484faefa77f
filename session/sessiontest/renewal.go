package sessiontest

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"cloakroom/session"
)

func renewal() []promise {
	return []promise{
		{"a renewable session has a token that ends by itself, and a refresh token that no load takes", renewableEnds},
		{"a renewal makes the pair that is derived, beside the own one, and logs nothing", renewalAdds},
		{"a renewal is answered the same again, however late, until its pair is presented", renewalRepeats},
		{"a renewal is no activity, and moves neither limit", renewalMovesNothing},
		{"an unconfirmed token says so; confirmed, it is the session's own, and an entry names what it superseded", confirmed},
		{"what was superseded lives for its grace, and its renewal has the own pair", supersededLives},
		{"a superseded refresh token is reused after its grace, and does nothing", supersededReused},
		{"presenting an unconfirmed refresh token confirms it", refreshConfirms},
		{"confirming again, or the own token, does nothing; an unknown, superseded or refresh token is refused or nothing", confirmAgain},
		{"a renewal of a session that is over does nothing", renewalOfTheDead},
		{"a session is renewed the way that its tokens travel, which a list shows", renewalByItsWay},
		{"a renewal beside a token of another pair is refused and does nothing", renewalBeside},
		{"a renewal at the limits: a moment before it is answered, in the moment it is not", renewalAtTheLimits},
		{"revoking names every token of the session, and kills all of them", renewalRevoked},
		{"Replace leaves nothing of the pairs, and gives a new one if it is asked for", renewalReplaced},
		{"presenting any access token at a sign-in ends its session", renewalPresented},
		{"no renewal that began before a revocation brings a session back", renewalRaces},
		{"fifty renewals at once have one answer", renewalsAtOnce},
		{"ten thousand renewals leave three pairs", renewalsBounded},
	}
}

const (
	lifetime = 10 * time.Minute
	grace    = 10 * time.Second
)

// pair is what a test knows of a session's tokens.
type pair struct{ access, refresh ticket }

func renewable(refresh session.Hash) func(*session.Creation) {
	return func(c *session.Creation) {
		c.Refresh, c.Salt, c.TokenLifetime = refresh, session.Salt(newHash()), lifetime
	}
}

// signInRenewable begins a session with a pair.
func (f *fixture) signInRenewable(subject string, edit ...func(*session.Creation)) pair {
	f.Helper()
	refresh := newHash()
	t := f.signIn(subject, append(edit, renewable(refresh))...)
	return pair{t, ticket{t.subject, t.id, refresh}}
}

// derive is what a Manager derives from the text of a token, of which the suite has
// none.
func derive(refresh session.Hash, salt session.Salt) (access, next session.Hash) {
	part := func(kind byte) session.Hash {
		return sha256.Sum256(slices.Concat(refresh[:], salt[:], []byte{kind}))
	}
	return part('a'), part('r')
}

func (f *fixture) renewal(refresh session.Hash, edits ...func(*session.Renewal)) session.Renewal {
	r := session.Renewal{
		Refresh: refresh, Salt: session.Salt(newHash()), Lifetime: lifetime, Grace: grace,
		Derive: func(salt session.Salt) (session.Hash, session.Hash) { return derive(refresh, salt) },
	}
	for _, edit := range edits {
		edit(&r)
	}
	return r
}

func (f *fixture) tryRenew(refresh session.Hash) (session.Renewed, error) {
	return f.Store.Renew(f.Context(), f.now(), f.renewal(refresh))
}

// renew presents a refresh token that is answered.
func (f *fixture) renew(t ticket) (pair, session.Renewed) {
	f.Helper()
	r, err := f.tryRenew(t.token)
	f.ok(err)
	if r.Reused || !live(r.Loaded) {
		f.Fatalf("the renewal was refused: %+v", r)
	}
	access, refresh := derive(t.token, r.Salt)
	return pair{ticket{t.subject, t.id, access}, ticket{t.subject, t.id, refresh}}, r
}

func (f *fixture) confirm(t ticket) session.Position {
	f.Helper()
	position, err := f.Store.Confirm(f.Context(), f.now(), t.token, grace)
	f.ok(err)
	return position
}

// wantPlace wants an access token that is accepted, and is in that place.
func (f *fixture) wantPlace(t ticket, want session.Place) {
	f.Helper()
	l := f.load(t)
	if !live(l) || l.TokenLeft <= 0 || l.Place != want {
		f.Fatalf("place %d, token left %v, ended %v, want place %d", l.Place, l.TokenLeft, l.Ended, want)
	}
}

// wantRefused wants an access token that no check would accept.
func (f *fixture) wantRefused(t ticket) {
	f.Helper()
	l, err := f.tryLoad(t.token)
	if err != nil {
		f.is(err, session.ErrNoSession)
	} else if live(l) && l.TokenLeft > 0 {
		f.Fatalf("I10: the token is accepted, in place %d", l.Place)
	}
}

func (f *fixture) wantReused(t ticket) {
	f.Helper()
	r, err := f.tryRenew(t.token)
	f.ok(err)
	equal(f, "reused", r.Reused, true)
	equal(f, "subject", r.Subject.Subject, t.subject)
	equal(f, "session", r.Session.ID, t.id)
}

// names wants the log to have grown by one entry of that kind with these tokens.
func (f *fixture) names(after session.Position, kind session.EntryKind, tokens ...ticket) {
	f.Helper()
	entries := f.since(after)
	if len(entries) != 1 || entries[0].Kind != kind || len(entries[0].Hashes) != len(tokens) {
		f.Fatalf("logged %+v, want one entry of kind %d with %d tokens", entries, kind, len(tokens))
	}
	for i, t := range tokens {
		if !slices.Contains(entries[0].Hashes, t.token) {
			f.Fatalf("the entry does not name token %d", i)
		}
	}
}

func renewableEnds(f *fixture) {
	plain, own := f.signIn("ann"), f.signInRenewable("ann")
	l := f.load(plain)
	equal(f, "what is left of a token that is not renewable", l.TokenLeft, l.AbsoluteLeft)
	l = f.load(own.access)
	equal(f, "place", l.Place, session.Own)
	if l.TokenLeft > lifetime || l.TokenLeft < lifetime-2*time.Second {
		f.Fatalf("%v is left of the token", l.TokenLeft)
	}
	_, err := f.tryLoad(own.refresh.token)
	f.is(err, session.ErrNoSession)
	f.advance(lifetime)
	f.touch(own.access, f.now())
	l = f.load(own.access)
	if !live(l) || l.TokenLeft > 0 {
		f.Fatalf("after its lifetime: %+v", l)
	}
	f.wantLive(plain)
	_, err = f.tryRenew(own.access.token)
	f.is(err, session.ErrNoSession)
	_, err = f.tryRenew(newHash())
	f.is(err, session.ErrNoSession)
	// A token does not outlive its session.
	short := f.signInRenewable("bob", func(c *session.Creation) { c.Idle, c.Absolute = time.Minute, time.Minute })
	l = f.load(short.access)
	equal(f, "what is left of a token in a short session", l.TokenLeft, l.AbsoluteLeft)
}

func renewalAdds(f *fixture) {
	own := f.signInRenewable("ann")
	f.unchanged(func() {
		next, r := f.renew(own.refresh)
		equal(f, "own token", r.Own, own.access.token)
		equal(f, "position", r.Position, session.Position{})
		equal(f, "session", r.Session.ID, own.access.id)
		equal(f, "place of the refresh token", r.Place, session.Own)
		if r.TokenLeft > lifetime || r.TokenLeft < lifetime-2*time.Second {
			f.Fatalf("%v is left of the new token", r.TokenLeft)
		}
		f.wantPlace(own.access, session.Own)
		f.wantPlace(next.access, session.Next)
		_, err := f.tryLoad(next.refresh.token)
		f.is(err, session.ErrNoSession)
	})
	equal(f, "sessions", len(f.list("ann")), 1)
}

func renewalRepeats(f *fixture) {
	own := f.signInRenewable("ann")
	first, _ := f.renew(own.refresh)
	for _, wait := range []time.Duration{0, time.Second, 10 * time.Second, lifetime + time.Minute} {
		f.advance(wait)
		f.touch(own.access, f.now())
		again, r := f.renew(own.refresh)
		equal(f, "access token", again.access, first.access)
		equal(f, "refresh token", again.refresh, first.refresh)
		if r.TokenLeft < lifetime-2*time.Second { // it was never used, so it is as good as new
			f.Fatalf("%v is left of the new token", r.TokenLeft)
		}
	}
	f.wantPlace(first.access, session.Next)
}

func renewalMovesNothing(f *fixture) {
	own := f.signInRenewable("ann")
	before := f.load(own.access).Session
	f.advance(5 * time.Minute)
	next, r := f.renew(own.refresh)
	f.confirm(next.access)
	for _, row := range []session.Row{r.Session, f.load(next.access).Session} {
		f.sameTime("last seen", row.LastSeen, before.LastSeen)
		f.sameTime("idle limit", row.IdleEnds, before.IdleEnds)
		f.sameTime("absolute limit", row.Absolute, before.Absolute)
		f.sameTime("authenticated", row.Authenticated, before.Authenticated)
	}
}

func confirmed(f *fixture) {
	own := f.signInRenewable("ann")
	next, _ := f.renew(own.refresh)
	before := f.head()
	equal(f, "position", f.confirm(next.access), f.head())
	f.names(before, session.EntrySuperseded, own.access, own.refresh)
	f.wantPlace(next.access, session.Own)
	f.wantPlace(own.access, session.Superseded)
	if left := f.load(own.access).TokenLeft; left > grace {
		f.Fatalf("%v is left of what was superseded", left)
	}
	if left := f.load(next.access).TokenLeft; left < lifetime-2*time.Second {
		f.Fatalf("%v is left of the own token", left)
	}
}

func supersededLives(f *fixture) {
	own := f.signInRenewable("ann")
	next, _ := f.renew(own.refresh)
	f.confirm(next.access)
	f.advance(grace - 2*time.Second)
	f.wantPlace(own.access, session.Superseded)
	f.unchanged(func() {
		again, r := f.renew(own.refresh)
		equal(f, "access token", again.access, next.access)
		equal(f, "refresh token", again.refresh, next.refresh)
		equal(f, "place of the refresh token", r.Place, session.Superseded)
		if r.TokenLeft > lifetime-grace+3*time.Second { // it is in use, and gets no longer by being asked for
			f.Fatalf("%v is left of the own token", r.TokenLeft)
		}
	})
	f.wantPlace(next.access, session.Own)
	f.advance(2 * time.Second)
	f.wantRefused(own.access)
	// The grace is none for a token that had less to live.
	end := f.signInRenewable("bob")
	f.advance(lifetime - 2*time.Second)
	next, _ = f.renew(end.refresh)
	f.confirm(next.access)
	f.advance(2 * time.Second)
	f.wantRefused(end.access)
}

func supersededReused(f *fixture) {
	first := f.signInRenewable("ann")
	second, _ := f.renew(first.refresh)
	f.confirm(second.access)
	f.advance(grace)
	f.unchanged(func() { f.wantReused(first.refresh) })
	f.wantPlace(second.access, session.Own)
	third, _ := f.renew(second.refresh)
	f.wantReused(first.refresh)
	f.confirm(third.access)
	// Of what is older nothing is known.
	_, err := f.tryRenew(first.refresh.token)
	f.is(err, session.ErrNoSession)
	_, err = f.tryLoad(first.access.token)
	f.is(err, session.ErrNoSession)
	f.wantPlace(third.access, session.Own)
}

func refreshConfirms(f *fixture) {
	own := f.signInRenewable("ann")
	next, _ := f.renew(own.refresh)
	before := f.head()
	third, r := f.renew(next.refresh)
	equal(f, "position", r.Position, f.head())
	equal(f, "own token", r.Own, next.access.token)
	equal(f, "place of the refresh token", r.Place, session.Next)
	f.names(before, session.EntrySuperseded, own.access, own.refresh)
	f.wantPlace(own.access, session.Superseded)
	f.wantPlace(next.access, session.Own)
	f.wantPlace(third.access, session.Next)
}

func confirmAgain(f *fixture) {
	own := f.signInRenewable("ann")
	next, _ := f.renew(own.refresh)
	position := f.confirm(next.access)
	f.unchanged(func() {
		equal(f, "position", f.confirm(next.access), position)
		equal(f, "position", f.confirm(own.access), position)
		equal(f, "position", f.confirm(f.signIn("bob")), f.head())
		for _, token := range []session.Hash{newHash(), next.refresh.token, own.refresh.token} {
			_, err := f.Store.Confirm(f.Context(), f.now(), token, grace)
			f.is(err, session.ErrNoSession)
		}
	})
	f.wantPlace(next.access, session.Own)
}

// overs are the ways in which a renewable session is over.
var overs = map[string]func(*fixture, pair){
	"revoked":     func(f *fixture, p pair) { f.apply(session.Revoke(p.access.subject, p.access.id)) },
	"all revoked": func(f *fixture, p pair) { f.apply(session.RevokeAll(p.access.subject)) },
	"others revoked": func(f *fixture, p pair) {
		f.apply(session.RevokeOthers(p.access.subject, f.signIn(p.access.subject).id))
	},
	"everything": func(f *fixture, _ pair) { f.apply(session.RevokeEverything()) },
	"deleted":    func(f *fixture, p pair) { f.apply(session.DeleteSubject(p.access.subject)) },
	"others, sign-in": func(f *fixture, p pair) {
		f.signIn(p.access.subject, func(c *session.Creation) { c.RevokeOthers = true })
	},
	"presented": func(f *fixture, p pair) { f.signIn("bob", func(c *session.Creation) { c.Presented = p.access.token }) },
}

func renewalOfTheDead(f *fixture) {
	for name, end := range overs {
		own := f.signInRenewable("ann " + name)
		next, _ := f.renew(own.refresh)
		end(f, own)
		f.unchanged(func() {
			for _, refresh := range []ticket{own.refresh, next.refresh} {
				r, err := f.tryRenew(refresh.token)
				f.ok(err)
				if !r.Ended || r.Reused {
					f.Fatalf("I10: %s: a renewal afterwards: %+v", name, r)
				}
			}
			_, err := f.Store.Confirm(f.Context(), f.now(), next.access.token, grace)
			f.refused("I10: "+name, err, session.ErrNoSession)
		})
		f.wantEnded(own.access, next.access)
	}
}

func renewalByItsWay(f *fixture) {
	inCookie := f.signInRenewable("ann")
	inHeader := f.signInRenewable("ann", func(c *session.Creation) { c.Bearer = true })
	try := func(p pair, bearer bool) error {
		_, err := f.Store.Renew(f.Context(), f.now(), f.renewal(p.refresh.token, func(r *session.Renewal) { r.Bearer = bearer }))
		return err
	}
	f.is(try(inCookie, true), session.ErrNoSession)
	f.is(try(inHeader, false), session.ErrNoSession)
	f.ok(try(inHeader, true))
	f.ok(try(inCookie, false))
	list, _, err := f.Store.List(f.Context(), f.now(), "ann", "", 10)
	f.ok(err)
	equal(f, "sessions", len(list), 2)
	for _, d := range list {
		equal(f, "bearer", d.Bearer, d.ID == inHeader.access.id)
		equal(f, "bearer, loaded", f.load(inHeader.access).Session.Bearer, true)
	}
	// It is what the last sign-in says.
	f.signIn("ann", func(c *session.Creation) { c.Replace = inHeader.access.id })
	list, _, err = f.Store.List(f.Context(), f.now(), "ann", "", 10)
	f.ok(err)
	for _, d := range list {
		equal(f, "bearer", d.Bearer, false)
	}
}

func renewalBeside(f *fixture) {
	beside := func(refresh, access ticket) error {
		_, err := f.Store.Renew(f.Context(), f.now(), f.renewal(refresh.token, func(r *session.Renewal) { r.Beside = access.token }))
		return err
	}
	own, other := f.signInRenewable("ann"), f.signInRenewable("ann")
	before := f.head()
	for _, wrong := range []ticket{other.access, other.refresh, own.refresh, {token: newHash()}} {
		f.is(beside(own.refresh, wrong), session.ErrNoSession)
	}
	f.is(beside(other.refresh, own.access), session.ErrNoSession)
	f.ok(beside(own.refresh, own.access))
	next, _ := f.renew(own.refresh)
	f.is(beside(next.refresh, own.access), session.ErrNoSession)
	f.is(beside(own.refresh, next.access), session.ErrNoSession)
	equal(f, "head", f.head(), before)
	f.wantPlace(own.access, session.Own)
	f.wantPlace(next.access, session.Next)
	f.ok(beside(next.refresh, next.access))
	f.wantPlace(next.access, session.Own)
	f.ok(beside(own.refresh, own.access)) // in its grace
}

func renewalAtTheLimits(f *fixture) {
	for name, edit := range map[string]func(*session.Creation){
		"idle":     func(*session.Creation) {},
		"absolute": func(c *session.Creation) { c.Idle, c.Absolute = idle, idle },
	} {
		own := f.signInRenewable("ann "+name, edit)
		f.approach(f.load(own.access).Session.IdleEnds)
		next, _ := f.renew(own.refresh)
		f.reach(f.load(own.access).Session.IdleEnds)
		f.unchanged(func() {
			r, err := f.tryRenew(own.refresh.token)
			f.ok(err)
			if live(r.Loaded) || r.Ended || r.Own != own.access.token {
				f.Fatalf("I15: %s: renewed in the moment of the limit: %+v", name, r)
			}
			_, err = f.Store.Confirm(f.Context(), f.now(), next.access.token, grace)
			f.refused("I15: "+name, err, session.ErrNoSession)
		})
		f.wantRefused(next.access)
	}
}

func renewalRevoked(f *fixture) {
	first := f.signInRenewable("ann")
	second, _ := f.renew(first.refresh)
	f.confirm(second.access)
	third, _ := f.renew(second.refresh)
	before := f.head()
	f.apply(session.Revoke("ann", first.access.id))
	f.names(before, session.EntrySession,
		first.access, first.refresh, second.access, second.refresh, third.access, third.refresh)
	f.wantEnded(first.access, second.access, third.access)
}

func renewalReplaced(f *fixture) {
	first := f.signInRenewable("ann")
	second, _ := f.renew(first.refresh)
	before := f.head()
	again := f.signInRenewable("ann", replace(first.access))
	f.names(before, session.EntrySession, first.access, first.refresh, second.access, second.refresh)
	for _, t := range []ticket{first.refresh, second.refresh} {
		_, err := f.tryRenew(t.token)
		f.refused("I10", err, session.ErrNoSession)
	}
	f.wantRefused(first.access)
	f.wantRefused(second.access)
	next, _ := f.renew(again.refresh)
	f.wantPlace(next.access, session.Next)
	// One that is not renewable any more.
	last := f.signIn("ann", replace(first.access))
	_, err := f.tryRenew(again.refresh.token)
	f.refused("I10", err, session.ErrNoSession)
	f.wantRefused(next.access)
	l := f.load(last)
	equal(f, "what is left of the token", l.TokenLeft, l.AbsoluteLeft)
	equal(f, "sessions", len(f.list("ann")), 1)
}

func renewalPresented(f *fixture) {
	for i := range 3 {
		first := f.signInRenewable("ann")
		second, _ := f.renew(first.refresh)
		f.confirm(second.access)
		third, _ := f.renew(second.refresh)
		all := []ticket{first.access, second.access, third.access}
		f.signIn("bob", func(c *session.Creation) { c.Presented = all[i].token })
		f.wantEnded(all...)
	}
	// A refresh token is nothing that a sign-in presents.
	own := f.signInRenewable("ann")
	f.signIn("bob", func(c *session.Creation) { c.Presented = own.refresh.token })
	f.wantLive(own.access)
}

func renewalRaces(f *fixture) {
	for name, end := range overs {
		for range 10 {
			own := f.signInRenewable("ann " + name)
			if name == "deleted" {
				own = f.signInRenewable("ann " + name + own.access.id.String())
			}
			next, _ := f.renew(own.refresh)
			var racing sync.WaitGroup
			var answers [2]session.Renewed
			for i, refresh := range []session.Hash{own.refresh.token, next.refresh.token} {
				racing.Go(func() { answers[i], _ = f.tryRenew(refresh) })
			}
			racing.Go(func() { _, _ = f.Store.Confirm(f.Context(), f.now(), next.access.token, grace) })
			end(f, own)
			racing.Wait()
			f.wantEnded(own.access, next.access)
			for i, refresh := range []ticket{own.refresh, next.refresh} {
				access, _ := derive(refresh.token, answers[i].Salt)
				f.wantEndedOrUnknown(access)
			}
			if name == "deleted" {
				break
			}
		}
	}
}

// wantEndedOrUnknown wants a token that came of a renewal beside a revocation.
func (f *fixture) wantEndedOrUnknown(token session.Hash) {
	f.Helper()
	l, err := f.tryLoad(token)
	if err != nil {
		f.is(err, session.ErrNoSession)
	} else if !l.Ended {
		f.Fatalf("I10: a renewal that began before a revocation gave a live token: %+v", l)
	}
}

func renewalsAtOnce(f *fixture) {
	own := f.signInRenewable("ann")
	var all sync.WaitGroup
	var answers [50]session.Renewed
	var errs [50]error
	for i := range answers {
		all.Go(func() { answers[i], errs[i] = f.tryRenew(own.refresh.token) })
	}
	all.Wait()
	for i := range answers {
		f.ok(errs[i])
		equal(f, "salt", answers[i].Salt, answers[0].Salt)
	}
	access, refresh := derive(own.refresh.token, answers[0].Salt)
	f.wantPlace(ticket{"ann", own.access.id, access}, session.Next)
	f.confirm(ticket{"ann", own.access.id, access})
	third, _ := f.renew(ticket{"ann", own.access.id, refresh})
	f.wantPlace(third.access, session.Next)
}

func renewalsBounded(f *fixture) {
	own := f.signInRenewable("ann")
	known := []pair{own}
	for range 10_000 {
		next, _ := f.renew(known[len(known)-1].refresh)
		known = append(known, next)
		if len(known) > 5 {
			known = known[1:]
		}
	}
	before := f.head()
	f.apply(session.Revoke("ann", own.access.id))
	// The own pair, the one before, the one after: the log has no more to name.
	var last []ticket
	for _, p := range known[2:] {
		last = append(last, p.access, p.refresh)
	}
	f.names(before, session.EntrySession, last...)
}
