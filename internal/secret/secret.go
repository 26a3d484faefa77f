// Package secret is a random text that opens something and that nothing but the
// one who may have it gets to see: a kind, such as "ckl_", and 43 characters of
// base64url, which are 256 random bits.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const (
	randomBytes = 32
	randomChars = 43
	redacted    = "[redacted]"
)

// Text is such a text. It cannot be printed, logged or marshalled by accident:
// only Reveal gives it. The zero Text is none.
type Text struct{ kind, text string }

// New returns a text of that kind which nobody has yet.
func New(kind string) Text {
	var bytes [randomBytes]byte
	_, _ = rand.Read(bytes[:]) // never fails: crypto/rand ends the program instead
	return Text{kind, kind + base64.RawURLEncoding.EncodeToString(bytes[:])}
}

// Parse returns the Text of that kind, or false if none can have this text.
// There is one spelling, so what it takes may be sent on.
func Parse(kind, text string) (Text, bool) {
	random, ok := strings.CutPrefix(text, kind)
	if !ok || len(random) != randomChars {
		return Text{}, false
	}
	// Strict still skips line breaks; with one there are too few bytes.
	bytes, err := base64.RawURLEncoding.Strict().DecodeString(random)
	if err != nil || len(bytes) != randomBytes {
		return Text{}, false
	}
	return Text{kind, text}, true
}

// Hash returns the SHA-256 of the text: all that a store may know of it.
func (t Text) Hash() [sha256.Size]byte { return sha256.Sum256([]byte(t.text)) }

// Reveal returns the text.
func (t Text) Reveal() string { return t.text }

// String hides the secret.
func (t Text) String() string { return t.kind + redacted }

// GoString hides the secret from %#v.
func (t Text) GoString() string { return t.String() }

// Format hides the secret from every verb of package fmt.
func (t Text) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, t.String()) }

// LogValue hides the secret from package slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText hides the secret from encoding/json and its like.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
