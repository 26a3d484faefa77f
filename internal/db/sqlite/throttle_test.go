package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"cloakroom/internal/account"
	"cloakroom/internal/db/dbtest"
	"cloakroom/internal/throttle"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

func TestThrottle(t *testing.T) {
	dbtest.Throttle(t, func(t *testing.T) throttle.Store { return NewThrottle(accountsAt(t, newPath(t))) })
}

func TestDevices(t *testing.T) { dbtest.Devices(t, devicesEngine) }

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "cloakroom.db") }

// accountsAt opens the file and closes it when the test ends.
func accountsAt(t *testing.T, path string) *Accounts {
	t.Helper()
	store, err := sqlite.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	accounts, err := NewAccounts(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	return accounts
}

func devicesEngine(t *testing.T) dbtest.DevicesEngine {
	accounts := accountsAt(t, newPath(t))
	commit := func(ctx context.Context, joins ...session.Join) error {
		_, err := accounts.store.Apply(ctx, time.Now(), session.RevokeAll("somebody"), joins)
		return err
	}
	count := 0
	return dbtest.DevicesEngine{
		Devices: NewDevices(accounts),
		Commit:  commit,
		AddAccount: func() string {
			count++
			a, err := account.New(fmt.Sprintf("person-%d@example.com", count))
			if err == nil {
				err = commit(t.Context(), accounts.Create(a, "a hash"))
			}
			if err != nil {
				t.Fatal(err)
			}
			return a.ID
		},
		DeleteAccount: func(id string) {
			err := accounts.store.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `DELETE FROM cloakroom_accounts WHERE id = ?`, id)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		},
	}
}

var (
	one  = []throttle.Bucket{{Key: throttle.Key{1}, Limit: throttle.Limit{Burst: 1, Every: time.Minute}}}
	then = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
)

// TestALookWaitsForNoWriter: a flood of guesses that are refused keeps nobody
// waiting, nor is it kept.
func TestALookWaitsForNoWriter(t *testing.T) {
	accounts := accountsAt(t, newPath(t))
	s := NewThrottle(accounts)
	if wait, err := s.Take(t.Context(), then, one); wait != 0 || err != nil {
		t.Fatal(wait, err)
	}
	err := accounts.store.Write(t.Context(), func(context.Context, *sql.Tx) error {
		// No other write can begin before this returns.
		at, err := s.EmptyAt(t.Context(), one)
		if err != nil || at[0] != then.Add(time.Minute).UnixMilli() {
			t.Errorf("kept: %v, %v", at, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestASweepSparesWhatWasChargedSince: between finding and forgetting, somebody
// may have guessed.
func TestASweepSparesWhatWasChargedSince(t *testing.T) {
	accounts := accountsAt(t, newPath(t))
	s := NewThrottle(accounts)
	for _, at := range []time.Time{then, then.Add(time.Minute)} {
		if wait, err := s.Take(t.Context(), at, one); wait != 0 || err != nil {
			t.Fatal(wait, err)
		}
	}
	err := accounts.store.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		if n, err := deleteEmpty(ctx, tx, then.Add(time.Minute), [][]byte{one[0].Key[:]}); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestARestartForgivesNothing(t *testing.T) {
	path := newPath(t)
	accounts := accountsAt(t, path)
	if wait, err := NewThrottle(accounts).Take(t.Context(), then, one); wait != 0 || err != nil {
		t.Fatal(wait, err)
	}
	if err := accounts.store.Close(); err != nil {
		t.Fatal(err)
	}
	s := NewThrottle(accountsAt(t, path))
	if wait, err := s.Take(t.Context(), then.Add(time.Second), one); wait != 59*time.Second || err != nil {
		t.Error(wait, err)
	}
}

func TestAClosedThrottleIsNoEmptyOne(t *testing.T) {
	accounts := accountsAt(t, newPath(t))
	if err := accounts.store.Close(); err != nil {
		t.Fatal(err)
	}
	s := NewThrottle(accounts)
	_, take := s.Take(t.Context(), then, one)
	_, sweep := s.Sweep(t.Context(), then, 1)
	_, known := NewDevices(accounts).Known(t.Context(), "", throttle.DeviceHash{})
	for name, err := range map[string]error{"Take": take, "Return": s.Return(t.Context(), then, one), "Sweep": sweep, "Known": known} {
		if err == nil || errors.Is(err, throttle.ErrThrottled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheFileHoldsNoAddress: who tried to sign in, and from where, is not to be
// read in a backup, and neither is a device's secret.
func TestTheFileHoldsNoAddress(t *testing.T) {
	path := newPath(t)
	accounts := accountsAt(t, path)
	ada, err := account.New("ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	devices, device := NewDevices(accounts), throttle.NewDevice()
	_, err = accounts.store.Apply(t.Context(), then, session.RevokeAll(ada.ID),
		[]session.Join{accounts.Create(ada, "a hash"), devices.Remember(ada.ID, device.Hash(), then)})
	if err != nil {
		t.Fatal(err)
	}
	th := throttle.New(throttle.Config{Store: NewThrottle(accounts), Devices: devices})
	for _, a := range []throttle.Attempt{
		{Email: ada.Email, Account: ada.ID, Address: netip.MustParseAddr("192.0.2.77"), Device: device},
		{Email: "typed.by.eve@example.net", Address: netip.MustParseAddr("2001:db8:77:88::1")},
	} {
		if _, err := th.Take(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	if err := accounts.store.Close(); err != nil { // which writes the WAL into the file
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hash := device.Hash()
	if !bytes.Contains(file, hash[:]) || !bytes.Contains(file, []byte(ada.Email)) {
		t.Fatal("the file is not what was written")
	}
	for _, text := range []string{"typed", "192.0", "2001:", device.Reveal()[4:]} {
		if bytes.Contains(file, []byte(text)) {
			t.Errorf("the file holds %s", text)
		}
	}
}
