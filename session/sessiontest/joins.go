package sessiontest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"cloakroom/session"
)

func joining() []promise {
	promises := []promise{
		{"a join commits together with the session", joinWithCreate},
		{"a join commits together with the change", joinWithApply},
		{"a join runs although there is nothing to revoke", joinOfNothing},
		{"a join runs with a context of the caller's values", joinContext},
		{"joins run in their order, and one that fails undoes those before it", joinOrder},
		{"a join's own error comes back, by a JoinError", joinError},
		{"a change that is refused undoes its joins", joinOfRefused},
		{"a join of another engine is refused before any is run", joinOfAnother},
		{"while a join waits, everything that reads is answered", joinBlocksNoReader},
		{"who waits behind a join obeys their own context", joinWaitsByContext},
		{"concurrent joins each commit or fail as a whole", joinsConcurrently},
	}
	for _, bad := range []struct {
		name string
		then func(context.Context) error
	}{
		{"fails", failing},
		{"panics", func(context.Context) error { panic("in a join") }},
		{"ends its goroutine", func(context.Context) error { runtime.Goexit(); return nil }},
	} {
		promises = append(promises, promise{
			"a join that " + bad.name + " leaves nothing and blocks nobody",
			func(f *fixture) { badJoin(f, bad.then) },
		})
	}
	return append(promises, promise{"a join that outlives its context leaves nothing", joinOutlivesContext})
}

func (f *fixture) wantWritten(key string, want bool) {
	f.Helper()
	equal(f, "join's work committed", f.Written(key), want)
}

func joinWithCreate(f *fixture) {
	t := f.create(f.begin("ann"), f.JoinWrite("a", nil), f.JoinWrite("b", nil))
	f.wantLive(t)
	f.wantWritten("a", true)
	f.wantWritten("b", true)
	f.wantWritten("c", false)
}

func joinWithApply(f *fixture) {
	t := f.signIn("ann")
	for _, c := range []session.Change{
		session.SetProfile("ann", session.Profile{Name: "Ann"}, 0),
		session.RevokeOthers("ann", t.id),
		session.Revoke("ann", t.id),
		session.RevokeAll("ann"),
		session.RevokeEverything(),
		session.DeleteSubject("ann"),
	} {
		key := string(rune('0' + c.Kind))
		start := f.head()
		position := f.apply(c, f.JoinWrite(key, nil))
		f.wantWritten(key, true)
		equal(f, "entries", len(f.since(start)), 1)
		equal(f, "position", position, f.head())
	}
	f.wantEnded(t)
}

func joinOfNothing(f *fixture) {
	t := f.signIn("ann")
	f.apply(session.Revoke("ann", t.id))
	f.unchanged(func() {
		equal(f, "position", f.apply(session.Revoke("ann", t.id), f.JoinWrite("revoke", nil)), f.head())
	})
	f.wantWritten("revoke", true)
	f.apply(session.DeleteSubject("ann"))
	f.unchanged(func() { f.apply(session.DeleteSubject("ann"), f.JoinWrite("delete", nil)) })
	f.wantWritten("delete", true)
}

type contextKey struct{}

func joinContext(f *fixture) {
	ctx := context.WithValue(f.Context(), contextKey{}, "value")
	var got any
	join := f.JoinWrite("k", func(ctx context.Context) error {
		got = ctx.Value(contextKey{})
		return ctx.Err()
	})
	_, err := f.Store.Apply(ctx, f.now(), session.RevokeAll("ann"), []session.Join{join})
	f.ok(err)
	equal(f, "value", got, any("value"))
}

func joinOrder(f *fixture) {
	var order []string
	note := func(key string, err error) session.Join {
		return f.JoinWrite(key, func(context.Context) error {
			order = append(order, key)
			return err
		})
	}
	c := f.begin("ann")
	_, err := f.tryCreate(c, note("a", nil), note("b", nil), note("c", errJoin), note("d", nil))
	f.is(err, errJoin)
	equal(f, "joins run", len(order), 3)
	for i, key := range []string{"a", "b", "c"} {
		equal(f, "order", order[i], key)
		f.wantWritten(key, false)
	}
	_, err = f.tryLoad(c.Token)
	f.is(err, session.ErrNoSession)
}

func joinError(f *fixture) {
	_, err := f.tryApply(session.RevokeAll("ann"), f.JoinWrite("k", failing))
	f.is(err, errJoin)
	var join *session.JoinError
	if !errors.As(err, &join) {
		f.Fatalf("%T is no JoinError", err)
	}
	_, err = f.tryCreate(f.begin("ann"), f.JoinWrite("k", failing))
	if f.is(err, errJoin); !errors.As(err, &join) {
		f.Fatalf("%T is no JoinError", err)
	}
	// A sentinel of this package, from a join, is the join's.
	_, err = f.tryApply(session.RevokeAll("ann"), f.JoinWrite("k", func(context.Context) error { return session.ErrMoved }))
	if f.is(err, session.ErrMoved); !errors.As(err, &join) {
		f.Fatalf("%T is no JoinError", err)
	}
}

func joinOfRefused(f *fixture) {
	c := f.begin("ann")
	f.apply(session.RevokeAll("ann"))
	_, err := f.tryCreate(c, f.JoinWrite("moved", nil))
	f.is(err, session.ErrMoved)
	f.wantWritten("moved", false)
	_, err = f.tryApply(session.Revoke("ann", session.NewID()), f.JoinWrite("absent", nil))
	f.is(err, session.ErrNoSession)
	f.wantWritten("absent", false)
	_, err = f.tryApply(session.SetProfile("ann", session.Profile{}, 99), f.JoinWrite("stale", nil))
	f.is(err, session.ErrMoved)
	f.wantWritten("stale", false)
	f.apply(session.DeleteSubject("ann"))
	_, err = f.tryApply(session.RevokeAll("ann"), f.JoinWrite("deleted", nil))
	f.is(err, session.ErrDeleted)
	f.wantWritten("deleted", false)
}

// foreign is a Join of no engine there is.
type foreign struct{}

func (foreign) Engine() string { return "sessiontest" }

func joinOfAnother(f *fixture) {
	ran := false
	own := f.JoinWrite("k", func(context.Context) error { ran = true; return nil })
	t, c := f.signIn("ann"), f.begin("ann")
	f.unchanged(func() {
		_, err := f.tryCreate(c, own, foreign{})
		f.is(err, session.ErrWrongStore)
		_, err = f.tryApply(session.RevokeAll("ann"), own, foreign{})
		f.is(err, session.ErrWrongStore)
	})
	equal(f, "own join was run", ran, false)
	f.wantWritten("k", false)
	f.wantLive(t, f.create(c))
}

func badJoin(f *fixture, then func(context.Context) error) {
	t, c := f.signIn("ann"), f.begin("ann")
	presented := f.signIn("bob")
	c.Presented, c.RevokeOthers, c.Profile = presented.token, true, &session.Profile{Name: "Ann"}
	f.unchanged(func() {
		detached(func() {
			if _, err := f.tryCreate(c, f.JoinWrite("before", nil), f.JoinWrite("create", then)); err == nil {
				f.Error("I10: Create succeeded")
			}
		})
		detached(func() {
			if _, err := f.tryApply(session.RevokeAll("ann"), f.JoinWrite("apply", then)); err == nil {
				f.Error("I10: Apply succeeded")
			}
		})
	})
	for _, key := range []string{"before", "create", "apply"} {
		f.wantWritten(key, false)
	}
	_, err := f.tryLoad(c.Token)
	f.is(err, session.ErrNoSession)
	f.wantLive(t, presented)
	equal(f, "name", f.load(t).Subject.Profile.Name, "")
	// The store goes on, and the same sign-in goes through.
	c.Presented = session.Hash{}
	again := f.create(c, f.JoinWrite("again", nil))
	f.wantLive(again)
	f.wantEnded(t)
	f.wantWritten("again", true)
}

func joinOutlivesContext(f *fixture) {
	t := f.signIn("ann")
	c := f.begin("ann")
	f.unchanged(func() {
		ctx, cancel := context.WithCancel(f.Context())
		late := f.JoinWrite("create", func(context.Context) error { cancel(); return nil })
		_, err := f.Store.Create(ctx, f.now(), c, []session.Join{late})
		f.is(err, context.Canceled)

		ctx, cancel = context.WithCancel(f.Context())
		late = f.JoinWrite("apply", func(context.Context) error { cancel(); return nil })
		_, err = f.Store.Apply(ctx, f.now(), session.RevokeAll("ann"), []session.Join{late})
		f.is(err, context.Canceled)
	})
	f.wantWritten("create", false)
	f.wantWritten("apply", false)
	_, err := f.tryLoad(c.Token)
	f.is(err, session.ErrNoSession)
	f.wantLive(t, f.create(c, f.JoinWrite("after", nil)))
	f.wantWritten("after", true)
}

// whileJoinWaits runs do while another subject's transaction waits in its join.
func whileJoinWaits(f *fixture, do func()) {
	f.Helper()
	waiting, proceed, returned := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(returned)
		_, err := f.tryApply(session.RevokeAll("slow"), f.JoinWrite("slow", func(context.Context) error {
			close(waiting)
			<-proceed
			return nil
		}))
		if err != nil {
			f.Errorf("the change whose join waited: %v", err)
		}
	}()
	select {
	case <-waiting:
	case <-returned:
		f.Fatal("the join was not run")
	}
	defer func() { <-returned }()
	defer close(proceed)
	do()
}

func joinBlocksNoReader(f *fixture) {
	t, slow := f.signIn("ann"), f.signIn("slow")
	f.put(t, "k", "v")
	at := f.head()
	whileJoinWaits(f, func() {
		equal(f, "entries", len(f.since(at)), 0)
		f.wantLive(t, slow)
		f.wantData(t, "k", "v", true)
		f.begin("ann")
		f.subject("ann")
		equal(f, "sessions", len(f.list("ann")), 1)
	})
	f.wantEnded(slow)
	f.wantWritten("slow", true)
}

func joinWaitsByContext(f *fixture) {
	t := f.signIn("ann")
	c := f.begin("ann")
	whileJoinWaits(f, func() {
		ctx, cancel := context.WithTimeout(f.Context(), 20*time.Millisecond)
		defer cancel()
		var waiters sync.WaitGroup
		// An engine may let these through at once. It must not hold them
		// beyond their context.
		waiters.Go(func() {
			_, err := f.Store.Create(ctx, f.now(), c, []session.Join{f.JoinWrite("create", nil)})
			wantDoneOrInTime(f, err)
		})
		waiters.Go(func() {
			_, err := f.Store.Apply(ctx, f.now(), session.RevokeAll("ann"), []session.Join{f.JoinWrite("apply", nil)})
			wantDoneOrInTime(f, err)
		})
		waiters.Wait()
	})
	f.wantWritten("slow", true)
	_, err := f.tryLoad(c.Token)
	equal(f, "session and join agree", err == nil, f.Written("create"))
	equal(f, "revocation and join agree", f.load(t).Ended, f.Written("apply"))
}

func wantDoneOrInTime(f *fixture, err error) {
	if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, session.ErrMoved) {
		f.Errorf("unexpected error: %v", err)
	}
}

func joinsConcurrently(f *fixture) {
	c := f.begin("ann")
	tickets := make([]ticket, 16)
	var all sync.WaitGroup
	for i := range tickets {
		all.Go(func() {
			c := c
			c.ID, c.Token = session.NewID(), newHash()
			tickets[i] = ticket{"ann", c.ID, c.Token}
			var then func(context.Context) error
			if i%4 == 0 {
				then = failing
			}
			if _, err := f.tryCreate(c, f.JoinWrite(c.ID.String(), then)); (err != nil) != (then != nil) {
				f.Errorf("create %d: %v", i, err)
			}
		})
	}
	all.Wait()
	for i, t := range tickets {
		_, err := f.tryLoad(t.token)
		equal(f, "issued", err == nil, i%4 != 0)
		f.wantWritten(t.id.String(), i%4 != 0)
	}
}
