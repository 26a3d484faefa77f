package web

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"cloakroom/internal/audit"
	"cloakroom/internal/authority"
	stores "cloakroom/internal/db/sqlite"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/setup"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/internal/visitor"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

// newFileSite is the pages on a database file, with all that administration
// needs. The code makes the first administrator.
func newFileSite(t *testing.T, network throttle.Limit) (*site, *authority.Service, setup.Code) {
	t.Helper()
	file, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "cloakroom.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	people, err := stores.NewAccounts(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	sessions, err := session.New(session.Config{
		Store: file, Origins: []string{origin}, Logger: quiet, Cookie: session.Cookie{RenewPath: "/auth" + visitor.RenewPath},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = sessions.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	known, record := stores.NewDevices(people), stores.NewAudit(people, nil)
	signIn := &signin.Service{
		Sessions: sessions, Accounts: people, Devices: known, Audit: record, Logger: quiet,
		Throttle:  throttle.New(throttle.Config{Store: stores.NewThrottle(people), Devices: known, Network: network}),
		Refusals:  audit.NewRefusals(audit.RefusalsConfig{Store: record, Logger: quiet}),
		Passwords: password.New(password.Config{Params: password.Params{Memory: 64, Time: 1, Threads: 1}}),
	}
	code := setup.NewCode()
	office := &authority.Service{
		Sessions: sessions, Accounts: people, Directory: people,
		Links: stores.NewLinks(people), Setup: stores.NewSetup(people), SignIn: signIn,
		Passwords: signIn.Passwords, Throttle: signIn.Throttle, Devices: signIn.Devices, Audit: record, Refusals: signIn.Refusals,
		Code: code.Hash(), Logger: quiet,
	}
	h, err := New(Config{Sessions: sessions, SignIn: signIn, Authority: office, PublicURL: origin, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, handler: h, pages: h.(*pages), sessions: sessions, stop: stop}
	s.awaitRun()
	return s, office, code
}

// wide is a network that the throttle keeps out of nothing.
var wide = throttle.Limit{Burst: 10_000, Every: time.Millisecond}
