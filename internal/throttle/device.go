package throttle

import (
	"context"
	"time"

	"cloakroom/internal/secret"
	"cloakroom/session"
)

const deviceKind = "ckd_"

// MaxDevices is how many devices an account remembers.
const MaxDevices = 20

// Device is the secret of a browser in a cookie of its own, which says that
// somebody signed in there before. It opens nothing: it only spares the guesses
// made there from being counted with everybody else's. It cannot be printed,
// logged or marshalled by accident: only Reveal gives its text. The zero Device
// is none.
type Device struct{ secret.Text }

// DeviceHash is the SHA-256 of a device's text: all that a store knows of it.
type DeviceHash [32]byte

// NewDevice returns a device that nobody remembers yet.
func NewDevice() Device { return Device{secret.New(deviceKind)} }

// ParseDevice returns the device with this text, or false if none can have it.
// There is one spelling, so what it takes may be set as a cookie again.
func ParseDevice(text string) (Device, bool) {
	d, ok := secret.Parse(deviceKind, text)
	return Device{d}, ok
}

// Hash returns what a store may know of the device.
func (d Device) Hash() DeviceHash { return d.Text.Hash() }

// Devices remembers on which devices an account was signed in to. An
// implementation must pass dbtest.Devices. Any error is an outage.
type Devices interface {
	// Known reports whether the account remembers the device. One that is not
	// there, such as "", remembers none, and costs the same look-up.
	Known(ctx context.Context, account string, device DeviceHash) (bool, error)

	// Remember returns the work of remembering, in the transaction of a
	// sign-in, that the device was used at now; one that is remembered already
	// has been used again. Of more than MaxDevices the longest unused are
	// forgotten, never the one just used. session.ErrDeleted if the
	// account is not there by then.
	Remember(account string, device DeviceHash, now time.Time) session.Join

	// Forget returns the work of forgetting all devices of the account. They
	// are also forgotten together with the account.
	Forget(account string) session.Join
}
