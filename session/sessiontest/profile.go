package sessiontest

import (
	"sync"

	"cloakroom/session"
)

func profiles() []promise {
	return []promise{
		{"SetProfile replaces the whole profile and ends no session", setProfile},
		{"SetProfile on a subject without a row makes one at epoch 1", setProfileWithoutRow},
		{"a subject that was never changed has a version other than 0, which means any", versionOfUnchanged},
		{"SetProfile of a stale version is refused and changes nothing", staleVersion},
		{"of concurrent changes of one version one wins", concurrentVersions},
		{"a profile at sign-in is logged only if it differs", profileAtSignIn},
		{"a sign-in without a profile leaves it alone", func(f *fixture) {
			f.apply(session.SetProfile("ann", session.Profile{Name: "Ann"}, 0))
			f.unchanged(func() { equal(f, "name", f.load(f.signIn("ann")).Subject.Profile.Name, "Ann") })
		}},
		{"a sign-in shows the profile of its own transaction, not that of its beginning", func(f *fixture) {
			c := f.begin("ann")
			p := f.apply(session.SetProfile("ann", session.Profile{Name: "Ann", Roles: []string{"admin"}}, 0))
			created, err := f.tryCreate(c)
			f.ok(err)
			equal(f, "name", created.Subject.Profile.Name, "Ann")
			equal(f, "version", created.Subject.Version, p.Number)
		}},
		{"a subject's version never falls", versionNeverFalls},
		{"the store keeps a copy of what it is given", profileIsCopied},
	}
}

func setProfile(f *fixture) {
	t := f.signIn("ann")
	first := session.Profile{
		Name: "Ann", Email: "ann@example.org", EmailVerified: true,
		Roles: []string{"z", "a", "admin"}, Attributes: []byte(`{"a":[1,2]}`),
	}
	for _, p := range []session.Profile{first, {Roles: []string{"a"}}, {}, first} {
		position := f.apply(session.SetProfile("ann", p, 0))
		l := f.load(t)
		if !l.Subject.Profile.Equal(p) {
			f.Fatalf("got %+v, want %+v", l.Subject.Profile, p)
		}
		equal(f, "version", l.Subject.Version, position.Number)
	}
	f.wantLive(t)
	f.wantLive(f.create(f.begin("ann")))
}

func setProfileWithoutRow(f *fixture) {
	under := f.begin("ann")
	for _, version := range []uint64{1, f.head().Number + 7, max(1, f.head().Number)} {
		_, err := f.tryApply(session.SetProfile("ann", session.Profile{Name: "Ann"}, version))
		f.is(err, session.ErrMoved)
	}
	_, ok := f.subject("ann")
	equal(f, "row after a refusal", ok, false)
	p := f.apply(session.SetProfile("ann", session.Profile{Name: "Ann"}, 0))
	info, ok := f.subject("ann")
	equal(f, "row", ok, true)
	equal(f, "version", info.Version, p.Number)
	f.wantLive(f.create(under))
}

func versionOfUnchanged(f *fixture) {
	f.signIn("ann") // with no entry before it at all
	info, _ := f.subject("ann")
	if info.Version == 0 || info.Version > f.head().Number {
		f.Fatalf("version %d, and the head is %d", info.Version, f.head().Number)
	}
	f.apply(session.SetProfile("ann", session.Profile{Name: "1"}, info.Version))
	_, err := f.tryApply(session.SetProfile("ann", session.Profile{Name: "2"}, info.Version))
	f.is(err, session.ErrMoved)
}

func staleVersion(f *fixture) {
	old := f.apply(session.SetProfile("ann", session.Profile{Name: "1"}, 0)).Number
	present := f.apply(session.SetProfile("ann", session.Profile{Name: "2"}, old)).Number
	f.unchanged(func() {
		for _, version := range []uint64{old, present + 1} {
			_, err := f.tryApply(session.SetProfile("ann", session.Profile{Name: "3"}, version))
			f.is(err, session.ErrMoved)
		}
	})
	info, _ := f.subject("ann")
	equal(f, "name", info.Profile.Name, "2")
	f.apply(session.RevokeAll("ann")) // also a change of the subject
	_, err := f.tryApply(session.SetProfile("ann", session.Profile{Name: "3"}, present))
	f.is(err, session.ErrMoved)
}

func concurrentVersions(f *fixture) {
	version := f.apply(session.SetProfile("ann", session.Profile{Name: "first"}, 0)).Number
	start := f.head()
	var all sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		all.Go(func() {
			p := session.Profile{Name: string(rune('a' + i))}
			_, errs[i] = f.tryApply(session.SetProfile("ann", p, version))
		})
	}
	all.Wait()
	won := 0
	for i, err := range errs {
		if err == nil {
			won++
			info, _ := f.subject("ann")
			equal(f, "name", info.Profile.Name, string(rune('a'+i)))
			continue
		}
		f.is(err, session.ErrMoved)
	}
	equal(f, "winners", won, 1)
	equal(f, "entries", len(f.since(start)), 1)
}

func profileAtSignIn(f *fixture) {
	ann := session.Profile{Name: "Ann", Roles: []string{"a", "b"}, Attributes: []byte(`{}`)}
	c := f.begin("ann")
	start := f.head()
	c.Profile = &ann
	created, err := f.tryCreate(c)
	f.ok(err)
	entries := f.since(start)
	equal(f, "entries", len(entries), 1)
	equal(f, "kind", entries[0].Kind, session.EntrySubject)
	equal(f, "subject", entries[0].Subject, "ann")
	equal(f, "version", created.Subject.Version, entries[0].Number)
	equal(f, "position", created.Position, f.head())

	f.unchanged(func() {
		again := f.begin("ann")
		again.Profile = &session.Profile{Name: "Ann", Roles: []string{"a", "b"}, Attributes: []byte(`{}`)}
		created, err := f.tryCreate(again)
		f.ok(err)
		equal(f, "position", created.Position, session.Position{})
		equal(f, "version", created.Subject.Version, entries[0].Number)
	})
	for _, p := range []session.Profile{
		{Name: "Ann", Roles: []string{"b", "a"}, Attributes: []byte(`{}`)},
		{Name: "Ann", Roles: []string{"b", "a"}, Attributes: []byte(`[]`)},
		{Name: "Ann", Roles: []string{"b", "a"}, Attributes: []byte(`[]`), EmailVerified: true},
		{},
	} {
		start := f.head()
		t := f.signIn("ann", func(c *session.Creation) { c.Profile = &p })
		equal(f, "entries", len(f.since(start)), 1)
		if got := f.load(t).Subject.Profile; !got.Equal(p) {
			f.Fatalf("got %+v, want %+v", got, p)
		}
	}
	f.wantLive(ticket{"ann", c.ID, c.Token}) // no profile ended a session
}

func versionNeverFalls(f *fixture) {
	keep := f.signIn("ann")
	var last uint64
	for i, do := range []func(){
		func() { f.apply(session.SetProfile("ann", session.Profile{Name: "1"}, 0)) },
		func() { f.apply(session.Revoke("ann", f.signIn("ann").id)) },
		func() { f.apply(session.RevokeOthers("ann", keep.id)) },
		func() { f.signIn("ann") },
		func() { f.signIn("ann", func(c *session.Creation) { c.Profile = &session.Profile{Name: "2"} }) },
		func() { f.apply(session.RevokeAll("ann")) },
		func() { f.signIn("ann", func(c *session.Creation) { c.RevokeOthers = true }) },
		func() { f.apply(session.RevokeEverything()) },
		func() { f.signIn("ann") },
		func() { f.apply(session.DeleteSubject("ann")) },
	} {
		do()
		info, _ := f.subject("ann")
		if info.Version < last {
			f.Fatalf("step %d: version fell from %d to %d", i, last, info.Version)
		}
		last = info.Version
	}
	equal(f, "last version", last, f.head().Number)
}

func profileIsCopied(f *fixture) {
	given := session.Profile{Name: "Ann", Roles: []string{"a"}, Attributes: []byte(`{"a":1}`)}
	t := f.signIn("ann", func(c *session.Creation) { c.Profile = &given })
	f.apply(session.SetProfile("bob", given, 0))
	given.Roles[0], given.Attributes[2] = "x", 'x'
	shown := f.load(t).Subject.Profile
	equal(f, "role", shown.Roles[0], "a")
	shown.Roles[0], shown.Attributes[2] = "y", 'y'
	for _, name := range []string{"ann", "bob"} {
		info, _ := f.subject(name)
		equal(f, "role", info.Profile.Roles[0], "a")
		equal(f, "attributes", string(info.Profile.Attributes), `{"a":1}`)
	}
}
