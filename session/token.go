package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

// A token's text is the kind, the secret and the checksum:
//
//	cks_ + 43 characters of base64url (256 random bits) + 6 of checksum
//
// The kind says by what the token travels: cks_ in a session's cookie, cka_ in the
// Authorization header, and neither by the other's way. ckr_ is what only a renewal
// takes. 53 characters, which is one block of SHA-256. There is one length and one
// accepted spelling: the text itself is hashed and nothing is decoded. The
// checksum is a truncated HMAC over all before it under the store's key: a
// filter that keeps invented tokens away from the store, never the proof.
const (
	sessionKind = "cks_"
	accessKind  = "cka_"
	refreshKind = "ckr_"
	secretChars = 43
	checkChars  = 6
	tokenLen    = len(sessionKind) + secretChars + checkChars
)

// Token is the secret that a client presents. It cannot be printed, logged or
// marshalled by accident: only Reveal gives its text.
type Token struct{ text, refresh string }

const redacted = sessionKind + "[redacted]"

// Reveal returns the text that the client is to present.
func (t Token) Reveal() string { return t.text }

// Refresh returns the token that Renew takes, which comes with that of a renewable
// session. Otherwise it is the zero Token, whose text is "".
func (t Token) Refresh() Token { return Token{text: t.refresh} }

// kindOf is the kind of the tokens that a check takes, of a session whose token travels
// in the header or in a cookie.
func kindOf(bearer bool) string {
	if bearer {
		return accessKind
	}
	return sessionKind
}

// String hides the token.
func (t Token) String() string { return redacted }

// GoString hides the token from %#v.
func (t Token) GoString() string { return redacted }

// Format hides the token from every verb of package fmt.
func (t Token) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue hides the token from package slog.
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the token from encoding/json and its like.
func (t Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// newText returns the text of a fresh token, and what a store may know of it.
func newText(key *[32]byte, kind string) (string, Hash) {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails: crypto/rand ends the program instead
	return textOf(key, kind, &secret)
}

func textOf(key *[32]byte, kind string, secret *[32]byte) (string, Hash) {
	text := kind + base64.RawURLEncoding.EncodeToString(secret[:])
	text += checksum(key, text)
	return text, sha256.Sum256([]byte(text))
}

func checksum(key *[32]byte, body string) string {
	mac := hmac.New(sha256.New, key[:])
	_, _ = io.WriteString(mac, body)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))[:checkChars]
}

// genuine reports whether a text of a token's length was made under the key. It
// is asked before a load, not before a look-up in the cache.
func genuine(key *[32]byte, text string) bool {
	body, sum := text[:tokenLen-checkChars], text[tokenLen-checkChars:]
	return hmac.Equal([]byte(checksum(key, body)), []byte(sum))
}

// hashToken returns the hash of a text that may be a session's token; ok is false
// for one of another length or kind. It allocates nothing. The alphabet is not looked
// at: a text with a letter too many has a hash that nothing was stored under,
// and a checksum that is wrong.
func hashToken(text string) (hash Hash, ok bool) {
	if len(text) != tokenLen || text[:len(sessionKind)] != sessionKind && text[:len(accessKind)] != accessKind {
		return Hash{}, false
	}
	var block [tokenLen]byte // on the stack; []byte(text) would be on the heap
	copy(block[:], text)
	return sha256.Sum256(block[:]), true
}
