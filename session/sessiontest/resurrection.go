package sessiontest

import (
	"errors"
	"sync"
	"time"

	"cloakroom/session"
)

// ending is a way in which a session ends before its time.
type ending struct {
	name string
	// end ends victim. by is another live session of the same subject.
	end func(f *fixture, victim, by ticket)
	// signIn is what a sign-in gets that began before; nil if it goes on.
	signIn error
	// continues: the session goes on under another token; the victim is the
	// old one.
	continues bool
	// byToken: only the victim's token is sure to end. A re-authentication that
	// comes first may go on under its id.
	byToken bool
	// liveOnly: only a session that has not expired ends this way.
	liveOnly bool
}

func endings() []ending {
	apply := func(c func(victim, by ticket) session.Change) func(f *fixture, victim, by ticket) {
		return func(f *fixture, victim, by ticket) { f.apply(c(victim, by)) }
	}
	return []ending{
		{
			name: "Revoke",
			end:  apply(func(victim, _ ticket) session.Change { return session.Revoke(victim.subject, victim.id) }),
		}, {
			name:   "RevokeOthers",
			end:    apply(func(victim, by ticket) session.Change { return session.RevokeOthers(victim.subject, by.id) }),
			signIn: session.ErrMoved,
		}, {
			name:   "RevokeAll",
			end:    apply(func(victim, _ ticket) session.Change { return session.RevokeAll(victim.subject) }),
			signIn: session.ErrMoved,
		}, {
			name:   "RevokeEverything",
			end:    apply(func(ticket, ticket) session.Change { return session.RevokeEverything() }),
			signIn: session.ErrMoved,
		}, {
			name:   "DeleteSubject",
			end:    apply(func(victim, _ ticket) session.Change { return session.DeleteSubject(victim.subject) }),
			signIn: session.ErrDeleted,
		}, {
			name: "a sign-in that revokes the others",
			end: func(f *fixture, victim, _ ticket) {
				f.signIn(victim.subject, func(c *session.Creation) { c.RevokeOthers = true })
			},
			signIn: session.ErrMoved,
		}, {
			name: "a sign-in that presented it",
			end: func(f *fixture, victim, _ ticket) {
				f.signIn("zoe", func(c *session.Creation) { c.Presented = victim.token })
			},
			byToken: true,
		}, {
			name: "Replace",
			end: func(f *fixture, victim, _ ticket) {
				f.signIn(victim.subject, func(c *session.Creation) { c.Replace = victim.id })
			},
			continues: true,
			liveOnly:  true,
		}, {
			name: "the session limit",
			end: func(f *fixture, victim, by ticket) {
				f.advance(time.Minute)
				f.touch(by, f.now())
				f.signIn(victim.subject, func(c *session.Creation) { c.Limit = 2 })
			},
			byToken:  true,
			liveOnly: true,
		},
	}
}

func resurrection() []promise {
	var promises []promise
	for _, e := range endings() {
		begun := func(what string, test func(*fixture, ending)) {
			promises = append(promises, promise{
				what + " that began before " + e.name + " brings nothing back",
				func(f *fixture) { test(f, e) },
			})
		}
		begun("a touch", touchBegunBefore)
		begun("a load", loadBegunBefore)
		begun("a data write", dataBegunBefore)
		begun("a sign-in", signInBegunBefore)
		begun("a re-authentication", replaceBegunBefore)
		begun("everything at once", allBegunBefore)
		if !e.liveOnly {
			begun("a touch of an expired session", lateTouchBegunBefore)
		}
	}
	return append(promises, promise{"no id and no token is used twice", neverTwice})
}

// victims signs in the session to end and another of the same subject, which
// lasts longer.
func victims(f *fixture) (victim, by ticket) {
	victim = f.signIn("ann")
	by = f.signIn("ann", func(c *session.Creation) { c.Idle = 20 * time.Hour })
	return victim, by
}

func touchBegunBefore(f *fixture, e ending) {
	victim, by := victims(f)
	f.advance(time.Minute)
	seen := f.now()
	e.end(f, victim, by)
	f.wantEnded(victim)
	f.touch(victim, seen)
	f.touch(victim, f.now())
	f.wantEnded(victim)
}

// lateTouchBegunBefore: a touch from before the idle limit brings an expired
// session back, and must not once it was ended as well.
func lateTouchBegunBefore(f *fixture, e ending) {
	victim, by := victims(f)
	f.advance(idle / 2)
	seen := f.now()
	f.advance(idle)
	f.wantExpired(victim)
	e.end(f, victim, by)
	f.touch(victim, seen)
	f.wantEnded(victim)
}

func loadBegunBefore(f *fixture, e ending) {
	victim, by := victims(f)
	now, stop := f.now(), make(chan struct{})
	var loads sync.WaitGroup
	loads.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := f.Store.Load(f.Context(), now, victim.token); err != nil && !errors.Is(err, session.ErrNoSession) {
				f.Errorf("load: %v", err)
				return
			}
		}
	})
	func() {
		defer loads.Wait()
		defer close(stop)
		e.end(f, victim, by)
		f.wantEnded(victim)
	}()
	f.wantEnded(victim)
}

func dataBegunBefore(f *fixture, e ending) {
	victim, by := victims(f)
	f.ok(f.Store.PutData(f.Context(), f.now(), victim.id, "cart", []byte("hat")))
	e.end(f, victim, by)
	err := f.Store.PutData(f.Context(), f.now(), victim.id, "cart", []byte("coat"))
	if e.continues {
		f.ok(err)
	} else {
		f.refused("I10", err, session.ErrNoSession)
	}
	f.wantEnded(victim)
}

func signInBegunBefore(f *fixture, e ending) {
	victim, by := victims(f)
	c := f.begin(victim.subject)
	e.end(f, victim, by)
	if e.signIn == nil {
		f.create(c)
	} else {
		_, err := f.tryCreate(c)
		f.refused("I11", err, e.signIn)
		_, err = f.tryLoad(c.Token)
		f.refused("I10", err, session.ErrNoSession)
	}
	f.wantEnded(victim)
}

func replaceBegunBefore(f *fixture, e ending) {
	victim, by := victims(f)
	c := f.begin(victim.subject)
	c.Replace = victim.id
	e.end(f, victim, by)
	_, err := f.tryCreate(c)
	switch {
	case e.continues:
		f.ok(err)
	case e.signIn != nil:
		f.refused("I11", err, e.signIn)
	default:
		f.refused("I10", err, session.ErrNoSession)
	}
	f.wantEnded(victim)
}

// allBegunBefore has everything that could write under way while the session
// ends, and looks once all of it is over.
func allBegunBefore(f *fixture, e ending) {
	victim, by := victims(f)
	now := f.now()
	c := f.begin(victim.subject)
	c.Replace = victim.id
	ctx := f.Context()
	var under sync.WaitGroup
	started := make(chan struct{})
	for _, write := range []func(){
		func() { _ = f.Store.Touch(ctx, now, []session.Touch{{ID: victim.id, Seen: now}}) },
		func() { _ = f.Store.PutData(ctx, now, victim.id, "k", []byte("v")) },
		func() { _, _, _ = f.Store.TakeData(ctx, now, victim.id, "k") },
		func() { _, _ = f.Store.Load(ctx, now, victim.token) },
		func() { _, _ = f.Store.Sweep(ctx, now, 1) },
		func() { _, _ = f.Store.Create(ctx, now, c, nil) },
	} {
		under.Go(func() {
			<-started
			for range 5 {
				write()
			}
		})
	}
	close(started)
	func() {
		defer under.Wait()
		e.end(f, victim, by)
	}()
	f.wantEnded(victim)
	if !e.continues && !e.byToken {
		f.wantEnded(ticket{victim.subject, victim.id, c.Token}) // the re-authentication may have come first
	}
}

func neverTwice(f *fixture) {
	victim, _ := victims(f)
	for _, revoke := range []bool{false, true} {
		if revoke {
			f.apply(session.Revoke(victim.subject, victim.id))
		}
		f.unchanged(func() {
			c := f.begin(victim.subject)
			c.ID = victim.id
			if _, err := f.tryCreate(c); err == nil {
				f.Fatal("an id was used twice")
			}
			_, err := f.tryLoad(c.Token)
			f.is(err, session.ErrNoSession)
			c = f.begin(victim.subject)
			c.Token = victim.token
			if _, err := f.tryCreate(c); err == nil {
				f.Fatal("a token was used twice")
			}
		})
	}
	f.wantEnded(victim)
}
