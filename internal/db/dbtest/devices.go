package dbtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"cloakroom/internal/throttle"
	"cloakroom/session"
)

// DevicesEngine is an empty store of devices and what the suite needs around it.
type DevicesEngine struct {
	Devices throttle.Devices
	// Commit runs the joins in one transaction of a session store.
	Commit func(ctx context.Context, joins ...session.Join) error
	// AddAccount adds an account and returns its id.
	AddAccount func() string
	// DeleteAccount deletes an account's row and nothing else.
	DeleteAccount func(id string)
}

// Devices tests the store that open returns against every promise of
// throttle.Devices. open is called once for each of them, and cleans up by
// t.Cleanup.
func Devices(t *testing.T, open func(*testing.T) DevicesEngine) {
	for _, p := range []struct {
		name string
		test func(*remembering)
	}{
		{"a device is known to the account that it signed in to", known},
		{"a sign-in that fails remembers nothing", rolledBack},
		{"an account that is not there knows and remembers nothing", noAccount},
		{"beyond twenty the longest unused is forgotten", longestUnused},
		{"the device just used stays, whatever the clock says", justUsed},
		{"forgetting is of one account", forgetting},
		{"devices go with their account", withTheAccount},
	} {
		t.Run(p.name, func(t *testing.T) { p.test(&remembering{T: t, DevicesEngine: open(t)}) })
	}
}

// remembering is one test of a store.
type remembering struct {
	*testing.T
	DevicesEngine
}

var noon = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)

func newDevices(n int) []throttle.DeviceHash {
	all := make([]throttle.DeviceHash, n)
	for i := range all {
		all[i] = throttle.NewDevice().Hash()
	}
	return all
}

func (r *remembering) commit(joins ...session.Join) {
	r.Helper()
	if err := r.Commit(r.Context(), joins...); err != nil {
		r.Fatal(err)
	}
}

func (r *remembering) wantKnown(account string, device throttle.DeviceHash, want bool) {
	r.Helper()
	if known, err := r.Devices.Known(r.Context(), account, device); known != want || err != nil {
		r.Errorf("known %v, %v, want %v", known, err, want)
	}
}

// wantExactly checks which of the devices the account knows.
func (r *remembering) wantExactly(account string, devices []throttle.DeviceHash, known func(i int) bool) {
	r.Helper()
	for i, device := range devices {
		if got, err := r.Devices.Known(r.Context(), account, device); got != known(i) || err != nil {
			r.Errorf("device %d: known %v, %v", i, got, err)
		}
	}
}

func known(r *remembering) {
	ada, eve := r.AddAccount(), r.AddAccount()
	devices := newDevices(2)
	r.wantKnown(ada, devices[0], false)
	r.commit(r.Devices.Remember(ada, devices[0], noon))
	r.commit(r.Devices.Remember(ada, devices[0], noon)) // again is no error
	r.wantKnown(ada, devices[0], true)
	r.wantKnown(ada, devices[1], false)
	r.wantKnown(eve, devices[0], false)
	r.commit(r.Devices.Remember(eve, devices[0], noon)) // one browser, two accounts
	r.wantKnown(eve, devices[0], true)
	r.wantKnown(ada, devices[0], true)
}

func rolledBack(r *remembering) {
	ada := r.AddAccount()
	devices := newDevices(2)
	r.commit(r.Devices.Remember(ada, devices[0], noon))
	absent := r.Devices.Remember("nobody", devices[0], noon)
	if err := r.Commit(r.Context(), r.Devices.Remember(ada, devices[1], noon), absent); !errors.Is(err, session.ErrDeleted) {
		r.Fatal("an account that is not there remembers a device:", err)
	}
	r.wantKnown(ada, devices[1], false)
	if err := r.Commit(r.Context(), r.Devices.Forget(ada), absent); !errors.Is(err, session.ErrDeleted) {
		r.Fatal("an account that is not there remembers a device:", err)
	}
	r.wantKnown(ada, devices[0], true)
}

func noAccount(r *remembering) {
	device := newDevices(1)[0]
	for _, id := range []string{"", "nobody"} {
		if err := r.Commit(r.Context(), r.Devices.Remember(id, device, noon)); !errors.Is(err, session.ErrDeleted) {
			r.Errorf("%q remembers a device: %v", id, err)
		}
		r.wantKnown(id, device, false)
		r.commit(r.Devices.Forget(id))
	}
}

func longestUnused(r *remembering) {
	ada, eve := r.AddAccount(), r.AddAccount()
	devices := newDevices(throttle.MaxDevices + 3)
	for _, device := range devices[:3] {
		r.commit(r.Devices.Remember(eve, device, noon.Add(-time.Hour)))
	}
	for i, device := range devices[:throttle.MaxDevices] {
		r.commit(r.Devices.Remember(ada, device, noon.Add(time.Duration(i)*time.Second)))
	}
	// The first is used again; then the second and the third are the oldest.
	r.commit(r.Devices.Remember(ada, devices[0], noon.Add(time.Hour)))
	r.wantExactly(ada, devices, func(i int) bool { return i < throttle.MaxDevices })
	for i, device := range devices[throttle.MaxDevices:] {
		r.commit(r.Devices.Remember(ada, device, noon.Add(2*time.Hour+time.Duration(i))))
	}
	r.wantExactly(ada, devices, func(i int) bool { return i == 0 || i > 3 })
	r.wantExactly(eve, devices, func(i int) bool { return i < 3 })
}

func justUsed(r *remembering) {
	ada := r.AddAccount()
	devices := newDevices(throttle.MaxDevices + 1)
	for i, device := range devices[:throttle.MaxDevices] {
		r.commit(r.Devices.Remember(ada, device, noon.Add(time.Duration(i)*time.Second)))
	}
	// Seen by a clock that was set back, none of them is older than it was.
	r.commit(r.Devices.Remember(ada, devices[1], noon.Add(-2*time.Hour)))
	r.commit(r.Devices.Remember(ada, devices[throttle.MaxDevices], noon.Add(-time.Hour)))
	r.wantExactly(ada, devices, func(i int) bool { return i != 0 })
}

func forgetting(r *remembering) {
	ada, eve := r.AddAccount(), r.AddAccount()
	devices := newDevices(3)
	for _, device := range devices {
		r.commit(r.Devices.Remember(ada, device, noon), r.Devices.Remember(eve, device, noon))
	}
	r.commit(r.Devices.Forget(ada), r.Devices.Remember(ada, devices[2], noon))
	r.wantExactly(ada, devices, func(i int) bool { return i == 2 })
	r.wantExactly(eve, devices, func(int) bool { return true })
}

func withTheAccount(r *remembering) {
	ada, eve := r.AddAccount(), r.AddAccount()
	devices := newDevices(2)
	for _, device := range devices {
		r.commit(r.Devices.Remember(ada, device, noon), r.Devices.Remember(eve, device, noon))
	}
	r.DeleteAccount(ada)
	r.wantExactly(ada, devices, func(int) bool { return false })
	r.wantExactly(eve, devices, func(int) bool { return true })
	if err := r.Commit(r.Context(), r.Devices.Remember(ada, devices[0], noon)); !errors.Is(err, session.ErrDeleted) {
		r.Errorf("an account that is gone remembers a device: %v", err)
	}
}
