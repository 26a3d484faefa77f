package setup

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
)

// A code is five groups of four characters of Crockford's base 32: 100 random
// bits, and no two characters that are taken for each other.
const (
	alphabet  = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	groups    = 5
	groupSize = 4
	codeChars = groups * groupSize
	longest   = 200 // bytes of a code as somebody types it
	redacted  = "[redacted]"
)

// Code is the setup code. It cannot be printed, logged or marshalled by
// accident: only Reveal gives its text.
type Code struct{ text string } // without the dashes

// Hash is what the server keeps of a code. The zero Hash is no code's: nothing
// opens it.
type Hash [32]byte

// NewCode returns a new code.
func NewCode() Code {
	var random [codeChars]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	for i, b := range random {
		random[i] = alphabet[b%byte(len(alphabet))] // 256 is a multiple of 32
	}
	return Code{string(random[:])}
}

// Hash returns what the server is to keep.
func (c Code) Hash() Hash { return sha256.Sum256([]byte(c.text)) }

// Opens reports whether somebody has typed the code. Upper and lower case,
// spaces and dashes make no difference, and neither does an O for a zero, or an
// I or L for a one. It takes the same time for every code that is wrong.
func (h Hash) Opens(typed string) bool {
	if h == (Hash{}) || len(typed) > longest {
		return false
	}
	got := sha256.Sum256([]byte(strings.Map(plain, typed)))
	return subtle.ConstantTimeCompare(h[:], got[:]) == 1
}

func plain(r rune) rune {
	if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
		return -1
	}
	switch r = unicode.ToUpper(r); r {
	case 'O':
		return '0'
	case 'I', 'L':
		return '1'
	}
	return r
}

// Reveal returns the code as it is shown, in groups.
func (c Code) Reveal() string {
	parts := make([]string, 0, groups)
	for rest := c.text; rest != ""; rest = rest[groupSize:] {
		parts = append(parts, rest[:groupSize])
	}
	return strings.Join(parts, "-")
}

// String hides the secret.
func (c Code) String() string { return redacted }

// GoString hides the secret from %#v.
func (c Code) GoString() string { return redacted }

// Format hides the secret from every verb of package fmt.
func (c Code) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue hides the secret from package slog.
func (c Code) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret from encoding/json and its like.
func (c Code) MarshalText() ([]byte, error) { return []byte(redacted), nil }
