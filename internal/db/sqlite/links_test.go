package sqlite

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/link"
	"cloakroom/session"
)

// linked is an account with a reset link that is good for an hour.
func linked(t *testing.T) (a *Accounts, links *Links, l link.Link, hash link.Hash) {
	t.Helper()
	a = accountsAt(t, newPath(t))
	links = NewLinks(a)
	l = link.Link{
		Account: a.add(t, "ada@example.com").ID, Kind: link.Reset, Expires: then.Add(time.Hour), CreatedBy: "root",
	}
	hash = link.NewToken().Hash()
	if err := a.commit(t, links.Add(l, hash)); err != nil {
		t.Fatal(err)
	}
	return a, links, l, hash
}

func TestALinkIsGoodUntilItExpires(t *testing.T) {
	a, links, l, hash := linked(t)
	for _, at := range []time.Time{then, l.Expires.Add(-time.Second)} {
		if got, err := links.Find(t.Context(), hash, at); got != l || err != nil {
			t.Errorf("%+v, %v, want %+v", got, err, l)
		}
	}
	for at, h := range map[time.Time]link.Hash{l.Expires: hash, then: {}, then.Add(time.Minute): link.NewToken().Hash()} {
		if got, err := links.Find(t.Context(), h, at); !errors.Is(err, link.ErrGone) || got != (link.Link{}) {
			t.Errorf("%+v, %v", got, err)
		}
		if err := a.commit(t, links.Use(h, link.Reset, at)); !errors.Is(err, link.ErrGone) {
			t.Errorf("used: %v", err)
		}
	}
	if err := a.commit(t, links.Use(hash, link.Invite, then)); !errors.Is(err, link.ErrGone) {
		t.Errorf("used as another kind: %v", err)
	}
	if err := a.commit(t, links.Use(hash, link.Reset, l.Expires.Add(-time.Second))); err != nil {
		t.Errorf("used in its last second: %v", err)
	}
}

func TestALinkIsUsedOnce(t *testing.T) {
	a, links, _, hash := linked(t)
	if err := a.commit(t, links.Use(hash, link.Reset, then), a.SetStatus("nobody", account.Active)); !errors.Is(err, account.ErrNotFound) {
		t.Fatal(err)
	}
	if _, err := links.Find(t.Context(), hash, then); err != nil {
		t.Fatalf("what failed has used it up: %v", err)
	}
	var wg sync.WaitGroup
	errs := make([]error, 200)
	for i := range errs {
		wg.Go(func() { errs[i] = a.commit(t, links.Use(hash, link.Reset, then)) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, link.ErrGone) {
			t.Error(err)
		}
	}
	if _, err := links.Find(t.Context(), hash, then); won != 1 || !errors.Is(err, link.ErrGone) {
		t.Errorf("%d uses succeeded; after that %v", won, err)
	}
}

func TestANewLinkReplacesTheOneOfItsKind(t *testing.T) {
	a, links, l, first := linked(t)
	invite, second := link.NewToken().Hash(), link.NewToken().Hash()
	other := l
	other.Kind = link.Invite
	if err := a.commit(t, links.Add(other, invite), links.Add(l, second)); err != nil {
		t.Fatal(err)
	}
	for hash, want := range map[link.Hash]error{first: link.ErrGone, second: nil, invite: nil} {
		if _, err := links.Find(t.Context(), hash, then); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

func TestALinkIsVoidWithItsAccount(t *testing.T) {
	for name, c := range map[string]struct {
		join func(*Accounts, *Links, string) session.Join
		find error
	}{
		"void":     {func(_ *Accounts, l *Links, id string) session.Join { return l.Void(id) }, link.ErrGone},
		"deleted":  {func(a *Accounts, _ *Links, id string) session.Join { return a.Delete(id) }, link.ErrGone},
		"disabled": {func(a *Accounts, _ *Links, id string) session.Join { return a.SetStatus(id, account.Disabled) }, nil},
	} {
		a, links, l, hash := linked(t)
		if err := a.commit(t, c.join(a, links, l.Account)); err != nil {
			t.Fatal(err)
		}
		if _, err := links.Find(t.Context(), hash, then); !errors.Is(err, c.find) {
			t.Errorf("%s: %v", name, err)
		}
		if err := a.commit(t, links.Use(hash, link.Reset, then)); !errors.Is(err, link.ErrGone) {
			t.Errorf("%s: used: %v", name, err)
		}
	}
}

func TestASweepTakesWhatHasExpired(t *testing.T) {
	a, links, l, hash := linked(t)
	old := l
	old.Kind, old.Expires = link.Invite, then
	if err := a.commit(t, links.Add(old, link.NewToken().Hash())); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		if n, err := links.Sweep(t.Context(), then, 10); n != want || err != nil {
			t.Errorf("%d swept, %v", n, err)
		}
	}
	if _, err := links.Find(t.Context(), hash, then); err != nil {
		t.Errorf("a live link was swept: %v", err)
	}
	plan := explain(t, a.store.Read(), `SELECT hash FROM cloakroom_links WHERE expires_at <= ? ORDER BY expires_at LIMIT ?`, []any{1, 2})
	if len(plan) != 1 || !strings.Contains(plan[0], "cloakroom_links_by_expiry") {
		t.Errorf("%q", plan)
	}
}

func TestAnOutageIsNoUsedLink(t *testing.T) {
	a, links, _, hash := linked(t)
	if err := a.store.Close(); err != nil {
		t.Fatal(err)
	}
	_, find := links.Find(t.Context(), hash, then)
	_, get := a.Get(t.Context(), "x")
	_, _, list := a.List(t.Context(), account.Query{Limit: 1})
	_, sweep := links.Sweep(t.Context(), then, 1)
	_, done := NewSetup(a).Done(t.Context())
	for name, err := range map[string]error{
		"Find": find, "Get": get, "List": list, "Sweep": sweep, "Done": done, "Use": a.commit(t, links.Use(hash, link.Reset, then)),
	} {
		if err == nil || errors.Is(err, link.ErrGone) || errors.Is(err, account.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
