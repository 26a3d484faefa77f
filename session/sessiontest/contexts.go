package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"cloakroom/session"
)

func contexts() []promise {
	return []promise{
		{"a context that has ended gives its error back and nothing is written", endedContext},
	}
}

func endedContext(f *fixture) {
	t := f.signIn("ann")
	f.put(t, "k", "v")
	c := f.begin("bob")
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	now, s := f.now(), f.Store
	join := []session.Join{f.JoinWrite("join", nil)}
	f.unchanged(func() {
		for name, err := range map[string]error{
			"Create":           second(s.Create(ctx, now, c, nil)),
			"Create with join": second(s.Create(ctx, now, c, join)),
			"Load":             second(s.Load(ctx, now, t.token)),
			"Touch":            s.Touch(ctx, now, []session.Touch{{ID: t.id, Seen: now}}),
			"List":             third(s.List(ctx, now, "ann", "", 10)),
			"Sweep":            second(s.Sweep(ctx, now, 10)),
			"Begin":            second(s.Begin(ctx, "ann")),
			"Subjects":         second(s.Subjects(ctx, []string{"ann"})),
			"Tick":             second(s.Tick(ctx, session.Position{}, 10)),
			"Apply":            second(s.Apply(ctx, now, session.RevokeAll("ann"), nil)),
			"Apply with join":  second(s.Apply(ctx, now, session.RevokeAll("ann"), join)),
			"GetData":          third(s.GetData(ctx, now, t.id, "k")),
			"PutData":          s.PutData(ctx, now, t.id, "k", []byte("w")),
			"DeleteData":       s.DeleteData(ctx, now, t.id, "k"),
			"TakeData":         third(s.TakeData(ctx, now, t.id, "k")),
		} {
			if err == nil {
				f.Errorf("%s succeeded", name)
				continue
			}
			f.is(fmt.Errorf("%s: %w", name, err), context.Canceled)
		}
	})
	f.wantLive(t)
	f.wantData(t, "k", "v", true)
	f.wantWritten("join", false)
	_, err := f.tryLoad(c.Token)
	f.is(err, session.ErrNoSession)
	_, ok := f.subject("bob")
	equal(f, "row", ok, false)
}

func second[A any](_ A, err error) error { return err }

func third[A, B any](_ A, _ B, err error) error { return err }

func concurrency() []promise {
	return []promise{{"a mix of everything leaves a store that agrees with its log", mix}}
}

// mix has several callers do everything to a few subjects at once, and then
// compares what is live with what the log says has ended.
func mix(f *fixture) {
	subjects := []string{"ann", "bob", "eve"}
	start := f.head()
	var guard sync.Mutex
	var issued []ticket
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for round := range 12 {
				subject := subjects[(worker+round)%len(subjects)]
				t, err := mixSignIn(f, subject)
				if err != nil {
					f.Errorf("sign-in: %v", err)
					return
				}
				guard.Lock()
				issued = append(issued, t)
				guard.Unlock()
				if err := mixUse(f, t, worker+round); err != nil {
					f.Errorf("use: %v", err)
				}
			}
		})
	}
	all.Wait()
	ended := make(map[session.Hash]bool)
	for i, e := range f.since(start) {
		equal(f, "number", e.Number, start.Number+1+uint64(i))
		for _, h := range e.Hashes {
			ended[h] = true
		}
	}
	for _, t := range issued {
		if l, err := f.tryLoad(t.token); err == nil && !l.Ended && ended[t.token] {
			f.Fatal("the log says that a live session has ended")
		} else if err == nil && l.Ended && !ended[t.token] && t.subject != "ann" {
			f.Fatal("a session ended without an entry that says so")
		}
	}
}

// mixSignIn repeats a sign-in whose epoch was moved by somebody else.
func mixSignIn(f *fixture, subject string) (ticket, error) {
	for {
		epochs, err := f.Store.Begin(f.Context(), subject)
		if err != nil {
			return ticket{}, err
		}
		c := session.Creation{
			Subject: subject, Epochs: epochs, ID: session.NewID(), Token: newHash(),
			Level: 1, Idle: idle, Absolute: absolute, Limit: 20,
		}
		_, err = f.tryCreate(c)
		if err == nil || !errors.Is(err, session.ErrMoved) {
			return ticket{subject, c.ID, c.Token}, err
		}
	}
}

// mixUse does one thing with a session. Only ann's epoch is ever moved.
func mixUse(f *fixture, t ticket, which int) error {
	ctx, now := f.Context(), f.now()
	var err error
	switch which % 8 {
	case 0:
		_, err = f.tryApply(session.Revoke(t.subject, t.id))
	case 1:
		_, err = f.tryApply(session.RevokeAll("ann"), f.JoinWrite(t.id.String(), nil))
	case 2:
		err = f.Store.Touch(ctx, now, []session.Touch{{ID: t.id, Seen: now}})
	case 3:
		err = f.Store.PutData(ctx, now, t.id, "k", []byte("v"))
	case 4:
		_, _, err = f.Store.List(ctx, now, t.subject, "", 5)
	case 5:
		_, err = f.tryApply(session.SetProfile(t.subject, session.Profile{Name: t.id.String()}, 0))
	case 6:
		_, err = f.Store.Sweep(ctx, now, 5)
	case 7:
		_, err = f.tryLoad(t.token)
	}
	if errors.Is(err, session.ErrNoSession) {
		return nil // somebody else ended it
	}
	return err
}
