package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

const (
	minPassword = 15   // characters: it stands alone (NIST SP 800-63B-4, 3.1.1.2)
	maxPassword = 1024 // bytes: a longer one is refused, never cut

	saltSize = 16
	keySize  = 32
)

var (
	// errBusy means that too many passwords are being hashed: an outage, and
	// not a wrong password.
	errBusy = errors.New("too many passwords are being hashed")

	errDamaged = errors.New("a stored hash cannot be read")
)

// cost is what a guess costs, and we pay with each sign-in.
type cost struct {
	memory, time uint32 // KiB, passes
	threads      uint8
}

// passwords hashes and verifies, a bounded number at a time: each takes 19 MiB
// while it works, and a flood of sign-ins must not take all memory.
type passwords struct {
	cost  cost
	slots chan struct{} // one value for each password at work
	wait  time.Duration // how long one may wait for a slot
}

func newPasswords() passwords {
	slots := max(1, runtime.GOMAXPROCS(0)-1)
	return passwords{
		cost:  cost{memory: 19 << 10, time: 2, threads: 1},
		slots: make(chan struct{}, slots),
		wait:  3 * time.Second,
	}
}

// acceptable reports whether a password may be set.
func acceptable(password string) bool {
	return utf8.ValidString(password) && len(password) <= maxPassword &&
		utf8.RuneCountInString(norm.NFC.String(password)) >= minPassword
}

// hash returns what is stored: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (p passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	key, err := p.derive(ctx, p.cost, salt, password)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.cost.memory, p.cost.time, p.cost.threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// verify reports whether the password is the one that was hashed, at the cost of
// that time.
func (p passwords) verify(ctx context.Context, hash, password string) (bool, error) {
	c, salt, want, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	key, err := p.derive(ctx, c, salt, password)
	return err == nil && subtle.ConstantTimeCompare(key, want) == 1, err
}

// waste costs what verify costs, for an address that nobody has: the time that
// an answer takes does not tell who is a member.
func (p passwords) waste(ctx context.Context, password string) error {
	_, err := p.derive(ctx, p.cost, make([]byte, saltSize), password)
	return err
}

func (p passwords) derive(ctx context.Context, c cost, salt []byte, password string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.wait, errBusy)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	// One password is typed in several ways; their normal form is the same.
	return argon2.IDKey(norm.NFC.Bytes([]byte(password)), salt, c.time, c.memory, c.threads, keySize), nil
}

func parseHash(hash string) (c cost, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return cost{}, nil, nil, errDamaged
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil {
		return cost{}, nil, nil, errDamaged
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(key) != keySize || c.time == 0 || c.threads == 0 {
		return cost{}, nil, nil, errDamaged
	}
	return c, salt, key, nil
}
