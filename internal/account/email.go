package account

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of an address (RFC 5321, 4.5.3.1), in bytes of its canonical form.
const (
	maxEmail = 254
	maxLocal = 64
	maxLabel = 63
)

// CanonicalEmail returns the one form in which an address is stored, compared
// and looked up, so that what is unique and what is found are the same:
//
//   - Unicode normalization form C and lower case, in both parts. Two people
//     whose addresses differ by case only do not exist in practice, and taking
//     them for two lets one be mistaken for the other.
//   - One @, 1 to 64 bytes before it, host labels of 1 to 63 bytes after it,
//     254 bytes in all.
//   - No spaces, control characters, invisible characters (marks of direction,
//     joiners, fillers), quotes, brackets, commas, colons or backslashes.
//
// Nothing else is changed: dots and +tags in the first part count, and a domain
// in Unicode is not the one in Punycode. It is idempotent. The error is
// ErrInvalidEmail; it says which rule was broken and never repeats the address.
func CanonicalEmail(s string) (string, error) {
	if len(s) > 4*maxEmail || !utf8.ValidString(s) {
		return "", invalid("must be UTF-8 and at most %d bytes", maxEmail)
	}
	s = fold(s)
	if len(s) > maxEmail {
		return "", invalid("must be at most %d bytes", maxEmail)
	}
	local, domain, ok := strings.Cut(s, "@")
	switch {
	case !ok || strings.Contains(domain, "@"):
		return "", invalid("must have exactly one @")
	case strings.ContainsFunc(s, forbidden) || fold(s) != s:
		return "", invalid("must not have spaces, invisible characters or any of \"(),:;<>[]\\")
	case local == "" || len(local) > maxLocal:
		return "", invalid("must have 1 to %d bytes before the @", maxLocal)
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return "", invalid("must have a host name after the @")
		}
	}
	return s, nil
}

func fold(s string) string { return norm.NFC.String(strings.ToLower(norm.NFC.String(s))) }

// forbidden reports what has no place in an address. IsPrint leaves out control
// and format characters, unassigned ones and all spaces but the ASCII one.
func forbidden(r rune) bool {
	return !unicode.IsPrint(r) || r == ' ' || strings.ContainsRune(`"(),:;<>[]\`, r) ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: it %s", ErrInvalidEmail, fmt.Sprintf(format, args...))
}
