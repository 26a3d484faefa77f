package authority

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/link"
	"cloakroom/internal/setup"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/session"
)

func TestTheLastAdministratorStays(t *testing.T) {
	h := newHouse(t)
	root := h.person("root@example.com", "admin")
	by := By{Account: root.ID}
	_, disable := h.Disable(t.Context(), by, root.ID)
	_, remove := h.Delete(t.Context(), by, root.ID)
	_, demote := h.SetProfile(t.Context(), by, root.ID, session.Profile{}, 0)
	for name, err := range map[string]error{"Disable": disable, "Delete": remove, "SetProfile": demote} {
		if !errors.Is(err, account.ErrLastAdmin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := h.session(root.tokens[0]); !s.HasRole("admin") || s.Name() != "Before" {
		t.Errorf("the roles %q", s.RoleList())
	}
	if _, err := h.SetProfile(t.Context(), by, root.ID, session.Profile{Name: "Root", Roles: []string{"x", "admin"}}, 0); err != nil {
		t.Errorf("a change that keeps the role: %v", err)
	}
	other := h.person("other@example.com")
	if _, err := h.SetProfile(t.Context(), by, other.ID, session.Profile{Roles: []string{"admin"}}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SetProfile(t.Context(), by, root.ID, session.Profile{}, 0); err != nil {
		t.Errorf("with another administrator: %v", err)
	}
	if _, err := h.Disable(t.Context(), Operator(), other.ID); err != nil {
		t.Errorf("the operator: %v", err)
	}
}

// TestAnInvitedAdministratorIsNotAnother, who has no password yet and may never
// have one.
func TestAnInvitedAdministratorIsNotAnother(t *testing.T) {
	h := newHouse(t)
	root := h.person("root@example.com", "admin")
	by := By{Account: root.ID}
	issued, err := h.Invite(t.Context(), by, "nobody@example.con", "", []string{"admin"})
	if err != nil {
		t.Fatal(err)
	}
	_, disable := h.Disable(t.Context(), by, root.ID)
	_, remove := h.Delete(t.Context(), by, root.ID)
	_, demote := h.SetProfile(t.Context(), by, root.ID, session.Profile{}, 0)
	for name, err := range map[string]error{"Disable": disable, "Delete": remove, "SetProfile": demote} {
		if !errors.Is(err, account.ErrLastAdmin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.Delete(t.Context(), by, issued.Account.ID); err != nil {
		t.Errorf("of who was invited: %v", err)
	}
}

func TestOfTwoChangesOfOneVersionOneIsTold(t *testing.T) {
	h := newHouse(t)
	ada := h.person("ada@example.com")
	_, info, err := h.Find(t.Context(), ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, name := range []string{"One", "Two"} {
		wg.Go(func() {
			_, errs[i] = h.SetProfile(t.Context(), Operator(), ada.ID, session.Profile{Name: name}, info.Version)
		})
	}
	wg.Wait()
	if errors.Is(errs[0], session.ErrMoved) == errors.Is(errs[1], session.ErrMoved) || errs[0] != nil && errs[1] != nil {
		t.Errorf("%v", errs)
	}
	// Without a version the last one counts, and the record tells them in order.
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = h.SetProfile(t.Context(), Operator(), ada.ID, session.Profile{Roles: []string{string(rune('a' + i))}}, 0)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	list, _, err := h.Audit.List(t.Context(), audit.Filter{Event: audit.AccountRolesChanged}, "", 10)
	if err != nil || len(list) != 2 || list[0].Detail["before"] != list[1].Detail["after"] || list[1].Detail["before"] != "" ||
		list[0].Detail["after"] != h.session(ada.tokens[0]).RoleList() {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestWhatBreaksARuleNamesItsField(t *testing.T) {
	h := newHouse(t)
	ada := h.person("ada@example.com")
	field := func(err error) string {
		input, ok := errors.AsType[*signin.InputError](err)
		if !ok {
			t.Errorf("%v", err)
			return ""
		}
		return input.Field
	}
	before := h.everything()
	for want, p := range map[string]session.Profile{
		"name": {Name: "a\x00b"}, "roles": {Roles: []string{"a,b"}}, "attributes": {Attributes: []byte(`{`)},
	} {
		_, err := h.SetProfile(t.Context(), Operator(), ada.ID, p, 0)
		if got := field(err); got != want {
			t.Errorf("the field %q instead of %q", got, want)
		}
	}
	for want, c := range map[string]struct {
		email, name string
		roles       []string
	}{
		"email": {"nonsense", "", nil}, "name": {"new@example.com", strings.Repeat("x", 300), nil}, "roles": {"new@example.com", "", []string{"a", "a"}},
	} {
		_, err := h.Invite(t.Context(), Operator(), c.email, c.name, c.roles)
		if got := field(err); got != want {
			t.Errorf("the field %q instead of %q", got, want)
		}
	}
	if _, err := h.Invite(t.Context(), Operator(), "ADA@example.com", "", nil); !errors.Is(err, account.ErrTaken) {
		t.Error(err)
	}
	if after := h.everything(); after != before {
		t.Errorf("something was changed:\n%s\nbefore:\n%s", after, before)
	}
}

func TestAnInvitedAccountIsEnteredByItsLink(t *testing.T) {
	h := newHouse(t)
	issued, err := h.Invite(t.Context(), Operator(), "Ada@Example.com", " Ada ", []string{"editor"})
	if err != nil {
		t.Fatal(err)
	}
	if got := issued.Expires.Sub(h.now); got > link.Life || got < link.Life-2*time.Second || issued.Account.Email != "ada@example.com" {
		t.Errorf("%+v", issued)
	}
	if _, err := h.signIn("ada@example.com", ""); !errors.Is(err, signin.ErrBadCredentials) {
		t.Errorf("signed in without a password: %v", err)
	}
	use := func(token link.Token, kind link.Kind, pass string) error {
		_, err := h.SetPasswordByLink(t.Context(), h.visitor(), token, kind, pass)
		return err
	}
	for name, err := range map[string]error{
		"another kind":  use(issued.Token, link.Reset, newPassword),
		"another token": use(link.NewToken(), link.Invite, newPassword),
		"no token":      use(link.Token{}, link.Invite, newPassword),
	} {
		if !errors.Is(err, link.ErrGone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, weak := range []string{"short", "adaadaadaadaada", "ada@example.com ada"} {
		if err := use(issued.Token, link.Invite, weak); err == nil || !strings.Contains(err.Error(), "password") {
			t.Errorf("%q: %v", weak, err)
		}
	}
	if err := use(issued.Token, link.Invite, newPassword); err != nil {
		t.Fatal(err)
	}
	token, err := h.signIn("ada@example.com", newPassword)
	if err != nil {
		t.Fatal(err)
	}
	if s := h.session(token); s.Name() != "Ada" || !s.EmailVerified() || !s.HasRole("editor") {
		t.Errorf("%q, %q", s.Name(), s.RoleList())
	}
	if err := use(issued.Token, link.Invite, newPassword); !errors.Is(err, link.ErrGone) {
		t.Errorf("used again: %v", err)
	}
}

func TestALinkIsVoidOnceItShouldBe(t *testing.T) {
	h := newHouse(t)
	for name, c := range map[string]struct {
		spoil func(ada person)
		want  error
	}{
		"an hour is over":         {func(person) { h.now = h.now.Add(link.Life) }, link.ErrGone},
		"another one is made":     {func(ada person) { _, _ = h.IssueLink(t.Context(), Operator(), ada.ID, link.Reset) }, link.ErrGone},
		"the account is disabled": {func(ada person) { _, _ = h.Disable(t.Context(), Operator(), ada.ID) }, link.ErrGone},
		"and enabled again": {func(ada person) {
			_, _ = h.Disable(t.Context(), Operator(), ada.ID)
			_, _ = h.Enable(t.Context(), Operator(), ada.ID)
		}, link.ErrGone},
		"the account is deleted": {func(ada person) { _, _ = h.Delete(t.Context(), Operator(), ada.ID) }, link.ErrGone},
	} {
		t.Run(name, func(t *testing.T) {
			ada := h.person(strings.ReplaceAll(name, " ", ".") + "@example.com")
			issued, err := h.IssueLink(t.Context(), Operator(), ada.ID, link.Reset)
			if err != nil {
				t.Fatal(err)
			}
			c.spoil(ada)
			if _, err := h.SetPasswordByLink(t.Context(), h.visitor(), issued.Token, link.Reset, newPassword); !errors.Is(err, c.want) {
				t.Errorf("%v", err)
			}
			if _, err := h.signIn(ada.Email, newPassword); err == nil {
				t.Error("the password was set")
			}
		})
	}
}

func TestADisabledAccountGetsNoLink(t *testing.T) {
	h := newHouse(t)
	ada := h.person("ada@example.com")
	if _, err := h.Disable(t.Context(), Operator(), ada.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.IssueLink(t.Context(), Operator(), ada.ID, link.Reset); !errors.Is(err, ErrDisabled) {
		t.Error(err)
	}
	if _, err := h.signIn("ada@example.com", oldPassword); !errors.Is(err, signin.ErrDisabled) {
		t.Errorf("signed in: %v", err)
	}
	if _, err := h.Enable(t.Context(), Operator(), ada.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.signIn("ada@example.com", oldPassword); err != nil {
		t.Errorf("enabled again: %v", err)
	}
}

// one runs 200 attempts at the same time, and wants one to succeed and all
// others to be refused.
func one(t *testing.T, refusal error, attempt func() error) {
	t.Helper()
	errs := make([]error, 200)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = attempt() })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, refusal) && !errors.Is(err, throttle.ErrThrottled) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d succeeded", won, len(errs))
	}
}

func TestOfManyUsesOfOneLinkOneSucceeds(t *testing.T) {
	h := newHouse(t)
	ada := h.person("ada@example.com")
	issued, err := h.IssueLink(t.Context(), Operator(), ada.ID, link.Reset)
	if err != nil {
		t.Fatal(err)
	}
	c := h.visitor()
	one(t, link.ErrGone, func() error {
		_, err := h.SetPasswordByLink(t.Context(), c, issued.Token, link.Reset, newPassword)
		return err
	})
}

func TestOfManyUsesOfTheSetupCodeOneSucceeds(t *testing.T) {
	h := newHouse(t)
	c := h.visitor()
	var mu sync.Mutex
	n := 0
	one(t, setup.ErrDone, func() error {
		mu.Lock()
		n++
		email := "root" + strings.Repeat("x", n%60) + string(rune('a'+n/60)) + "@example.com"
		mu.Unlock()
		outcome, err := h.SetUp(t.Context(), c, h.code.Reveal(), email, newPassword, "")
		if err == nil {
			_, _, err = h.Sessions.Issue(t.Context(), outcome.Attempt, outcome.Grant)
		}
		return err
	})
	list, _, err := h.Directory.List(t.Context(), account.Query{Limit: 10})
	if err != nil || len(list) != 1 {
		t.Errorf("%d accounts, %v", len(list), err)
	}
}

func TestTheSetupWantsItsCode(t *testing.T) {
	h := newHouse(t)
	try := func(code string) error {
		_, err := h.SetUp(t.Context(), h.visitor(), code, "root@example.com", newPassword, "")
		return err
	}
	for _, code := range []string{"", "wrong", setup.NewCode().Reveal()} {
		if err := try(code); !errors.Is(err, setup.ErrWrongCode) {
			t.Errorf("%q: %v", code, err)
		}
	}
	right := h.code.Reveal()
	h.Code = setup.Hash{}
	if err := try(right); !errors.Is(err, setup.ErrWrongCode) {
		t.Errorf("without a code: %v", err)
	}
	h.Code = h.code.Hash()
	outcome, err := h.SetUp(t.Context(), h.visitor(), strings.ToLower(right), "root@example.com", newPassword, "Root")
	if err != nil {
		t.Fatal(err)
	}
	_, s, err := h.Sessions.Issue(t.Context(), outcome.Attempt, outcome.Grant)
	if err != nil || !s.HasRole(account.AdminRole) || !s.EmailVerified() || s.Name() != "Root" {
		t.Errorf("%q, %v", s.RoleList(), err)
	}
	if err := try(right); !errors.Is(err, setup.ErrDone) {
		t.Errorf("once more: %v", err)
	}
	if _, err := h.Disable(t.Context(), By{Account: s.Subject()}, s.Subject()); !errors.Is(err, account.ErrLastAdmin) {
		t.Errorf("the first administrator is not known as one: %v", err)
	}
}

var errDisk = errors.New("disk on fire")

// brokenLinks and brokenSetup find nothing out.
type (
	brokenLinks struct{ link.Store }
	brokenSetup struct{ setup.Store }
)

func (brokenLinks) Find(context.Context, link.Hash, time.Time) (link.Link, error) {
	return link.Link{}, errDisk
}

func (brokenSetup) Done(context.Context) (bool, error) { return false, errDisk }

// TestAnOutageUsesUpNobodysAttempts: nobody found out whether they were right.
func TestAnOutageUsesUpNobodysAttempts(t *testing.T) {
	h := newHouse(t)
	ada := h.person("ada@example.com")
	issued, err := h.IssueLink(t.Context(), Operator(), ada.ID, link.Reset)
	if err != nil {
		t.Fatal(err)
	}
	c := h.visitor()
	use := func() error {
		_, err := h.SetPasswordByLink(t.Context(), c, issued.Token, link.Reset, newPassword)
		return err
	}
	setUp := func() error {
		_, err := h.SetUp(t.Context(), c, h.code.Reveal(), "root@example.com", newPassword, "")
		return err
	}
	links, state := h.Links, h.Setup
	h.Links, h.Setup = brokenLinks{links}, brokenSetup{state}
	for range 100 {
		if err := use(); !errors.Is(err, errDisk) {
			t.Fatalf("link: %v", err)
		}
		if err := setUp(); !errors.Is(err, errDisk) {
			t.Fatalf("setup: %v", err)
		}
	}
	h.Links, h.Setup = links, state
	if err := errors.Join(use(), setUp()); err != nil {
		t.Error(err)
	}
}

// TestALinkMakesOneDeviceKnown: the browser that used it, and none of those that
// the old password was typed on.
func TestALinkMakesOneDeviceKnown(t *testing.T) {
	h := newHouse(t)
	ada := h.person("ada@example.com")
	outcome, err := h.SignIn.WithPassword(t.Context(), h.visitor(), ada.Email, oldPassword, false)
	if err == nil {
		_, _, err = h.Sessions.Issue(t.Context(), outcome.Attempt, outcome.Grant)
	}
	if err != nil {
		t.Fatal(err)
	}
	issued, err := h.IssueLink(t.Context(), Operator(), ada.ID, link.Reset)
	if err != nil {
		t.Fatal(err)
	}
	before := h.everything()
	if d, err := h.SetPasswordByLink(t.Context(), h.visitor(), issued.Token, link.Reset, "short"); err == nil || d != (throttle.Device{}) {
		t.Errorf("a refused password: %v", err)
	}
	if after := h.everything(); after != before {
		t.Errorf("something was changed:\n%s\nbefore:\n%s", after, before)
	}
	c := h.visitor()
	c.Device = outcome.Device // whoever holds the old one gets another
	made, err := h.SetPasswordByLink(t.Context(), c, issued.Token, link.Reset, newPassword)
	if err != nil {
		t.Fatal(err)
	}
	for device, want := range map[throttle.Device]bool{made: true, outcome.Device: false, {}: false} {
		if known, err := h.Devices.Known(t.Context(), ada.ID, device.Hash()); known != want || err != nil {
			t.Errorf("known: %v, %v, want %v", known, err, want)
		}
	}
}

// TestGuessesAreCountedBeforeAnythingIsHashed: of links and of the code.
func TestGuessesAreCountedBeforeAnythingIsHashed(t *testing.T) {
	h := newHouse(t)
	for name, guess := range map[string]func(signin.Client) error{
		"link": func(c signin.Client) error {
			_, err := h.SetPasswordByLink(t.Context(), c, link.NewToken(), link.Reset, newPassword)
			return err
		},
		"setup": func(c signin.Client) error {
			_, err := h.SetUp(t.Context(), c, "wrong", "root@example.com", newPassword, "")
			return err
		},
	} {
		c := h.visitor()
		refused := 0
		for range 100 {
			if err := guess(c); errors.Is(err, throttle.ErrThrottled) {
				refused++
			} else if err == nil {
				t.Fatalf("%s: a guess was right", name)
			}
		}
		if refused < 30 {
			t.Errorf("%s: %d of 100 guesses were refused", name, refused)
		}
	}
}
