package authority

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	accounts "cloakroom/internal/db/sqlite"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/setup"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

const (
	oldPassword = "correct horse battery staple"
	newPassword = "velvet anchor prairie tunic"
)

var errNoRecord = errors.New("the record cannot be written")

// record is the audit's store, whose entries cannot be written once it is broken.
type record struct {
	audit.Store
	broken atomic.Bool
}

func (r *record) Record(entries ...audit.Entry) session.Join {
	if r.broken.Load() {
		return sqlite.Join(func(context.Context, *sql.Tx) error { return errNoRecord })
	}
	return r.Store.Record(entries...)
}

// house is a Service on a real file.
type house struct {
	*Service
	t      *testing.T
	store  *sqlite.Store
	record *record
	code   setup.Code
	now    time.Time
	count  int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	people, err := accounts.NewAccounts(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := session.New(session.Config{Store: store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- sessions.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, store.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := sessions.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: store, code: setup.NewCode(), now: time.Now(), record: &record{Store: accounts.NewAudit(people, nil)}}
	devices := accounts.NewDevices(people)
	guesses := throttle.New(throttle.Config{Store: accounts.NewThrottle(people), Devices: devices})
	passwords := password.New(password.Config{Params: password.Params{Memory: 64, Time: 1, Threads: 1}, Queue: 1000})
	refusals := audit.NewRefusals(audit.RefusalsConfig{Store: h.record.Store})
	h.Service = &Service{
		Sessions: sessions, Accounts: people, Directory: people, Links: accounts.NewLinks(people), Setup: accounts.NewSetup(people),
		SignIn: &signin.Service{
			Sessions: sessions, Accounts: people, Passwords: passwords, Throttle: guesses, Devices: devices,
			Audit: h.record, Refusals: refusals,
		},
		Passwords: passwords, Throttle: guesses, Devices: devices, Audit: h.record, Refusals: refusals,
		Code: h.code.Hash(), Now: func() time.Time { return h.now },
	}
	return h
}

// visitor is somebody from an address of their own.
func (h *house) visitor() signin.Client {
	h.count++
	return signin.Client{Address: netip.AddrFrom4([4]byte{198, 51, byte(h.count >> 8), byte(h.count)}), UserAgent: "a browser"}
}

// person is an account that is signed in to twice.
type person struct {
	account.Account
	tokens []session.Token
}

func (h *house) person(email string, roles ...string) person {
	h.t.Helper()
	a, err := account.New(email)
	if err != nil {
		h.t.Fatal(err)
	}
	hash, err := h.Passwords.Hash(h.t.Context(), password.Place{Rank: password.Last}, oldPassword)
	if err != nil {
		h.t.Fatal(err)
	}
	profile := session.Profile{Name: "Before", Email: email, Roles: roles}
	_, err = h.Sessions.Apply(h.t.Context(), session.SetProfile(a.ID, profile, 0),
		h.Accounts.Create(a, hash), h.Directory.SetAdmin(a.ID, len(roles) > 0))
	if err != nil {
		h.t.Fatal(err)
	}
	p := person{Account: a}
	for range 2 {
		token, err := h.signIn(email, oldPassword)
		if err != nil {
			h.t.Fatal(err)
		}
		p.tokens = append(p.tokens, token)
	}
	return p
}

func (h *house) signIn(email, pass string) (session.Token, error) {
	outcome, err := h.SignIn.WithPassword(h.t.Context(), h.visitor(), email, pass, false)
	if err != nil {
		return session.Token{}, err
	}
	token, _, err := h.Sessions.Issue(h.t.Context(), outcome.Attempt, outcome.Grant)
	return token, err
}

func (h *house) session(token session.Token) session.Session {
	h.t.Helper()
	s, err := h.Sessions.Check(h.t.Context(), token.Reveal(), session.Cached)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// everything is what the tables hold that authority is read from. The epochs and
// profiles are among it, and what each session stands under.
func (h *house) everything() string {
	h.t.Helper()
	var b strings.Builder
	for _, table := range []string{
		"accounts", "passwords", "links", "admins", "setup", "devices", "subjects", "audit", "meta WHERE one = 1",
		"sessions WHERE last_seen > 0",
	} {
		columns := "*"
		if strings.HasPrefix(table, "meta") {
			columns = "number, global_epoch"
		}
		rows, err := h.store.Read().QueryContext(h.t.Context(), "SELECT "+columns+" FROM cloakroom_"+table)
		if err != nil {
			h.t.Fatal(err)
		}
		names, err := rows.Columns()
		if err != nil {
			h.t.Fatal(err)
		}
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		for rows.Next() {
			if err := rows.Scan(values...); err != nil {
				h.t.Fatal(err)
			}
			fmt.Fprint(&b, table)
			for i, name := range names {
				fmt.Fprintf(&b, " %s=%v", name, *values[i].(*any))
			}
			fmt.Fprintln(&b)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			h.t.Fatal(err)
		}
	}
	return b.String()
}
