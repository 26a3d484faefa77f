package sqlite

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/link"
	"cloakroom/internal/setup"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// commit runs the joins in one transaction of the sessions.
func (a *Accounts) commit(t *testing.T, joins ...session.Join) error {
	t.Helper()
	_, err := a.store.Apply(t.Context(), time.Now(), session.RevokeAll("somebody"), joins)
	if join, ok := errors.AsType[*session.JoinError](err); ok {
		return join.Err
	}
	return err
}

func (a *Accounts) add(t *testing.T, email string, joins ...session.Join) account.Account {
	t.Helper()
	n, err := account.New(email)
	if err == nil {
		err = a.commit(t, append([]session.Join{a.Create(n, "a hash")}, joins...)...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (a *Accounts) hash(t *testing.T, id string) string {
	t.Helper()
	c, err := a.Credentials(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c.Hash
}

func TestAnAccountWithoutAPasswordGetsOne(t *testing.T) {
	a := accountsAt(t, newPath(t))
	n, err := account.New("ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.commit(t, a.Create(n, "")); err != nil {
		t.Fatal(err)
	}
	if got := a.hash(t, n.ID); got != "" {
		t.Errorf("the hash %q", got)
	}
	for _, hash := range []string{"first", "second"} {
		if err := a.commit(t, a.SetPassword(n.ID, hash)); err != nil || a.hash(t, n.ID) != hash {
			t.Errorf("%q instead of %q, %v", a.hash(t, n.ID), hash, err)
		}
	}
}

func TestANewPasswordLeavesNothingOfWhatTheOldOneOpened(t *testing.T) {
	a := accountsAt(t, newPath(t))
	links, devices := NewLinks(a), NewDevices(a)
	ada, eve := a.add(t, "ada@example.com"), a.add(t, "eve@example.com")
	device := throttle.NewDevice().Hash()
	tokens := make(map[string][]link.Hash)
	for _, who := range []account.Account{ada, eve} {
		joins := []session.Join{devices.Remember(who.ID, device, then)}
		for _, kind := range []link.Kind{link.Reset, link.Invite} {
			hash := link.NewToken().Hash()
			tokens[who.ID] = append(tokens[who.ID], hash)
			joins = append(joins, links.Add(link.Link{Account: who.ID, Kind: kind, Expires: then.Add(time.Hour)}, hash))
		}
		if err := a.commit(t, joins...); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.commit(t, a.SetPassword(ada.ID, "new")); err != nil {
		t.Fatal(err)
	}
	for id, left := range map[string]bool{ada.ID: false, eve.ID: true} {
		if known, err := devices.Known(t.Context(), id, device); known != left || err != nil {
			t.Errorf("the device is known: %v, %v, want %v", known, err, left)
		}
		for _, hash := range tokens[id] {
			if _, err := links.Find(t.Context(), hash, then); err == nil != left {
				t.Errorf("a link: %v, want it there: %v", err, left)
			}
		}
	}
}

func TestWhatIsDoneToAnAccountThatIsNotThereIsToldAndUndone(t *testing.T) {
	a := accountsAt(t, newPath(t))
	ada := a.add(t, "ada@example.com")
	links := NewLinks(a)
	for name, join := range map[string]session.Join{
		"SetPassword": a.SetPassword("nobody", "x"), "SetStatus": a.SetStatus("nobody", account.Disabled), "Delete": a.Delete("nobody"),
		"SetAdmin": a.SetAdmin("nobody", true), "SetAdmin false": a.SetAdmin("nobody", false),
		"Add": links.Add(link.Link{Account: "nobody", Kind: link.Reset, Expires: then}, link.Hash{1}),
	} {
		if err := a.commit(t, a.SetPassword(ada.ID, "new"), join); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := a.hash(t, ada.ID); got != "a hash" {
		t.Errorf("the hash %q: half of a transaction was kept", got)
	}
	for _, id := range []string{"", "nobody", "a\x00b", strings.Repeat("x", 100_000)} {
		if got, err := a.Get(t.Context(), id); !errors.Is(err, account.ErrNotFound) || got != (account.Account{}) {
			t.Errorf("%.20q: %v, %v", id, got, err)
		}
	}
}

func TestAStatusIsKeptAndADeletedAccountLeavesItsAddressFree(t *testing.T) {
	a := accountsAt(t, newPath(t))
	ada := a.add(t, "ada@example.com")
	for _, status := range []account.Status{account.Disabled, account.Active} {
		if err := a.commit(t, a.SetStatus(ada.ID, status)); err != nil {
			t.Fatal(err)
		}
		want := ada
		want.Status = status
		if got, err := a.Get(t.Context(), ada.ID); got != want || err != nil {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	if err := a.commit(t, a.Delete(ada.ID)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Get(t.Context(), ada.ID); !errors.Is(err, account.ErrNotFound) {
		t.Error(err)
	}
	if again := a.add(t, "ada@example.com"); again.ID == ada.ID {
		t.Error("the same id again")
	}
}

// pages reads a list to its end.
func (a *Accounts) pages(t *testing.T, q account.Query, between func()) (emails []string) {
	t.Helper()
	for {
		list, next, err := a.List(t.Context(), q)
		if err != nil || len(list) > q.Limit {
			t.Fatalf("%d accounts, %v", len(list), err)
		}
		for _, n := range list {
			if n.CreatedAt != account.CreatedAt(n.ID) || n.ID == "" {
				t.Errorf("%+v", n)
			}
			emails = append(emails, n.Email)
		}
		if next == "" {
			return emails
		}
		q.After = next
		between()
	}
}

func TestAListHasEveryAccountOnce(t *testing.T) {
	a := accountsAt(t, newPath(t))
	var all, some, disabled []string
	for i := range 25 {
		email := fmt.Sprintf("%s%02d@example.com", []string{"ann", "ada", "äda"}[i%3], i)
		n := a.add(t, email)
		all = append(all, email)
		if strings.HasPrefix(email, "ada") {
			some = append(some, email)
		}
		if i%4 == 0 {
			disabled = append(disabled, email)
			if err := a.commit(t, a.SetStatus(n.ID, account.Disabled)); err != nil {
				t.Fatal(err)
			}
		}
	}
	slices.Sort(all)
	slices.Sort(some)
	slices.Sort(disabled)
	for _, limit := range []int{1, 2, 5, 25, account.MaxPage} {
		for _, c := range []struct {
			q    account.Query
			want []string
		}{
			{account.Query{}, all}, {account.Query{EmailPrefix: "ada"}, some}, {account.Query{Status: account.Disabled}, disabled},
			{account.Query{EmailPrefix: "äda", Status: account.Active}, slices.DeleteFunc(slices.Clone(all), func(e string) bool {
				return !strings.HasPrefix(e, "äda") || slices.Contains(disabled, e)
			})},
			{account.Query{EmailPrefix: "ada00"}, nil}, {account.Query{EmailPrefix: some[3]}, some[3:4]}, {account.Query{EmailPrefix: "%"}, nil},
			{account.Query{EmailPrefix: "a\x00"}, nil}, {account.Query{EmailPrefix: "\xff"}, nil}, {account.Query{EmailPrefix: strings.Repeat("a", 100_000)}, nil},
		} {
			c.q.Limit = limit
			if got := a.pages(t, c.q, func() {}); !slices.Equal(got, c.want) {
				t.Errorf("%+v: %v, want %v", c.q, got, c.want)
			}
		}
	}
	// Whatever comes and goes meanwhile, those that stay are there once.
	deleted := 0
	got := a.pages(t, account.Query{Limit: 3}, func() {
		a.add(t, fmt.Sprintf("aaa%d@example.com", deleted)) // before the place
		id, err := a.IDByEmail(t.Context(), all[3*(deleted+1)-1])
		if err == nil { // the one that the cursor stands at
			err = a.commit(t, a.Delete(id))
		}
		if err != nil {
			t.Fatal(err)
		}
		deleted++
	})
	if !slices.Equal(got, all) {
		t.Errorf("%v, want %v", got, all)
	}
}

func TestAListIsReadOffAnIndex(t *testing.T) {
	a := accountsAt(t, newPath(t))
	ada := cursorText.EncodeToString([]byte("ada@example.com"))
	for _, q := range []account.Query{{}, {EmailPrefix: "ada"}, {After: ada}, {EmailPrefix: "ada", After: ada}} {
		for _, status := range []account.Status{0, account.Active} {
			q.Status, q.Limit = status, 10
			query, args, err := accountsPage(q)
			if err != nil {
				t.Fatal(err)
			}
			want := "sqlite_autoindex_cloakroom_accounts_2 (email>? AND email<?)"
			if status != 0 {
				want = "cloakroom_accounts_by_status (status=? AND email>? AND email<?)"
			}
			if plan := explain(t, a.store.Read(), query, args); len(plan) != 1 || !strings.HasSuffix(plan[0], want) {
				t.Errorf("%+v: %q", q, plan)
			}
		}
	}
}

func TestACursorOrLimitOfAnotherShapeIsNoPage(t *testing.T) {
	a := accountsAt(t, newPath(t))
	for _, q := range []account.Query{
		{Limit: 0}, {Limit: -1}, {Limit: account.MaxPage + 1},
		{Limit: 1, After: "nonsense"}, {Limit: 1, After: "ada@example.com"}, {Limit: 1, After: cursorText.EncodeToString([]byte("ADA@example.com"))},
		{Limit: 1, After: strings.Repeat("A", 100_000)}, {Limit: 1, After: "%00"}, {Limit: 1, After: "YWRhQGV4YW1wbGUuY29t="},
	} {
		if list, next, err := a.List(t.Context(), q); !errors.Is(err, session.ErrInvalid) || list != nil || next != "" {
			t.Errorf("%.60q: %v, %q, %v", q.After, list, next, err)
		}
	}
}

// TestOfTwoAdministratorsOneStays has each of them take away what the other is,
// at the same time.
func TestOfTwoAdministratorsOneStays(t *testing.T) {
	a := accountsAt(t, newPath(t))
	for name, take := range map[string]func(id string) session.Join{
		"role":   func(id string) session.Join { return a.SetAdmin(id, false) },
		"status": func(id string) session.Join { return a.SetStatus(id, account.Disabled) },
		"delete": a.Delete,
	} {
		var ids []string
		for i := range 2 {
			n := a.add(t, fmt.Sprintf("%s%d@example.com", name, i))
			if err := a.commit(t, a.SetAdmin(n.ID, true), a.SetAdmin(n.ID, true)); err != nil { // twice is no error
				t.Fatal(err)
			}
			ids = append(ids, n.ID)
		}
		var wg sync.WaitGroup
		errs := make([]error, len(ids))
		for i, id := range ids {
			wg.Go(func() { errs[i] = a.commit(t, a.KeepAdmin(id), take(id)) })
		}
		wg.Wait()
		if kept := errors.Is(errs[0], account.ErrLastAdmin); kept == errors.Is(errs[1], account.ErrLastAdmin) || errs[0] != nil && errs[1] != nil {
			t.Errorf("%s: %v", name, errs)
		}
		for _, id := range ids { // the operator may
			if err := a.commit(t, a.Delete(id)); err != nil && !errors.Is(err, account.ErrNotFound) {
				t.Fatal(err)
			}
		}
	}
}

func TestOnlyAnAdministratorWhoCanSignInIsTheLast(t *testing.T) {
	a := accountsAt(t, newPath(t))
	root, other, ada := a.add(t, "root@example.com"), a.add(t, "other@example.com"), a.add(t, "ada@example.com")
	if err := a.commit(t, a.SetAdmin(root.ID, true), a.SetAdmin(other.ID, true), a.SetStatus(other.ID, account.Disabled)); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]error{root.ID: account.ErrLastAdmin, other.ID: nil, ada.ID: nil, "nobody": nil} {
		if err := a.commit(t, a.KeepAdmin(id)); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

func TestOfManyClaimsOneSucceedsAndNoneAfterAnAdministrator(t *testing.T) {
	a := accountsAt(t, newPath(t))
	s := NewSetup(a)
	wantDone := func(want bool) {
		t.Helper()
		if done, err := s.Done(t.Context()); done != want || err != nil {
			t.Errorf("done: %v, %v", done, err)
		}
	}
	wantDone(false)
	if err := a.commit(t, s.Claim("ada"), a.SetStatus("nobody", account.Active)); !errors.Is(err, account.ErrNotFound) {
		t.Fatal(err)
	}
	wantDone(false) // it was undone
	var wg sync.WaitGroup
	errs := make([]error, 200)
	for i := range errs {
		wg.Go(func() { errs[i] = a.commit(t, s.Claim(fmt.Sprint(i))) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, setup.ErrDone) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d claims succeeded", won)
	}
	wantDone(true)

	b := accountsAt(t, newPath(t))
	n := b.add(t, "ada@example.com")
	if err := b.commit(t, b.SetAdmin(n.ID, true)); err != nil {
		t.Fatal(err)
	}
	if done, err := NewSetup(b).Done(t.Context()); !done || err != nil {
		t.Errorf("done: %v, %v", done, err)
	}
	if err := b.commit(t, NewSetup(b).Claim("eve")); !errors.Is(err, setup.ErrDone) {
		t.Error(err)
	}
}
