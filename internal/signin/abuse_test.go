package signin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/audit"
	accounts "cloakroom/internal/db/sqlite"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/signin"
	"cloakroom/internal/throttle"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

const right, wrong = "correct horse battery staple", "incorrect horse battery staple"

// door is a Service on a real file, with one slot and as long a queue as a test
// says. Its stores can be made to hang or to fail.
type door struct {
	*signin.Service
	t       *testing.T
	failing atomic.Bool   // accounts cannot be looked for
	hanging chan struct{} // whoever gives a guess back sends to it, and then waits until it is received again
}

func newDoor(t *testing.T, queue int) *door {
	t.Helper()
	file, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	people, err := accounts.NewAccounts(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	sessions, err := session.New(session.Config{Store: file, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- sessions.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, file.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := sessions.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := &door{t: t}
	devices, record := accounts.NewDevices(people), accounts.NewAudit(people, nil)
	d.Service = &signin.Service{
		Sessions: sessions, Accounts: failingAccounts{people, d}, Devices: devices, Audit: record, Logger: quiet,
		Throttle: throttle.New(throttle.Config{Store: hangingThrottle{accounts.NewThrottle(people), d}, Devices: devices}),
		Refusals: audit.NewRefusals(audit.RefusalsConfig{Store: record, Logger: quiet}),
		Passwords: password.New(password.Config{
			Params: password.Params{Memory: 64, Time: 1, Threads: 1}, Slots: 1, Queue: queue, Wait: time.Minute,
		}),
	}
	return d
}

var errDisk = errors.New("disk on fire")

type failingAccounts struct {
	account.Store
	*door
}

func (f failingAccounts) IDByEmail(ctx context.Context, email string) (string, error) {
	if f.failing.Load() {
		return "", errDisk
	}
	return f.Store.IDByEmail(ctx, email)
}

type hangingThrottle struct {
	throttle.Store
	*door
}

func (h hangingThrottle) Return(ctx context.Context, now time.Time, buckets []throttle.Bucket) error {
	if h.hanging != nil {
		h.hanging <- struct{}{}
		<-h.hanging
	}
	return h.Store.Return(ctx, now, buckets)
}

// from is somebody from one of many networks.
func from(i int) signin.Client {
	return signin.Client{Address: netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})}
}

// signUp carries a sign-up out.
func (d *door) signUp(c signin.Client, email string) error {
	outcome, err := d.SignUp(d.t.Context(), c, email, right, "", false)
	if err == nil {
		_, _, err = d.Sessions.Issue(d.t.Context(), outcome.Attempt, outcome.Grant)
	}
	return err
}

// occupy takes the slot until the returned function is called.
func (d *door) occupy() (leave func()) {
	d.t.Helper()
	turn, err := d.Passwords.Turn(d.t.Context(), password.Place{Rank: password.First})
	if err != nil {
		d.t.Fatal(err)
	}
	return turn.End
}

// TestNobodyWaitsForASlotWhileAGuessIsGivenBack: that waits for whoever else
// writes to the file.
func TestNobodyWaitsForASlotWhileAGuessIsGivenBack(t *testing.T) {
	d := newDoor(t, -1)
	if err := d.signUp(from(1), "ada@example.com"); err != nil {
		t.Fatal(err)
	}
	d.hanging = make(chan struct{})
	signedIn := make(chan error)
	go func() {
		_, err := d.WithPassword(t.Context(), from(1), "ada@example.com", right, false)
		signedIn <- err
	}()
	<-d.hanging
	d.occupy()()
	d.hanging <- struct{}{}
	if err := <-signedIn; err != nil {
		t.Error(err)
	}
}

// TestSignUpsGoLast is the attack: sign-ups of addresses that are free are given
// back, so that their network has never guessed.
func TestSignUpsGoLast(t *testing.T) {
	d := newDoor(t, 1)
	leave := d.occupy()
	signUps := make(chan error)
	for i := range 2 {
		go func() { signUps <- d.signUp(from(i), fmt.Sprintf("eve-%d@example.com", i)) }()
	}
	if err := <-signUps; !errors.Is(err, password.ErrBusy) { // the other one waits
		t.Fatal(err)
	}
	guess := make(chan error)
	go func() {
		_, err := d.WithPassword(t.Context(), from(2), "ada@example.com", wrong, false)
		guess <- err
	}()
	select {
	case err := <-signUps:
		if !errors.Is(err, password.ErrBusy) {
			t.Error(err)
		}
	case err := <-guess:
		t.Fatalf("a stranger makes way for a sign-up: %v", err)
	}
	leave()
	if err := <-guess; !errors.Is(err, signin.ErrBadCredentials) {
		t.Error(err)
	}
}

// TestAnOutageUsesUpNoSignUps: nobody found out whether there is an account.
func TestAnOutageUsesUpNoSignUps(t *testing.T) {
	d := newDoor(t, 1)
	d.failing.Store(true)
	for range 100 {
		if err := d.signUp(from(1), "ada@example.com"); !errors.Is(err, errDisk) {
			t.Fatal(err)
		}
	}
	d.failing.Store(false)
	if err := d.signUp(from(1), "ada@example.com"); err != nil {
		t.Error(err)
	}
}

// TestWhoGuessedWrongMakesWay for who signs in more often, and is right.
func TestWhoGuessedWrongMakesWay(t *testing.T) {
	d := newDoor(t, 1)
	devices := map[string]signin.Client{}
	for i, email := range []string{"ada@example.com", "eve@example.com"} {
		if err := d.signUp(from(i), email); err != nil {
			t.Fatal(err)
		}
		outcome, err := d.WithPassword(t.Context(), from(i), email, right, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Sessions.Issue(t.Context(), outcome.Attempt, outcome.Grant); err != nil {
			t.Fatal(err)
		}
		devices[email] = signin.Client{Address: from(i).Address, Device: outcome.Device}
	}
	guess := func(email, pass string) error {
		_, err := d.WithPassword(t.Context(), devices[email], email, pass, false)
		return err
	}
	if err := guess("eve@example.com", wrong); !errors.Is(err, signin.ErrBadCredentials) {
		t.Fatal(err)
	}
	for range 3 {
		if err := guess("ada@example.com", right); err != nil {
			t.Fatal(err)
		}
	}
	leave := d.occupy()
	eve, ada := make(chan error, 1), make(chan error, 1)
	go func() { eve <- guess("eve@example.com", wrong) }()
	go func() { ada <- guess("ada@example.com", right) }()
	if err := <-eve; !errors.Is(err, password.ErrBusy) {
		t.Errorf("she does not make way: %v", err)
	}
	leave()
	if err := <-ada; err != nil {
		t.Error(err)
	}
}
