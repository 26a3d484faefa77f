package sessiontest

import (
	"slices"
	"sync"

	"cloakroom/session"
)

func revocation() []promise {
	return []promise{
		{"each change logs one entry that names what it ended, and returns its position", changesAreLogged},
		{"Revoke of nothing returns the head of the log", revokeOfNothing},
		{"Revoke of another subject's session is refused and changes nothing", revokeForeign},
		{"concurrent revocations of one session log one entry, and all return it or a later one", revokeConcurrently},
		{"RevokeAll ends every session of the subject and no other", func(f *fixture) {
			a, b, bob := f.signIn("ann"), f.signIn("ann"), f.signIn("bob")
			f.apply(session.RevokeAll("ann"))
			f.wantEnded(a, b)
			f.wantLive(bob)
			equal(f, "ann's sessions", len(f.list("ann")), 0)
		}},
		{"RevokeAll on a subject without a row makes it at epoch 2", func(f *fixture) {
			under := f.begin("ann")
			f.apply(session.RevokeAll("ann"))
			equal(f, "epoch", f.begin("ann").Epochs.Subject, 2)
			_, err := f.tryCreate(under)
			f.is(err, session.ErrMoved)
		}},
		{"RevokeOthers keeps one session under its token", othersKeepsOne},
		{"RevokeOthers keeping one that is not live and the subject's is refused and changes nothing", othersOfDead},
		{"RevokeEverything ends every session with one entry", everything},
		{"DeleteSubject leaves a tombstone", tombstone},
		{"DeleteSubject on a subject without a row leaves a tombstone", func(f *fixture) {
			under := f.begin("ann")
			f.apply(session.DeleteSubject("ann"))
			info, ok := f.subject("ann")
			equal(f, "row", ok, true)
			equal(f, "deleted", info.Deleted, true)
			_, err := f.tryCreate(under)
			f.is(err, session.ErrDeleted)
		}},
		{"DeleteSubject again returns the head and changes nothing", func(f *fixture) {
			f.apply(session.DeleteSubject("ann"))
			f.apply(session.RevokeEverything())
			f.unchanged(func() {
				equal(f, "position", f.apply(session.DeleteSubject("ann")), f.head())
			})
		}},
		{"an unknown change is refused", func(f *fixture) {
			f.unchanged(func() {
				if _, err := f.tryApply(session.Change{Kind: 99, Subject: "ann"}); err == nil {
					f.Fatal("accepted")
				}
			})
		}},
	}
}

// logged applies a change and returns its one entry.
func (f *fixture) logged(c session.Change) session.Entry {
	f.Helper()
	start := f.head()
	position := f.apply(c)
	entries := f.since(start)
	equal(f, "entries", len(entries), 1)
	e := entries[0]
	equal(f, "position", position, session.Position{Incarnation: start.Incarnation, Number: e.Number, Nonce: e.Nonce})
	equal(f, "head", f.head(), position)
	if e.At.IsZero() {
		f.Fatal("an entry without a time")
	}
	return e
}

func changesAreLogged(f *fixture) {
	a, b := f.signIn("ann"), f.signIn("ann")
	e := f.logged(session.Revoke("ann", a.id))
	equal(f, "kind", e.Kind, session.EntrySession)
	if !slices.Equal(e.Hashes, []session.Hash{a.token}) {
		f.Fatal("the entry does not name the token")
	}
	for _, change := range []session.Change{
		session.RevokeOthers("ann", b.id),
		session.SetProfile("ann", session.Profile{Name: "Ann"}, 0),
		session.RevokeAll("ann"),
		session.DeleteSubject("ann"),
	} {
		e := f.logged(change)
		equal(f, "kind", e.Kind, session.EntrySubject)
		equal(f, "subject", e.Subject, "ann")
		info, _ := f.subject("ann")
		equal(f, "version", info.Version, e.Number)
	}
	equal(f, "kind", f.logged(session.RevokeEverything()).Kind, session.EntryAll)
}

func revokeOfNothing(f *fixture) {
	revoked, moved := f.signIn("ann"), f.signIn("bob")
	f.apply(session.Revoke("ann", revoked.id))
	f.apply(session.RevokeAll("bob"))
	f.apply(session.RevokeAll("eve")) // the head is not the entry that ended them
	f.unchanged(func() {
		equal(f, "I3: position", f.apply(session.Revoke("ann", revoked.id)), f.head())
		equal(f, "I3: position", f.apply(session.Revoke("bob", moved.id)), f.head())
	})
}

func revokeForeign(f *fixture) {
	ann := f.signIn("ann")
	f.signIn("bob")
	f.unchanged(func() {
		for _, subject := range []string{"bob", "nobody"} {
			_, err := f.tryApply(session.Revoke(subject, ann.id))
			f.is(err, session.ErrNoSession)
		}
		_, err := f.tryApply(session.Revoke("ann", session.NewID()))
		f.is(err, session.ErrNoSession)
	})
	f.wantLive(ann)
	if _, ok := f.subject("nobody"); ok {
		f.Fatal("a refused change made a row")
	}
}

func revokeConcurrently(f *fixture) {
	t := f.signIn("ann")
	start := f.head()
	positions := make([]session.Position, 16)
	var all sync.WaitGroup
	for i := range positions {
		all.Go(func() {
			position, err := f.tryApply(session.Revoke("ann", t.id))
			if err != nil {
				f.Errorf("revoke: %v", err)
			}
			positions[i] = position
		})
	}
	all.Wait()
	entries := f.since(start)
	equal(f, "entries", len(entries), 1)
	for _, p := range positions {
		equal(f, "incarnation", p.Incarnation, start.Incarnation)
		if p.Number < entries[0].Number {
			f.Fatalf("position %d is before entry %d", p.Number, entries[0].Number)
		}
	}
	f.wantEnded(t)
}

func othersKeepsOne(f *fixture) {
	keep, a, b := f.signIn("ann"), f.signIn("ann"), f.signIn("ann")
	bob, under := f.signIn("bob"), f.begin("ann")
	for range 2 {
		f.apply(session.RevokeOthers("ann", keep.id))
		f.wantEnded(a, b)
		f.wantLive(keep, bob)
	}
	_, err := f.tryCreate(under)
	f.is(err, session.ErrMoved)
	// The one that was kept is under the present epoch in every way.
	f.ok(f.Store.PutData(f.Context(), f.now(), keep.id, "k", []byte("v")))
	equal(f, "sessions", len(f.list("ann")), 1)
	f.wantLive(f.signIn("ann", replace(keep)))
}

func othersOfDead(f *fixture) {
	revoked, other, bob := f.signIn("ann"), f.signIn("ann"), f.signIn("bob")
	f.apply(session.Revoke("ann", revoked.id))
	under := f.begin("ann")
	f.unchanged(func() {
		for _, keep := range []session.ID{revoked.id, bob.id, session.NewID()} {
			_, err := f.tryApply(session.RevokeOthers("ann", keep))
			f.is(err, session.ErrNoSession)
		}
		_, err := f.tryApply(session.RevokeOthers("nobody", other.id))
		f.is(err, session.ErrNoSession)
	})
	f.wantLive(other, bob, f.create(under))
	f.reach(f.load(other).Session.IdleEnds)
	f.unchanged(func() {
		_, err := f.tryApply(session.RevokeOthers("ann", other.id))
		f.is(err, session.ErrNoSession)
	})
}

func everything(f *fixture) {
	var tickets []ticket
	for _, name := range []string{"ann", "bob", "eve"} {
		tickets = append(tickets, f.signIn(name))
	}
	under := f.begin("ann")
	e := f.logged(session.RevokeEverything())
	equal(f, "kind", e.Kind, session.EntryAll)
	f.wantEnded(tickets...)
	_, err := f.tryCreate(under)
	f.is(err, session.ErrMoved)
	f.wantLive(f.signIn("ann"))
}

func tombstone(f *fixture) {
	t := f.signIn("ann", func(c *session.Creation) { c.Profile = &session.Profile{Name: "Ann"} })
	f.apply(session.DeleteSubject("ann"))
	f.wantEnded(t)
	info, ok := f.subject("ann")
	equal(f, "row", ok, true)
	equal(f, "deleted", info.Deleted, true)
	if !info.Profile.Equal(session.Profile{}) {
		f.Fatalf("the profile is still %+v", info.Profile)
	}
	f.unchanged(func() {
		for _, change := range []session.Change{
			session.Revoke("ann", t.id),
			session.RevokeOthers("ann", t.id),
			session.RevokeAll("ann"),
			session.SetProfile("ann", session.Profile{Name: "Eve"}, 0),
			session.SetProfile("ann", session.Profile{Name: "Eve"}, info.Version),
		} {
			_, err := f.tryApply(change)
			f.is(err, session.ErrDeleted)
		}
	})
	equal(f, "sessions", len(f.list("ann")), 0)
}
