package throttle_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"cloakroom/internal/account"
	accounts "cloakroom/internal/db/sqlite"
	"cloakroom/internal/throttle"
	"cloakroom/session"
	"cloakroom/session/sqlite"
)

// door is a Throttle on a file, at a time of the test's.
type door struct {
	*testing.T
	*throttle.Throttle
	cfg   throttle.Config
	file  *sqlite.Store
	now   time.Time
	asked []string // what was asked of the stores
}

func newDoor(t *testing.T) *door {
	t.Helper()
	file, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "cloakroom.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	people, err := accounts.NewAccounts(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{T: t, file: file, now: time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)}
	d.cfg = throttle.Config{
		Store:   recordingStore{accounts.NewThrottle(people), d},
		Devices: recordingDevices{accounts.NewDevices(people), d},
		Now:     func() time.Time { return d.now },
	}
	d.Throttle = throttle.New(d.cfg)
	return d
}

// recordingStore and recordingDevices note what they are asked, and ask the file.
type recordingStore struct {
	throttle.Store
	*door
}

func (s recordingStore) EmptyAt(ctx context.Context, buckets []throttle.Bucket) ([]int64, error) {
	s.asked = append(s.asked, fmt.Sprintf("look %d", len(buckets)))
	return s.Store.EmptyAt(ctx, buckets)
}

func (s recordingStore) Take(ctx context.Context, now time.Time, buckets []throttle.Bucket) (time.Duration, error) {
	s.asked = append(s.asked, fmt.Sprintf("take %d", len(buckets)))
	return s.Store.Take(ctx, now, buckets)
}

type recordingDevices struct {
	throttle.Devices
	*door
}

func (s recordingDevices) Known(ctx context.Context, account string, device throttle.DeviceHash) (bool, error) {
	s.asked = append(s.asked, "known")
	return s.Devices.Known(ctx, account, device)
}

var errBroken = errors.New("broken")

type brokenDevices struct{ throttle.Devices }

func (brokenDevices) Known(context.Context, string, throttle.DeviceHash) (bool, error) {
	return false, errBroken
}

// signedIn adds an account that was signed in to on a device.
func (d *door) signedIn(email string) (id string, device throttle.Device) {
	d.Helper()
	device = throttle.NewDevice()
	return d.signedInOn(device, email), device
}

func (d *door) signedInOn(device throttle.Device, email string) (id string) {
	d.Helper()
	a, err := account.New(email)
	if err != nil {
		d.Fatal(err)
	}
	people, err := accounts.NewAccounts(d.Context(), d.file)
	if err != nil {
		d.Fatal(err)
	}
	_, err = d.file.Apply(d.Context(), d.now, session.RevokeAll(a.ID), []session.Join{
		people.Create(a, "a hash"), d.cfg.Devices.Remember(a.ID, device.Hash(), d.now),
	})
	if err != nil {
		d.Fatal(err)
	}
	return a.ID
}

// remember has another device signed in on.
func (d *door) remember(id string, device throttle.Device) {
	d.Helper()
	_, err := d.file.Apply(d.Context(), d.now, session.RevokeAll(id),
		[]session.Join{d.cfg.Devices.Remember(id, device.Hash(), d.now)})
	if err != nil {
		d.Fatal(err)
	}
}

// take makes an attempt, which must be admitted if want is 0 and refused for as
// long as want says otherwise.
func (d *door) take(want time.Duration, a throttle.Attempt) *throttle.Charge {
	d.Helper()
	charge, err := d.Take(d.Context(), a)
	refusal, refused := errors.AsType[*throttle.Error](err)
	switch {
	case want == 0 && err != nil:
		d.Fatalf("refused: %v", err)
	case want > 0 && (!refused || charge != nil || !errors.Is(err, throttle.ErrThrottled)):
		d.Fatalf("charge %v, error %v, want a refusal", charge, err)
	case refused && refusal.RetryAfter != want:
		d.Fatalf("retry after %v, want %v", refusal.RetryAfter, want)
	}
	return charge
}

func (d *door) takes(n int, a throttle.Attempt) {
	d.Helper()
	for range n {
		d.take(0, a)
	}
}
