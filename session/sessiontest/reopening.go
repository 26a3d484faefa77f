package sessiontest

import "cloakroom/session"

func reopening() []promise {
	return []promise{
		{"what was acknowledged is there after reopening", reopened},
		{"a revocation holds after reopening", reopenedRevocations},
		{"the log's numbers and a subject's version never fall across reopening", reopenedNumbers},
	}
}

// reopen skips the test for an engine that keeps nothing.
func (f *fixture) reopen() {
	if f.Reopen == nil {
		f.Skip("the engine keeps nothing")
	}
	f.Store = f.Reopen()
}

func reopened(f *fixture) {
	profile := session.Profile{Name: "Ann", Roles: []string{"a"}, Attributes: []byte(`{"a":1}`)}
	t := f.signIn("ann", func(c *session.Creation) { c.Profile = &profile })
	f.put(t, "k", "v")
	f.touch(t, f.now())
	f.create(f.begin("bob"), f.JoinWrite("join", nil))
	before := f.load(t)
	terms, err := f.Store.Attach()
	f.ok(err)
	f.reopen()
	after := f.load(t)
	f.wantLive(t)
	equal(f, "id", after.Session.ID, before.Session.ID)
	f.sameTime("idle limit", after.Session.IdleEnds, before.Session.IdleEnds)
	f.sameTime("absolute limit", after.Session.Absolute, before.Session.Absolute)
	if !after.Subject.Profile.Equal(profile) {
		f.Fatalf("profile %+v", after.Subject.Profile)
	}
	f.wantData(t, "k", "v", true)
	f.wantWritten("join", true)
	again, err := f.Store.Attach()
	f.ok(err)
	equal(f, "token key", again.TokenKey, terms.TokenKey)
}

func reopenedRevocations(f *fixture) {
	revoked, moved, old := f.signIn("ann"), f.signIn("bob"), f.signIn("eve")
	replaced := f.signIn("eve", replace(old))
	under := f.begin("bob")
	f.apply(session.Revoke("ann", revoked.id))
	f.apply(session.RevokeAll("bob"))
	f.apply(session.DeleteSubject("gone"))
	f.reopen()
	f.wantEnded(revoked, moved, old)
	f.wantLive(replaced)
	_, err := f.tryCreate(under)
	f.is(err, session.ErrMoved)
	_, err = f.Store.Begin(f.Context(), "gone")
	f.is(err, session.ErrDeleted)
	start := f.begin("ann")
	f.apply(session.RevokeEverything())
	f.reopen()
	f.wantEnded(replaced)
	_, err = f.tryCreate(start)
	f.is(err, session.ErrMoved)
}

func reopenedNumbers(f *fixture) {
	f.apply(session.SetProfile("ann", session.Profile{Name: "1"}, 0))
	before := f.head()
	info, _ := f.subject("ann")
	f.reopen()
	head := f.head()
	if head.Number < before.Number {
		f.Fatalf("the head fell from %d to %d", before.Number, head.Number)
	}
	// A node from before either goes on or is reset; it never misses an entry.
	p := f.apply(session.SetProfile("ann", session.Profile{Name: "2"}, info.Version))
	batch, err := f.Store.Tick(f.Context(), before, 10)
	f.ok(err)
	if !batch.Reset && (len(batch.Entries) == 0 || batch.Entries[len(batch.Entries)-1].Number != p.Number) {
		f.Fatalf("a node at %d got %d entries and no reset", before.Number, len(batch.Entries))
	}
	after, _ := f.subject("ann")
	if after.Version <= info.Version || after.Version != p.Number {
		f.Fatalf("version %d became %d at entry %d", info.Version, after.Version, p.Number)
	}
	equal(f, "entries since the head", len(f.since(head)), 1)
}
