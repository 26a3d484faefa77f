package sessiontest

import (
	"slices"
	"time"

	"cloakroom/session"
)

func replacing() []promise {
	return []promise{
		{"Replace keeps id, creation time, data and whether it is remembered, under a new token", replaceKeeps},
		{"Replace begins both limits anew, with new level, methods and client", replaceRenews},
		{"Replace kills the old token at once, with an entry that names it", replaceKills},
		{"Replace of another subject's session is refused and changes nothing", replaceForeign},
		{"Replace of a session that has ended, expired or never was is refused", replaceDead},
		{"Replace under a moved epoch is refused", replaceMoved},
		{"a replaced session is revoked by its id, under its new token", replaceThenRevoke},
		{"the session that was presented ends, whoever's it is, with an entry", presentedEnds},
		{"presenting the session that is replaced does not end it", presentedReplaced},
		{"presenting an unknown or dead token is no error and logs nothing", presentedDead},
		{"RevokeOthers at a sign-in ends all sessions but the new one", othersAtSignIn},
		{"RevokeOthers with Replace ends all sessions but the one that goes on", othersAtReplace},
		{"RevokeOthers without a row ends the sign-ins under way", othersWithoutRow},
	}
}

func replace(t ticket) func(*session.Creation) {
	return func(c *session.Creation) { c.Replace = t.id }
}

func replaceKeeps(f *fixture) {
	old := f.signIn("ann", func(c *session.Creation) { c.Remember, c.Client.Label = true, "hers" })
	created := f.load(old).Session.Created
	f.ok(f.Store.PutData(f.Context(), f.now(), old.id, "cart", []byte("hat")))
	f.advance(time.Minute)
	c := f.begin("ann")
	c.Replace = old.id
	given := c.ID
	renewed := f.create(c)
	equal(f, "id", renewed.id, old.id)
	equal(f, "label", f.list("ann")[0].Client.Label, "hers")
	l := f.load(renewed)
	f.sameTime("created", l.Session.Created, created)
	equal(f, "remember", l.Session.Remember, true)
	equal(f, "remember of one that was not", f.load(f.signIn("bob")).Session.Remember, false)
	value, ok, err := f.Store.GetData(f.Context(), f.now(), renewed.id, "cart")
	f.ok(err)
	equal(f, "data", string(value), "hat")
	equal(f, "data is there", ok, true)
	equal(f, "sessions", len(f.list("ann")), 1)
	// The ID of a creation with Replace is ignored.
	f.is(f.Store.PutData(f.Context(), f.now(), given, "k", nil), session.ErrNoSession)
}

func replaceRenews(f *fixture) {
	old := f.signIn("ann")
	before := f.load(old).Session
	f.advance(30 * time.Minute)
	renewed := f.signIn("ann", replace(old), func(c *session.Creation) {
		c.Level, c.Methods = 2, session.Passkey
		c.Client = session.Client{UserAgent: "new", Address: "192.0.2.1", Label: "desk"}
		c.Idle, c.Absolute = 10*time.Minute, 2*time.Hour
	})
	l := f.load(renewed)
	at := before.Created.Add(30 * time.Minute)
	if f.Engine.Now != nil {
		at = l.Session.Authenticated
	}
	f.sameTime("authenticated", l.Session.Authenticated, at)
	f.sameTime("last seen", l.Session.LastSeen, at)
	f.sameTime("idle limit", l.Session.IdleEnds, at.Add(10*time.Minute))
	f.sameTime("absolute limit", l.Session.Absolute, at.Add(2*time.Hour))
	equal(f, "level", l.Session.Level, 2)
	equal(f, "methods", l.Session.Methods, session.Passkey)
	equal(f, "client", f.list("ann")[0].Client, session.Client{UserAgent: "new", Address: "192.0.2.1", Label: "desk"})
	// Touches go by the new idle time.
	f.advance(5 * time.Minute)
	f.touch(renewed, f.now())
	seen := f.load(renewed).Session
	f.sameTime("idle limit after a touch", seen.IdleEnds, seen.LastSeen.Add(10*time.Minute))
}

func replaceKills(f *fixture) {
	old := f.signIn("ann")
	start := f.head()
	c := f.begin("ann")
	c.Replace = old.id
	created, err := f.tryCreate(c)
	f.ok(err)
	f.wantEnded(old)
	f.wantLive(ticket{"ann", old.id, c.Token})
	entries := f.since(start)
	equal(f, "entries", len(entries), 1)
	equal(f, "kind", entries[0].Kind, session.EntrySession)
	if !slices.Equal(entries[0].Hashes, []session.Hash{old.token}) {
		f.Fatal("I10: the entry does not name the old token")
	}
	equal(f, "position", created.Position, f.head())
}

func replaceForeign(f *fixture) {
	ann, bob := f.signIn("ann"), f.signIn("bob")
	f.unchanged(func() {
		c := f.begin("bob")
		c.Replace = ann.id
		_, err := f.tryCreate(c)
		f.is(err, session.ErrNoSession)
		_, err = f.tryLoad(c.Token)
		f.is(err, session.ErrNoSession)
	})
	f.wantLive(ann, bob)
	equal(f, "ann's sessions", len(f.list("ann")), 1)
}

func replaceDead(f *fixture) {
	revoked, expired := f.signIn("ann"), f.signIn("ann")
	f.apply(session.Revoke("ann", revoked.id))
	f.reach(f.load(expired).Session.IdleEnds)
	f.unchanged(func() {
		for _, id := range []session.ID{revoked.id, expired.id, session.NewID()} {
			c := f.begin("ann")
			c.Replace = id
			_, err := f.tryCreate(c)
			f.is(err, session.ErrNoSession)
		}
	})
	f.wantExpired(revoked, expired)
}

func replaceMoved(f *fixture) {
	old := f.signIn("ann")
	other := f.signIn("ann")
	c := f.begin("ann")
	c.Replace = old.id
	f.apply(session.RevokeOthers("ann", old.id)) // old itself stays
	_, err := f.tryCreate(c)
	f.is(err, session.ErrMoved)
	f.wantLive(old)
	f.wantEnded(other)
}

func replaceThenRevoke(f *fixture) {
	old := f.signIn("ann")
	renewed := f.signIn("ann", replace(old))
	start := f.head()
	f.apply(session.Revoke("ann", old.id))
	f.wantEnded(old, renewed)
	entries := f.since(start)
	equal(f, "entries", len(entries), 1)
	if !slices.Contains(entries[0].Hashes, renewed.token) {
		f.Fatal("the entry does not name the new token")
	}
}

func presentedEnds(f *fixture) {
	for _, owner := range []string{"ann", "bob"} {
		presented, other := f.signIn(owner), f.signIn(owner)
		start := f.head()
		c := f.begin("ann")
		c.Presented = presented.token
		created, err := f.tryCreate(c)
		f.ok(err)
		f.wantEnded(presented)
		f.wantLive(other, ticket{"ann", c.ID, c.Token})
		entries := f.since(start)
		equal(f, "entries", len(entries), 1)
		if !slices.Equal(entries[0].Hashes, []session.Hash{presented.token}) {
			f.Fatal("the entry does not name the presented token")
		}
		equal(f, "position", created.Position, f.head())
	}
}

func presentedReplaced(f *fixture) {
	old := f.signIn("ann")
	renewed := f.signIn("ann", replace(old), func(c *session.Creation) { c.Presented = old.token })
	f.wantLive(renewed)
	f.wantEnded(old)
}

func presentedDead(f *fixture) {
	revoked := f.signIn("bob")
	f.apply(session.Revoke("bob", revoked.id))
	moved := f.signIn("eve")
	f.apply(session.RevokeAll("eve"))
	f.unchanged(func() {
		for _, token := range []session.Hash{newHash(), revoked.token, moved.token} {
			c := f.begin("ann")
			c.Presented = token
			created, err := f.tryCreate(c)
			f.ok(err)
			equal(f, "position", created.Position, session.Position{})
		}
	})
}

func othersAtSignIn(f *fixture) {
	a, b, bystander := f.signIn("ann"), f.signIn("ann"), f.signIn("bob")
	start := f.head()
	c := f.begin("ann")
	c.RevokeOthers = true
	created, err := f.tryCreate(c)
	f.ok(err)
	f.wantEnded(a, b)
	f.wantLive(bystander, ticket{"ann", c.ID, c.Token})
	entries := f.since(start)
	equal(f, "entries", len(entries), 1)
	equal(f, "kind", entries[0].Kind, session.EntrySubject)
	equal(f, "subject", entries[0].Subject, "ann")
	equal(f, "version", created.Subject.Version, entries[0].Number)
	equal(f, "position", created.Position, f.head())
}

func othersAtReplace(f *fixture) {
	old, other := f.signIn("ann"), f.signIn("ann")
	start := f.head()
	renewed := f.signIn("ann", replace(old), func(c *session.Creation) {
		c.RevokeOthers, c.Presented = true, old.token
	})
	f.wantEnded(old, other)
	f.wantLive(renewed)
	var kinds []session.EntryKind
	named := false
	for _, e := range f.since(start) {
		kinds = append(kinds, e.Kind)
		named = named || slices.Contains(e.Hashes, old.token)
	}
	if !slices.Contains(kinds, session.EntrySubject) || !named {
		f.Fatalf("entries %v, old token named: %v", kinds, named)
	}
}

func othersWithoutRow(f *fixture) {
	under, c := f.begin("ann"), f.begin("ann")
	c.RevokeOthers = true
	t := f.create(c)
	equal(f, "epoch", f.begin("ann").Epochs.Subject, 2)
	_, err := f.tryCreate(under)
	f.is(err, session.ErrMoved)
	f.wantLive(t)
}
