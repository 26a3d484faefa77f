package link

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

// A token's text is ckl_ and 43 characters of base64url: 256 random bits.
const (
	tokenKind = "ckl_"
	tokenLen  = len(tokenKind) + 43
	redacted  = tokenKind + "[redacted]"
)

// Token is the secret in a link. It cannot be printed, logged or marshalled by
// accident: only Reveal gives its text. The zero Token is none, and no link has
// it.
type Token struct{ text string }

// Hash is the SHA-256 of a token's text: all that a store knows of it.
type Hash [32]byte

// NewToken returns a token that no link has yet.
func NewToken() Token {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails: crypto/rand ends the program instead
	return Token{tokenKind + base64.RawURLEncoding.EncodeToString(secret[:])}
}

// ParseToken returns the token with this text, or false if none can have it.
// There is one spelling.
func ParseToken(text string) (Token, bool) {
	if len(text) != tokenLen || text[:len(tokenKind)] != tokenKind {
		return Token{}, false
	}
	// Strict still skips line breaks; with one there are too few bytes.
	secret, err := base64.RawURLEncoding.Strict().DecodeString(text[len(tokenKind):])
	if err != nil || len(secret) != 32 {
		return Token{}, false
	}
	return Token{text}, true
}

// Hash returns what a store may know of the token.
func (t Token) Hash() Hash { return sha256.Sum256([]byte(t.text)) }

// Reveal returns the text that the link carries.
func (t Token) Reveal() string { return t.text }

// String hides the secret.
func (t Token) String() string { return redacted }

// GoString hides the secret from %#v.
func (t Token) GoString() string { return redacted }

// Format hides the secret from every verb of package fmt.
func (t Token) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue hides the secret from package slog.
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret from encoding/json and its like.
func (t Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }
