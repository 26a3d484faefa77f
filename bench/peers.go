package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/golang-jwt/jwt/v5"
)

// claims are the ten that such tokens usually carry: iss, aud, sub, jti, exp,
// iat, nbf, and who it is.
type claims struct {
	jwt.RegisteredClaims
	Email string   `json:"email"`
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
}

const (
	issuer   = "https://id.example.com"
	audience = "https://app.example.com"
	hmacBits = 256
	rsaBits  = 2048
	// jwtTokens is how many tokens a peer verifies in turn. Its cost does not
	// depend on it, as ours does on the sessions, and some take long to sign.
	jwtTokens = 200
)

// jwtPeer verifies tokens as golang-jwt's users do, with the checks that keep
// a token for somebody else out.
type jwtPeer struct {
	parser *jwt.Parser
	key    jwt.Keyfunc
	tokens []string
}

func newJWTPeer(method jwt.SigningMethod) (*jwtPeer, error) {
	sign, verify, err := keys(method)
	if err != nil {
		return nil, err
	}
	p := &jwtPeer{
		parser: jwt.NewParser(jwt.WithValidMethods([]string{method.Alg()}),
			jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired()),
		key: func(*jwt.Token) (any, error) { return verify, nil },
	}
	now := time.Now()
	for i := range jwtTokens {
		text, err := jwt.NewWithClaims(method, claims{
			RegisteredClaims: jwt.RegisteredClaims{
				Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: subject(i), ID: rand.Text(),
				ExpiresAt: jwt.NewNumericDate(now.Add(24 * time.Hour)),
				IssuedAt:  jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now),
			},
			Email: userEmail, Name: userName, Roles: userRoles(),
		}).SignedString(sign)
		if err != nil {
			return nil, err
		}
		p.tokens = append(p.tokens, text)
	}
	return p, nil
}

// keys are a new key to sign with, and the one to verify with.
func keys(method jwt.SigningMethod) (sign, verify any, err error) {
	switch method {
	case jwt.SigningMethodHS256:
		secret := make([]byte, hmacBits/8)
		_, _ = rand.Read(secret) // never fails
		return secret, secret, nil
	case jwt.SigningMethodES256:
		sign, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jwt.SigningMethodRS256:
		sign, err = rsa.GenerateKey(rand.Reader, rsaBits)
	default:
		err = fmt.Errorf("no key for %s", method.Alg())
	}
	if err != nil {
		return nil, nil, err
	}
	return sign, sign.(crypto.Signer).Public(), nil
}

// verify parses a token and verifies signature and claims.
func (p *jwtPeer) verify(text string) (*claims, error) {
	var c claims
	if _, err := p.parser.ParseWithClaims(text, &c, p.key); err != nil {
		return nil, err
	}
	return &c, nil
}

// verifying verifies the next token each time.
func (p *jwtPeer) verifying() work {
	next := 0
	return func(n int) error {
		for range n {
			if _, err := p.verify(p.tokens[next]); err != nil {
				return err
			}
			next = (next + 1) % len(p.tokens)
		}
		return nil
	}
}

// scsPeer loads sessions of scs from its store in memory, n of them in turn,
// each with what a session of ours shows.
func scsPeer(ctx context.Context, n int) (work, error) {
	m := scs.New()
	m.Store = memstore.NewWithCleanupInterval(0)
	texts := make([]string, n)
	for i := range texts {
		ctx, err := m.Load(ctx, "")
		if err != nil {
			return nil, err
		}
		m.Put(ctx, "subject", subject(i))
		m.Put(ctx, "name", userName)
		m.Put(ctx, "email", userEmail)
		m.Put(ctx, "email_verified", true)
		m.Put(ctx, "roles", userRoles())
		if texts[i], _, err = m.Commit(ctx); err != nil {
			return nil, err
		}
	}
	next := 0
	return func(count int) error {
		for range count {
			loaded, err := m.Load(ctx, texts[next])
			if err != nil {
				return err
			}
			if !m.Exists(loaded, "subject") {
				return fmt.Errorf("scs does not know session %d", next)
			}
			next = (next + 1) % len(texts)
		}
		return nil
	}, nil
}

// hashAndClock is what no check of a token by its hash can do without: SHA-256
// of as many bytes as ours has, and one reading of the clock.
func hashAndClock() work {
	base := time.Now()
	return func(n int) error {
		// On this goroutine's stack: two of them share no line of the processor's
		// cache.
		var block [53]byte
		var sum byte
		var since time.Duration
		for range n {
			block[0]++
			digest := sha256.Sum256(block[:])
			sum ^= digest[0]
			since = time.Since(base)
		}
		if since < 0 {
			return fmt.Errorf("the clock went back (%d)", sum)
		}
		return nil
	}
}
