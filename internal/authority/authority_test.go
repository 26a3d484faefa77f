package authority

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	"cloakroom/internal/link"
	"cloakroom/session"
)

// act is one way of changing what an account may do.
type act struct {
	// prepare makes what the act needs and returns the act, which is done by
	// root to ada, and can be done again if it failed.
	prepare func(h *house, root By, ada person) func() error
	event   audit.Event // the last it is recorded as
	actor   string      // "root", "ada" or "new": who is recorded
	subject string      // "ada", "new" or ""

	ended   int  // how many of ada's two sessions
	renamed bool // ada's sessions show the new profile
}

var renamed = session.Profile{Name: "After", EmailVerified: true, Roles: []string{"editor"}, Attributes: []byte(`{"a":1}`)}

// acts are all of them: each exported method of Service by its name.
var acts = map[string]act{
	"Disable": {prepare: func(h *house, root By, ada person) func() error {
		return func() error { _, err := h.Disable(h.t.Context(), root, ada.ID); return err }
	}, event: audit.AccountDisabled, actor: "root", subject: "ada", ended: 2},
	"Enable": {prepare: func(h *house, root By, ada person) func() error {
		return func() error { _, err := h.Enable(h.t.Context(), root, ada.ID); return err }
	}, event: audit.AccountEnabled, actor: "root", subject: "ada", ended: 2},
	"Delete": {prepare: func(h *house, root By, ada person) func() error {
		return func() error { _, err := h.Delete(h.t.Context(), root, ada.ID); return err }
	}, event: audit.AccountDeleted, actor: "root", subject: "ada", ended: 2},
	"SetProfile": {prepare: func(h *house, root By, ada person) func() error {
		return func() error { _, err := h.SetProfile(h.t.Context(), root, ada.ID, renamed, 0); return err }
	}, event: audit.AccountProfileChanged, actor: "root", subject: "ada", renamed: true},
	"Invite": {prepare: func(h *house, root By, _ person) func() error {
		return func() error { _, err := h.Invite(h.t.Context(), root, "new@example.com", "", nil); return err }
	}, event: audit.LinkIssued, actor: "root", subject: "new"},
	"IssueLink": {prepare: func(h *house, root By, ada person) func() error {
		return func() error { _, err := h.IssueLink(h.t.Context(), root, ada.ID, link.Reset); return err }
	}, event: audit.LinkIssued, actor: "root", subject: "ada"},
	"CreateAccount": {prepare: func(h *house, root By, _ person) func() error {
		return func() error {
			_, err := h.CreateAccount(h.t.Context(), root, "new@example.com", "", nil, newPassword)
			return err
		}
	}, event: audit.AccountCreated, actor: "root", subject: "new"},
	"SetPassword": {prepare: func(h *house, root By, ada person) func() error {
		return func() error { _, err := h.SetPassword(h.t.Context(), root, ada.ID, newPassword); return err }
	}, event: audit.AccountPasswordChanged, actor: "root", subject: "ada", ended: 2},
	"SetPasswordByLink": {prepare: func(h *house, root By, ada person) func() error {
		issued, err := h.IssueLink(h.t.Context(), root, ada.ID, link.Reset)
		if err != nil {
			h.t.Fatal(err)
		}
		return func() error {
			_, err := h.SetPasswordByLink(h.t.Context(), h.visitor(), issued.Token, link.Reset, newPassword)
			return err
		}
	}, event: audit.AccountPasswordChanged, actor: "ada", subject: "ada", ended: 2},
	"RevokeSession": {prepare: func(h *house, root By, ada person) func() error {
		id := h.session(ada.tokens[0]).ID()
		return func() error { _, err := h.RevokeSession(h.t.Context(), root, ada.ID, id); return err }
	}, event: audit.SessionRevoked, actor: "root", subject: "ada", ended: 1},
	"RevokeSessions": {prepare: func(h *house, root By, ada person) func() error {
		return func() error { _, err := h.RevokeSessions(h.t.Context(), root, ada.ID); return err }
	}, event: audit.SessionsRevokedAll, actor: "root", subject: "ada", ended: 2},
	"RevokeEverything": {prepare: func(h *house, root By, _ person) func() error {
		return func() error { _, err := h.RevokeEverything(h.t.Context(), root); return err }
	}, event: audit.SessionsRevokedEverything, actor: "root", subject: "", ended: 2},
	"SetUp": {prepare: func(h *house, root By, _ person) func() error {
		if _, err := h.Delete(h.t.Context(), Operator(), root.Account); err != nil { // there is no administrator yet
			h.t.Fatal(err)
		}
		return func() error {
			outcome, err := h.SetUp(h.t.Context(), h.visitor(), h.code.Reveal(), "new@example.com", newPassword, "")
			if err == nil {
				_, _, err = h.Sessions.Issue(h.t.Context(), outcome.Attempt, outcome.Grant)
			}
			return err
		}
	}, event: audit.SetupUsed, actor: "new", subject: "new"},
}

// reads are the exported methods that change nothing.
var reads = []string{"Find"}

func TestEveryMethodIsInTheTable(t *testing.T) {
	for m := range reflect.TypeFor[*Service]().Methods() {
		if _, ok := acts[m.Name]; !ok && !slices.Contains(reads, m.Name) {
			t.Errorf("%s is neither an act nor does it change nothing", m.Name)
		}
	}
}

// TestEveryActHoldsAtOnceAndIsRecordedOrDoesNotHappen is why there is this
// package: whatever is done, what the sessions may do follows, and so does the
// record; and when the record cannot be written nothing was done at all.
func TestEveryActHoldsAtOnceAndIsRecordedOrDoesNotHappen(t *testing.T) {
	for name, a := range acts {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			root, ada, bystander := h.person("root@example.com", "admin"), h.person("ada@example.com"), h.person("eve@example.com")
			by := By{Account: root.ID, Session: h.session(root.tokens[0]).ID().String(), Address: "192.0.2.1", UserAgent: "a script"}
			do := a.prepare(h, by, ada)

			before := h.everything()
			h.record.broken.Store(true)
			if err := do(); !errors.Is(err, errNoRecord) {
				t.Fatalf("without a record: %v", err)
			}
			if after := h.everything(); after != before {
				t.Errorf("done without a record:\n%s\nbefore:\n%s", after, before)
			}
			for _, token := range ada.tokens {
				h.session(token)
			}

			h.record.broken.Store(false)
			if err := do(); err != nil {
				t.Fatal(err)
			}
			h.wantSessions(ada, a)
			if name != "RevokeEverything" {
				h.session(bystander.tokens[0])
			}
			h.wantRecorded(a, by, ada)
		})
	}
}

func (h *house) wantSessions(ada person, a act) {
	h.t.Helper()
	ended := 0
	for _, token := range ada.tokens {
		s, err := h.Sessions.Check(h.t.Context(), token.Reveal(), session.Cached)
		switch {
		case errors.Is(err, session.ErrNoSession):
			ended++
		case err != nil:
			h.t.Error(err)
		case a.renamed != (s.Name() == "After" && s.HasRole("editor") && s.EmailVerified() && s.Attributes() == `{"a":1}`) || s.Email() != ada.Email:
			h.t.Errorf("the next check shows %q with the roles %q", s.Name(), s.RoleList())
		}
	}
	if ended != a.ended {
		h.t.Errorf("%d sessions are ended, want %d", ended, a.ended)
	}
}

func (h *house) wantRecorded(a act, by By, ada person) {
	h.t.Helper()
	list, _, err := h.Audit.List(h.t.Context(), audit.Filter{Event: a.event}, "", 10)
	if err != nil || len(list) == 0 {
		h.t.Fatalf("nothing is recorded: %v", err)
	}
	e := list[0]
	ids := map[string]string{"root": by.Account, "ada": ada.ID, "": ""}
	if id, err := h.Accounts.IDByEmail(h.t.Context(), "new@example.com"); err == nil {
		ids["new"] = id
	} else if !errors.Is(err, account.ErrNotFound) {
		h.t.Fatal(err)
	}
	if e.Actor != ids[a.actor] || e.Subject != ids[a.subject] || e.Address == "" || e.UserAgent == "" {
		h.t.Errorf("recorded: %+v", e)
	}
	if a.actor == "root" && (e.Session != by.Session || e.Address != by.Address) {
		h.t.Errorf("recorded: %+v, done by %+v", e, by)
	}
}

// TestWhatIsNotThereIsNotFound: no id makes a subject, or an outage.
func TestWhatIsNotThereIsNotFound(t *testing.T) {
	h := newHouse(t)
	root, gone := h.person("root@example.com", "admin"), h.person("gone@example.com")
	by := By{Account: root.ID}
	if _, err := h.Delete(t.Context(), by, gone.ID); err != nil {
		t.Fatal(err)
	}
	before := h.everything()
	for _, id := range []string{"", "nobody", gone.ID, "a\x00b", "\xff", root.ID + " ", "../" + root.ID, string(make([]byte, 1000))} {
		_, disable := h.Disable(t.Context(), by, id)
		_, enable := h.Enable(t.Context(), by, id)
		_, remove := h.Delete(t.Context(), by, id)
		_, profile := h.SetProfile(t.Context(), by, id, renamed, 0)
		_, issue := h.IssueLink(t.Context(), by, id, link.Reset)
		_, all := h.RevokeSessions(t.Context(), by, id)
		_, one := h.RevokeSession(t.Context(), by, id, session.NewID())
		for name, err := range map[string]error{
			"Disable": disable, "Enable": enable, "Delete": remove, "SetProfile": profile, "IssueLink": issue, "RevokeSessions": all,
		} {
			if !errors.Is(err, account.ErrNotFound) {
				t.Errorf("%s of %q: %v", name, id, err)
			}
		}
		if !errors.Is(one, session.ErrNoSession) && !errors.Is(one, account.ErrNotFound) {
			t.Errorf("RevokeSession of %q: %v", id, one)
		}
	}
	if after := h.everything(); after != before {
		t.Errorf("something was changed:\n%s\nbefore:\n%s", after, before)
	}
}
