package throttle

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"time"

	"cloakroom/session"
)

// A device's text is ckd_ and 43 characters of base64url: 256 random bits.
const (
	deviceKind = "ckd_"
	deviceLen  = len(deviceKind) + 43
	redacted   = deviceKind + "[redacted]"
)

// MaxDevices is how many devices an account remembers.
const MaxDevices = 20

// Device is the secret of a browser in a cookie of its own, which says that
// somebody signed in there before. It opens nothing: it only spares the guesses
// made there from being counted with everybody else's. It cannot be printed,
// logged or marshalled by accident: only Reveal gives its text. The zero Device
// is none.
type Device struct{ text string }

// DeviceHash is the SHA-256 of a device's text: all that a store knows of it.
type DeviceHash [32]byte

// NewDevice returns a device that nobody remembers yet.
func NewDevice() Device {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails: crypto/rand ends the program instead
	return Device{deviceKind + base64.RawURLEncoding.EncodeToString(secret[:])}
}

// ParseDevice returns the device with this text, or false if none can have it.
// There is one spelling, so what it takes may be set as a cookie again.
func ParseDevice(text string) (Device, bool) {
	if len(text) != deviceLen || text[:len(deviceKind)] != deviceKind {
		return Device{}, false
	}
	// Strict still skips line breaks; with one there are too few bytes.
	secret, err := base64.RawURLEncoding.Strict().DecodeString(text[len(deviceKind):])
	if err != nil || len(secret) != 32 {
		return Device{}, false
	}
	return Device{text}, true
}

// Hash returns what a store may know of the device.
func (d Device) Hash() DeviceHash { return sha256.Sum256([]byte(d.text)) }

// Reveal returns the text that the browser is to present.
func (d Device) Reveal() string { return d.text }

// String hides the secret.
func (d Device) String() string { return redacted }

// GoString hides the secret from %#v.
func (d Device) GoString() string { return redacted }

// Format hides the secret from every verb of package fmt.
func (d Device) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue hides the secret from package slog.
func (d Device) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret from encoding/json and its like.
func (d Device) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Devices remembers on which devices an account was signed in to. An
// implementation must pass dbtest.Devices. Any error is an outage.
type Devices interface {
	// Known reports whether the account remembers the device. One that is not
	// there, such as "", remembers none, and costs the same look-up.
	Known(ctx context.Context, account string, device DeviceHash) (bool, error)

	// Remember returns the work of remembering, in the transaction of a
	// sign-in, that the device was used at now; one that is remembered already
	// has been used again. Of more than MaxDevices the longest unused are
	// forgotten, never the one just used. The account must be there by then.
	Remember(account string, device DeviceHash, now time.Time) session.Join

	// Forget returns the work of forgetting all devices of the account. They
	// are also forgotten together with the account.
	Forget(account string) session.Join
}
