package session

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of what a subject may carry.
const (
	MaxSubject    = 128  // bytes of a subject's name
	MaxName       = 256  // bytes of Profile.Name
	MaxEmail      = 254  // bytes of Profile.Email (RFC 5321, 4.5.3.1.3)
	MaxRoles      = 64   // roles of a profile
	MaxRole       = 64   // bytes of a role
	MaxAttributes = 4096 // bytes of Profile.Attributes
)

// Profile is what people put into JWT claims, kept on the subject. A change
// holds from the next check on this node and within Config.Delta anywhere.
type Profile struct {
	Name          string
	Email         string
	EmailVerified bool
	Roles         []string        // each of [A-Za-z0-9._:-]{1,64}; order is kept, no duplicates
	Attributes    json.RawMessage // one opaque JSON document, or empty
}

// SubjectInfo is a subject as the store holds it.
type SubjectInfo struct {
	Subject string
	Profile Profile
	Version uint64 // number of the log entry that last changed the subject, never 0; for SetProfile
	Deleted bool   // a tombstone: the subject signs in no more, and its profile is empty
}

// Equal reports whether p and q say the same.
func (p Profile) Equal(q Profile) bool {
	return p.Name == q.Name && p.Email == q.Email && p.EmailVerified == q.EmailVerified &&
		slices.Equal(p.Roles, q.Roles) && string(p.Attributes) == string(q.Attributes)
}

// Validate reports the first limit that p breaks as ErrInvalid. The message
// names the field and never repeats its value.
func (p Profile) Validate() error {
	switch {
	case len(p.Name) > MaxName || !plain(p.Name):
		return invalid("name must be UTF-8 without control characters and at most %d bytes", MaxName)
	case len(p.Email) > MaxEmail || !plain(p.Email):
		return invalid("email must be UTF-8 without control characters and at most %d bytes", MaxEmail)
	case len(p.Roles) > MaxRoles:
		return invalid("at most %d roles", MaxRoles)
	case len(p.Attributes) > MaxAttributes:
		return invalid("attributes must be at most %d bytes", MaxAttributes)
	case len(p.Attributes) > 0 && !json.Valid(p.Attributes):
		return invalid("attributes must be one JSON document")
	}
	for i, role := range p.Roles {
		if !validRole(role) || slices.Contains(p.Roles[:i], role) {
			return invalid("each role must match [A-Za-z0-9._:-]{1,%d} and stand once", MaxRole)
		}
	}
	return nil
}

// ValidSubject reports whether s can name a subject: 1 to 128 bytes of UTF-8
// without control characters.
func ValidSubject(s string) bool { return s != "" && len(s) <= MaxSubject && plain(s) }

func plain(s string) bool {
	for _, r := range s {
		if r < 0x20 || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return false
		}
	}
	return utf8.ValidString(s)
}

func validRole(s string) bool {
	if s == "" || len(s) > MaxRole {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.' || c == '_' || c == ':' || c == '-':
		default:
			return false
		}
	}
	return true
}

// identity is a subject and its profile as one immutable string, which the
// cache keeps outside the reach of the garbage collector's scan and a Session
// shows without copying. The layout:
//
//	0      length of the subject
//	1..    the subject
//	then   flags (1 byte: bit 0 email verified), then the lengths of name,
//	       email, roles and attributes (2 bytes each, big endian), then these;
//	       roles are joined by commas
type identity string

func newIdentity(subject string, p Profile) identity {
	roles := strings.Join(p.Roles, ",")
	b := make([]byte, 0, 1+len(subject)+9+len(p.Name)+len(p.Email)+len(roles)+len(p.Attributes))
	b = append(b, byte(len(subject)))
	b = append(b, subject...)
	var flags byte
	if p.EmailVerified {
		flags = 1
	}
	b = append(b, flags)
	for _, n := range []int{len(p.Name), len(p.Email), len(roles), len(p.Attributes)} {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	b = append(b, p.Name...)
	b = append(b, p.Email...)
	b = append(b, roles...)
	b = append(b, p.Attributes...)
	return identity(b)
}

const (
	fieldName = iota
	fieldEmail
	fieldRoles
	fieldAttributes
)

func (b identity) subject() string {
	if b == "" {
		return ""
	}
	return string(b[1 : 1+int(b[0])])
}

func (b identity) emailVerified() bool { return b != "" && b[1+int(b[0])]&1 != 0 }

func (b identity) field(which int) string {
	if b == "" {
		return ""
	}
	lengths := 2 + int(b[0])
	start := lengths + 8
	for i := range which {
		start += b.length(lengths, i)
	}
	return string(b[start : start+b.length(lengths, which)])
}

func (b identity) length(at, which int) int {
	return int(b[at+2*which])<<8 | int(b[at+2*which+1])
}
