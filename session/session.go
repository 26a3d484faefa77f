package session

import (
	"crypto/rand"
	"encoding/base32"
	"iter"
	"strings"
	"time"
)

// ID names a session in public: in a device list, in an audit entry. It is not
// a secret and opens nothing.
type ID [16]byte

var idText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID returns a random ID.
func NewID() ID {
	var id ID
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the program instead
	return id
}

// ParseID is the inverse of ID.String. It accepts one spelling only; anything
// else is ErrNoSession, since no session has such an id.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 26 {
		return ID{}, ErrNoSession
	}
	if n, err := idText.Decode(id[:], []byte(s)); err != nil || n != len(id) || id.String() != s {
		return ID{}, ErrNoSession
	}
	return id, nil
}

// String returns the id as 26 lower-case letters and digits.
func (id ID) String() string { return idText.EncodeToString(id[:]) }

// IsZero reports whether id names no session.
func (id ID) IsZero() bool { return id == ID{} }

// Methods is the set of ways in which a session was authenticated.
type Methods uint16

// The registered methods. Their values are stored; none is ever renumbered.
const (
	Password Methods = 1 << iota
	TOTP
	Passkey
	Recovery
	Federated // an OpenID provider
	Link      // a one-time link
)

var methodNames = [16]string{"password", "totp", "passkey", "recovery", "federated", "link"}

// Names yields the names of the methods in m, in the order of registration.
// Methods that this version does not know are left out.
func (m Methods) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, name := range methodNames {
			if m&(1<<i) != 0 && name != "" && !yield(name) {
				return
			}
		}
	}
}

// Client describes what a session was issued to, for the device list. The
// application gives it; nothing is decided by it.
type Client struct {
	UserAgent string // at most 512 bytes; longer is cut
	Address   string // IP address, without a port
	Label     string // a name that its owner gave it
}

// Session is a valid session, as it was when a check accepted it: a small
// value that nothing changes afterwards. Its strings alias immutable memory
// that a node shares among sessions; use strings.Clone on what is kept for long.
//
// Times are whole seconds of the store's clock and for display only. How long
// ago the session was authenticated is judged by Age, on the monotonic clock.
// The zero Session is nobody's.
type Session struct {
	id            ID
	who           identity
	created       int64 // this and the next four: Unix seconds by the store's clock
	authenticated int64
	idle          int64
	absolute      int64
	ends          int64 // of the token
	age           time.Duration
	level         uint8
	methods       Methods
}

// ID returns the session's public name.
func (s Session) ID() ID { return s.id }

// Subject returns whom the session speaks for.
func (s Session) Subject() string { return s.who.subject() }

// Name returns the profile's name.
func (s Session) Name() string { return s.who.field(fieldName) }

// Email returns the profile's email address, verified or not.
func (s Session) Email() string { return s.who.field(fieldEmail) }

// EmailVerified reports whether the address was shown to be the subject's.
func (s Session) EmailVerified() bool { return s.who.emailVerified() }

// Attributes returns the profile's JSON document, or "".
func (s Session) Attributes() string { return s.who.field(fieldAttributes) }

// Roles yields the profile's roles in their order.
func (s Session) Roles() iter.Seq[string] {
	return func(yield func(string) bool) {
		rest := s.who.field(fieldRoles)
		for rest != "" {
			var role string
			role, rest, _ = strings.Cut(rest, ",")
			if !yield(role) {
				return
			}
		}
	}
}

// RoleList returns the roles joined by commas, as the header Remote-Groups
// carries them. A role holds no comma.
func (s Session) RoleList() string { return s.who.field(fieldRoles) }

// HasRole reports whether the profile has the role.
func (s Session) HasRole(role string) bool {
	for r := range s.Roles() {
		if r == role {
			return true
		}
	}
	return false
}

// CreatedAt returns when the session began. It survives re-authentication.
func (s Session) CreatedAt() time.Time { return time.Unix(s.created, 0).UTC() }

// AuthenticatedAt returns when its owner last proved who they are.
func (s Session) AuthenticatedAt() time.Time { return time.Unix(s.authenticated, 0).UTC() }

// IdleExpiresAt returns when the session ends if it is not used again. A check
// answered from memory may show a time up to a minute too early, never too late.
func (s Session) IdleExpiresAt() time.Time { return time.Unix(s.idle, 0).UTC() }

// ExpiresAt returns when the session ends whatever happens.
func (s Session) ExpiresAt() time.Time { return time.Unix(s.absolute, 0).UTC() }

// TokenExpiresAt returns when the token ends that was checked: that of a renewable
// session is to be renewed before. Any other lives as long as its session.
func (s Session) TokenExpiresAt() time.Time { return time.Unix(s.ends, 0).UTC() }

// Age returns how long before the check the session was last authenticated.
func (s Session) Age() time.Duration { return s.age }

// Level returns the level of assurance: 1 for one factor, 2 for two.
func (s Session) Level() int { return int(s.level) }

// Methods returns how the session was authenticated.
func (s Session) Methods() Methods { return s.methods }

// Details is a session as its owner's device list shows it.
type Details struct {
	ID              ID
	CreatedAt       time.Time
	AuthenticatedAt time.Time
	LastSeenAt      time.Time
	IdleExpiresAt   time.Time
	ExpiresAt       time.Time
	Level           int
	Methods         Methods
	Client          Client
	Bearer          bool // its token travels in the Authorization header
}
