// Package password is the factor "something you know": what makes a password
// acceptable, how it is hashed, and how many are hashed at a time.
//
// A password is brought into Unicode normalization form C before it is hashed
// and otherwise taken as it is: nothing is trimmed, folded or cut (NIST SP
// 800-63B-4, 3.1.1.2). The package knows no HTTP and no SQL.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"runtime"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The rules of Check and what they are called when they are broken.
var (
	ErrTooShort   = errors.New("the password is too short")
	ErrTooLong    = errors.New("the password is too long")
	ErrCharacters = errors.New("the password has characters that cannot be used")
)

// MaxBytes is the longest password, in bytes of its normalized form: 1024, so
// 256 of the widest characters. A longer one is refused, never cut.
const MaxBytes = 1024

// Config says how passwords are hashed. A zero field means the default beside it.
type Config struct {
	// MinLength is how many characters (code points) a new password has at
	// least: 15, the floor where a password stands alone.
	MinLength int
	// Params is the cost of a hash: DefaultParams.
	Params Params
	// Slots is how many passwords are hashed at a time: one less than there are
	// processors, at least one, so that a flood of sign-ins leaves a processor
	// to the checks. Each takes Params.Memory while it works, 19 MiB.
	Slots int
	// Queue is how many may wait for a slot: 32 for each. Beyond it ErrBusy, for
	// whoever would go last.
	Queue int
	// Wait is how long one may wait: 3 s. Beyond it ErrBusy.
	Wait time.Duration
	// Words are what the service is known by, such as its name and its host:
	// a new password must not be made of them. None.
	Words []string
}

// Hasher hashes and verifies passwords, a bounded number at a time. It is safe
// for concurrent use and starts nothing.
type Hasher struct {
	cfg   Config
	words []string // of the service, as the filter compares them
	pool  *pool
}

// New returns a Hasher.
func New(cfg Config) *Hasher {
	cfg.MinLength = orDefault(cfg.MinLength, 15)
	cfg.Params = orDefault(cfg.Params, DefaultParams)
	cfg.Slots = orDefault(cfg.Slots, max(1, runtime.GOMAXPROCS(0)-1))
	cfg.Queue = orDefault(cfg.Queue, 32*cfg.Slots)
	cfg.Wait = orDefault(cfg.Wait, 3*time.Second)
	return &Hasher{cfg: cfg, words: ownWords(cfg.Words...), pool: newPool(cfg.Slots, cfg.Queue, cfg.Wait)}
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// MinLength returns how many characters a new password has at least.
func (h *Hasher) MinLength() int { return h.cfg.MinLength }

// Check reports why a password cannot be set by a person of whom the texts, such
// as name and address, are known. The error is ErrTooShort, ErrTooLong,
// ErrCharacters, ErrCommon or ErrContextual; it states the rule, with what to do
// instead, and never the password. Control characters are refused because no
// keyboard gives them back, NUL among them.
func (h *Hasher) Check(password string, known ...string) error {
	switch normal := norm.NFC.String(password); {
	case !utf8.ValidString(password):
		return fmt.Errorf("%w: it must be UTF-8", ErrCharacters)
	case len(normal) > MaxBytes:
		return fmt.Errorf("%w: it may have at most %d bytes", ErrTooLong, MaxBytes)
	case hasControl(normal):
		return fmt.Errorf("%w: it must not have control characters", ErrCharacters)
	case utf8.RuneCountInString(normal) < h.cfg.MinLength:
		return fmt.Errorf("%w: it must have at least %d characters", ErrTooShort, h.cfg.MinLength)
	}
	return refuse(password, append(ownWords(known...), h.words...))
}

func hasControl(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) {
			return true
		}
	}
	return false
}

// Turn is one of the slots, until End: the right to hash, one password after the
// other. It is for one goroutine.
type Turn struct {
	hasher *Hasher
	of     *party
}

// Turn waits for a slot. It is ErrBusy if there are too many who wait, or after
// Config.Wait.
func (h *Hasher) Turn(ctx context.Context, at Place) (Turn, error) {
	of, err := h.pool.enter(ctx, at)
	if err != nil {
		return Turn{}, err
	}
	return Turn{h, of}, nil
}

// End gives the slot to who is next. It is called once, or EndWrong is.
func (t Turn) End() { t.hasher.pool.leave(t.of, false) }

// EndWrong is End after a wrong guess: whoever made it goes, for a minute or two,
// behind those who made none.
func (t Turn) EndWrong() { t.hasher.pool.leave(t.of, true) }

// Verify reports whether the password is the one that was hashed, and whether
// the hash should be renewed because the cost has changed since. A hash that
// cannot be read is an error, not a wrong password.
func (t Turn) Verify(hash, password string) (ok, stale bool, err error) {
	stored, err := parsePHC(hash)
	if err != nil {
		return false, false, err
	}
	key := derive(stored.params, password, stored.salt, len(stored.key))
	ok = subtle.ConstantTimeCompare(key, stored.key) == 1
	return ok, ok && stored.params != t.hasher.cfg.Params, nil
}

// Waste costs what verifying a password costs. It is for accounts that do not
// exist, so that time does not tell them from those that do.
func (t Turn) Waste(password string) {
	derive(t.hasher.cfg.Params, password, make([]byte, saltLen), keyLen)
}

// Hash returns the PHC string to be stored. A new password goes through Check
// first; one that was just verified need not.
func (t Turn) Hash(password string) string {
	var salt [saltLen]byte
	_, _ = rand.Read(salt[:]) // never fails: crypto/rand ends the program instead
	p := t.hasher.cfg.Params
	return phc{p, salt[:], derive(p, password, salt[:], keyLen)}.String()
}

// Hash is Turn.Hash in a turn of its own.
func (h *Hasher) Hash(ctx context.Context, at Place, password string) (string, error) {
	turn, err := h.Turn(ctx, at)
	if err != nil {
		return "", err
	}
	defer turn.End()
	return turn.Hash(password), nil
}
