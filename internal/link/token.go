package link

import "cloakroom/internal/secret"

const tokenKind = "ckl_"

// Token is the secret in a link. Only Reveal gives its text. The zero Token is
// none, and no link has it.
type Token struct{ secret.Text }

// Hash is the SHA-256 of a token's text: all that a store knows of it.
type Hash [32]byte

// NewToken returns a token that no link has yet.
func NewToken() Token { return Token{secret.New(tokenKind)} }

// ParseToken returns the token with this text, or false if none can have it.
// There is one spelling.
func ParseToken(text string) (Token, bool) {
	t, ok := secret.Parse(tokenKind, text)
	return Token{t}, ok
}

// Hash returns what a store may know of the token.
func (t Token) Hash() Hash { return t.Text.Hash() }
