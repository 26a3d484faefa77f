package sessiontest

import (
	"bytes"
	"strings"
	"sync"

	"cloakroom/session"
)

func data() []promise {
	return []promise{
		{"what was put is there until it is put anew or deleted", dataRoundTrip},
		{"an empty value is not an absent one", dataEmpty},
		{"keys and sessions are apart", dataApart},
		{"of 32 who take a value one gets it", takeOnce},
		{"beyond MaxData nothing is written", dataTooLarge},
		{"what is overwritten or deleted makes room", dataMakesRoom},
		{"data of a session that is not live is out of reach", dataOfTheDead},
		{"data logs nothing", func(f *fixture) {
			t := f.signIn("ann")
			f.unchanged(func() { f.put(t, "k", "v") })
		}},
		{"the store keeps a copy of what it is given", dataIsCopied},
		{"concurrent writes of one session never pass MaxData", dataUnderRace},
	}
}

func (f *fixture) put(t ticket, key, value string) {
	f.Helper()
	f.ok(f.Store.PutData(f.Context(), f.now(), t.id, key, []byte(value)))
}

func (f *fixture) wantData(t ticket, key, want string, there bool) {
	f.Helper()
	value, ok, err := f.Store.GetData(f.Context(), f.now(), t.id, key)
	f.ok(err)
	equal(f, "there", ok, there)
	equal(f, "value", string(value), want)
}

func dataRoundTrip(f *fixture) {
	t := f.signIn("ann")
	f.wantData(t, "k", "", false)
	f.put(t, "k", "\x00one\xff")
	f.wantData(t, "k", "\x00one\xff", true)
	f.put(t, "k", "two")
	f.wantData(t, "k", "two", true)
	f.ok(f.Store.DeleteData(f.Context(), f.now(), t.id, "k"))
	f.wantData(t, "k", "", false)
	f.ok(f.Store.DeleteData(f.Context(), f.now(), t.id, "k"))

	f.put(t, "k", "three")
	value, ok, err := f.Store.TakeData(f.Context(), f.now(), t.id, "k")
	f.ok(err)
	equal(f, "taken", string(value), "three")
	equal(f, "taken", ok, true)
	f.wantData(t, "k", "", false)
	_, ok, err = f.Store.TakeData(f.Context(), f.now(), t.id, "k")
	f.ok(err)
	equal(f, "taken twice", ok, false)
}

func dataEmpty(f *fixture) {
	t := f.signIn("ann")
	f.ok(f.Store.PutData(f.Context(), f.now(), t.id, "nil", nil))
	f.wantData(t, "nil", "", true)
	f.put(t, "empty", "")
	_, ok, err := f.Store.TakeData(f.Context(), f.now(), t.id, "empty")
	f.ok(err)
	equal(f, "taken", ok, true)
}

func dataApart(f *fixture) {
	a, b := f.signIn("ann"), f.signIn("ann")
	for _, key := range []string{"k", "K", "k ", "kk"} {
		f.put(a, key, "a "+key)
	}
	f.put(b, "k", "b")
	f.ok(f.Store.DeleteData(f.Context(), f.now(), a.id, "K"))
	f.wantData(a, "k", "a k", true)
	f.wantData(a, "K", "", false)
	f.wantData(a, "k ", "a k ", true)
	f.wantData(b, "k", "b", true)
	f.apply(session.Revoke("ann", a.id))
	f.wantData(b, "k", "b", true)
}

func takeOnce(f *fixture) {
	t := f.signIn("ann")
	f.put(t, "once", "prize")
	var all sync.WaitGroup
	won := make(chan string, 32)
	for range cap(won) {
		all.Go(func() {
			value, ok, err := f.Store.TakeData(f.Context(), f.now(), t.id, "once")
			if err != nil {
				f.Errorf("take: %v", err)
			}
			if ok {
				won <- string(value)
			}
		})
	}
	all.Wait()
	equal(f, "winners", len(won), 1)
	equal(f, "value", <-won, "prize")
}

func dataTooLarge(f *fixture) {
	t := f.signIn("ann")
	f.put(t, "k", "kept")
	room := session.MaxData - len("kkept") - len("big")
	err := f.Store.PutData(f.Context(), f.now(), t.id, "big", make([]byte, room+1))
	f.is(err, session.ErrTooLarge)
	f.wantData(t, "big", "", false)
	f.put(t, "big", strings.Repeat("x", room)) // exactly as much as there is room for
	f.is(f.Store.PutData(f.Context(), f.now(), t.id, "", []byte("1")), session.ErrTooLarge)
	f.is(f.Store.PutData(f.Context(), f.now(), t.id, "key", nil), session.ErrTooLarge)
	f.is(f.Store.PutData(f.Context(), f.now(), t.id, "k", []byte("longer")), session.ErrTooLarge)
	f.wantData(t, "k", "kept", true)
	f.put(f.signIn("ann"), "k", "another session has room of its own")
}

func dataMakesRoom(f *fixture) {
	t := f.signIn("ann")
	all := strings.Repeat("x", session.MaxData-1)
	f.put(t, "k", all)
	f.put(t, "k", all)
	f.ok(f.Store.DeleteData(f.Context(), f.now(), t.id, "k"))
	f.put(t, "l", all)
	_, _, err := f.Store.TakeData(f.Context(), f.now(), t.id, "l")
	f.ok(err)
	f.put(t, "m", all)
}

func dataOfTheDead(f *fixture) {
	revoked, moved := f.signIn("ann"), f.signIn("bob")
	f.put(revoked, "k", "v")
	f.put(moved, "k", "v")
	f.apply(session.Revoke("ann", revoked.id))
	f.apply(session.RevokeAll("bob"))
	ctx, now := f.Context(), f.now()
	for _, id := range []session.ID{revoked.id, moved.id, session.NewID()} {
		_, _, err := f.Store.GetData(ctx, now, id, "k")
		f.is(err, session.ErrNoSession)
		f.is(f.Store.PutData(ctx, now, id, "k", nil), session.ErrNoSession)
		f.is(f.Store.DeleteData(ctx, now, id, "k"), session.ErrNoSession)
		_, _, err = f.Store.TakeData(ctx, now, id, "k")
		f.is(err, session.ErrNoSession)
	}
}

func dataIsCopied(f *fixture) {
	t := f.signIn("ann")
	given := []byte("value")
	f.ok(f.Store.PutData(f.Context(), f.now(), t.id, "k", given))
	copy(given, "VALUE")
	shown, _, err := f.Store.GetData(f.Context(), f.now(), t.id, "k")
	f.ok(err)
	if !bytes.Equal(shown, []byte("value")) {
		f.Fatalf("got %q", shown)
	}
	copy(shown, "VALUE")
	f.wantData(t, "k", "value", true)
}

func dataUnderRace(f *fixture) {
	t := f.signIn("ann")
	value := make([]byte, session.MaxData/4-1) // with its key a quarter
	var all sync.WaitGroup
	accepted := make(chan string, 8)
	for i := range cap(accepted) {
		all.Go(func() {
			key := string(rune('a' + i))
			if f.Store.PutData(f.Context(), f.now(), t.id, key, value) == nil {
				accepted <- key
			}
		})
	}
	all.Wait()
	equal(f, "accepted", len(accepted), 4)
}
