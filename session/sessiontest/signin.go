package sessiontest

import (
	"errors"
	"time"

	"cloakroom/session"
)

func signIn() []promise {
	return []promise{
		{"a session is loaded as it was created", loadedAsCreated},
		{"Created is what a load in the same transaction returns", createdIsLoaded},
		{"an unknown token is no session", func(f *fixture) {
			f.signIn("ann")
			_, err := f.tryLoad(newHash())
			f.is(err, session.ErrNoSession)
		}},
		{"a session whose subject has no row is broken, not absent", brokenData},
		{"a subject without a row stands at epoch 1, and Begin writes nothing", beginWritesNothing},
		{"creating makes the subject's row and logs nothing", createLogsNothing},
		{"a sign-in is refused once its subject's epoch has moved", epochMoved(session.RevokeAll("ann"))},
		{"a sign-in is refused once the global epoch has moved", epochMoved(session.RevokeEverything())},
		{"a sign-in of an epoch yet to come is refused", epochYetToCome},
		{"a sign-in after the epoch has moved is let in", signInAfterwards},
		{"another subject's epoch moves nobody else", func(f *fixture) {
			bob, c := f.signIn("bob"), f.begin("bob")
			f.apply(session.RevokeAll("ann"))
			f.wantLive(bob, f.create(c))
		}},
		{"a refused creation leaves nothing", refusedLeavesNothing},
		{"a deleted subject is refused by Begin and by Create", deletedRefused},
		{"names of subjects are told apart byte by byte", exactNames},
	}
}

func loadedAsCreated(f *fixture) {
	c := f.begin("ann")
	c.Level, c.Methods = 2, session.Password|session.TOTP
	c.Remember = true
	c.Profile = &session.Profile{
		Name: "Ann", Email: "ann@example.org", EmailVerified: true,
		Roles: []string{"b", "a"}, Attributes: []byte(`{"plan":"x"}`),
	}
	started := f.now().Truncate(time.Second)
	t := f.create(c)
	l := f.load(t)

	row := l.Session
	equal(f, "id", row.ID, c.ID)
	equal(f, "level", row.Level, 2)
	equal(f, "methods", row.Methods, c.Methods)
	equal(f, "remember", row.Remember, true)
	if row.Created.Before(started) || row.Created.Nanosecond() != 0 || row.Created.After(f.now()) {
		f.Fatalf("created at %v, now is %v", row.Created, f.now())
	}
	f.sameTime("authenticated", row.Authenticated, row.Created)
	f.sameTime("last seen", row.LastSeen, row.Created)
	f.sameTime("idle limit", row.IdleEnds, row.Created.Add(idle))
	f.sameTime("absolute limit", row.Absolute, row.Created.Add(absolute))
	f.remain("idle", l.IdleLeft, row.IdleEnds)
	f.remain("absolute", l.AbsoluteLeft, row.Absolute)
	f.remain("age", -l.Age, row.Authenticated)
	equal(f, "subject", l.Subject.Subject, "ann")
	equal(f, "deleted", l.Subject.Deleted, false)
	equal(f, "ended", l.Ended, false)
	if !l.Subject.Profile.Equal(*c.Profile) {
		f.Fatalf("profile: got %+v, want %+v", l.Subject.Profile, *c.Profile)
	}
}

func (f *fixture) sameTime(what string, got, want time.Time) {
	f.Helper()
	if !got.Equal(want) {
		f.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// remain wants what is left until a limit, exactly where the suite moves the
// clock, and within a second where the clock runs by itself.
func (f *fixture) remain(what string, left time.Duration, limit time.Time) {
	f.Helper()
	tolerance := time.Duration(0)
	if f.Engine.Now != nil {
		tolerance = time.Second
	}
	if want := limit.Sub(f.now()); (left - want).Abs() > tolerance {
		f.Fatalf("%s left: got %v, want %v", what, left, want)
	}
}

func createdIsLoaded(f *fixture) {
	c := f.begin("ann")
	c.Profile = &session.Profile{Name: "Ann"}
	created, err := f.tryCreate(c)
	f.ok(err)
	l, err := f.tryLoad(c.Token)
	f.ok(err)
	equal(f, "id", created.Session.ID, l.Session.ID)
	equal(f, "name", created.Subject.Profile.Name, "Ann")
	equal(f, "version", created.Subject.Version, l.Subject.Version)
	equal(f, "ended", created.Ended, false)
	f.sameTime("idle limit", created.Session.IdleEnds, l.Session.IdleEnds)
	f.remain("idle", created.IdleLeft, l.Session.IdleEnds)
	f.remain("absolute", created.AbsoluteLeft, l.Session.Absolute)
}

func brokenData(f *fixture) {
	t := f.signIn("ann")
	f.LoseSubject("ann")
	l, err := f.tryLoad(t.token)
	if err == nil {
		f.Fatalf("I14: loaded %+v", l)
	}
	wantBroken(f, err)
}

// wantBroken wants an error that a Manager answers with ErrUnavailable.
func wantBroken(f *fixture, err error) {
	f.Helper()
	for _, sentinel := range []error{
		session.ErrNoSession, session.ErrMoved, session.ErrDeleted, session.ErrSessionLimit,
		session.ErrWrongStore, session.ErrInvalid, session.ErrTooLarge,
	} {
		if errors.Is(err, sentinel) {
			f.Fatalf("I14: broken data was answered with %v", err)
		}
	}
}

func beginWritesNothing(f *fixture) {
	f.unchanged(func() {
		c := f.begin("ann")
		equal(f, "epochs", c.Epochs.Subject, 1)
		equal(f, "epochs of a second", f.begin("ann").Epochs, c.Epochs)
	})
	if info, ok := f.subject("ann"); ok {
		f.Fatalf("Begin made the row %+v", info)
	}
}

func createLogsNothing(f *fixture) {
	f.unchanged(func() {
		created, err := f.tryCreate(f.begin("ann"))
		f.ok(err)
		equal(f, "position", created.Position, session.Position{})
	})
	info, ok := f.subject("ann")
	if !ok || info.Deleted || !info.Profile.Equal(session.Profile{}) {
		f.Fatalf("row %+v, %v", info, ok)
	}
}

func epochMoved(change session.Change) func(*fixture) {
	return func(f *fixture) {
		// Once without a row and once with one.
		for range 2 {
			c := f.begin("ann")
			f.apply(change)
			f.unchanged(func() {
				_, err := f.tryCreate(c)
				f.refused("I11", err, session.ErrMoved)
			})
			_, err := f.tryLoad(c.Token)
			f.is(err, session.ErrNoSession)
			f.signIn("ann")
		}
	}
}

func epochYetToCome(f *fixture) {
	for _, edit := range []func(*session.Creation){
		func(c *session.Creation) { c.Epochs.Subject++ },
		func(c *session.Creation) { c.Epochs.Global++ },
		func(c *session.Creation) { c.Epochs.Subject = 0 },
		func(c *session.Creation) { c.Epochs = session.Epochs{} },
	} {
		c := f.begin("ann")
		edit(&c)
		_, err := f.tryCreate(c)
		f.is(err, session.ErrMoved)
	}
}

func signInAfterwards(f *fixture) {
	old := f.signIn("ann")
	f.apply(session.RevokeAll("ann"))
	f.apply(session.RevokeEverything())
	again := f.signIn("ann")
	f.wantEnded(old)
	f.wantLive(again)
}

func refusedLeavesNothing(f *fixture) {
	c := f.begin("ann")
	f.apply(session.RevokeEverything())
	presented := f.signIn("bob")
	c.Presented, c.Profile, c.RevokeOthers = presented.token, &session.Profile{Name: "Ann"}, true
	f.unchanged(func() {
		_, err := f.tryCreate(c)
		f.is(err, session.ErrMoved)
	})
	if info, ok := f.subject("ann"); ok {
		f.Fatalf("a refused creation made the row %+v", info)
	}
	f.wantLive(presented)
}

func deletedRefused(f *fixture) {
	for _, withRow := range []bool{false, true} {
		name := "ann"
		if withRow {
			name = "bob"
			f.signIn(name)
		}
		c := f.begin(name)
		f.apply(session.DeleteSubject(name))
		_, err := f.Store.Begin(f.Context(), name)
		f.is(err, session.ErrDeleted)
		_, err = f.tryCreate(c)
		f.is(err, session.ErrDeleted)
		c.Epochs.Subject++ // one who guesses the epoch is refused too
		_, err = f.tryCreate(c)
		f.is(err, session.ErrDeleted)
	}
}

func exactNames(f *fixture) {
	names := []string{"ann", "Ann", "ann ", "änn", "a\u0308nn", "ann%", "a_n"}
	var tickets []ticket
	for _, name := range names {
		tickets = append(tickets, f.signIn(name))
	}
	f.apply(session.RevokeAll("ann"))
	f.wantEnded(tickets[0])
	f.wantLive(tickets[1:]...)
	infos, err := f.Store.Subjects(f.Context(), append(names, "nobody"))
	f.ok(err)
	equal(f, "rows", len(infos), len(names))
}
