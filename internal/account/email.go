package account

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Limits of an address (RFC 5321, 4.5.3.1), in bytes of its canonical form.
const (
	maxEmail = 254
	maxLocal = 64
	maxLabel = 63
)

// CanonicalEmail returns the one form in which an address is stored, compared
// and looked up, so that what is unique and what is found are the same. Ways of
// writing one address come out alike:
//
//   - Both parts are in Unicode normalization form C and in lower case. Two
//     people whose addresses differ by case only do not exist in practice, and
//     taking them for two lets one be mistaken for the other.
//   - The domain is brought into the ASCII form in which it is looked up (UTS 46
//     without transitional rules, with the rules for text from right to left):
//     bücher.example, BÜCHER.example and xn--bcher-kva.example are one. So is a
//     domain in full-width letters.
//
// Ways of writing different addresses stay different:
//
//   - Letters of different scripts that look alike are different letters, as
//     they are to mail servers. In a domain the ASCII form shows the difference
//     to everybody who reads the address.
//   - The first part is not brought into normalization form KC, which takes
//     full-width letters or ligatures for plain ones: whose mailbox that is, is
//     the mail server's to say (RFC 6532, 3.1).
//   - Dots and +tags in the first part count.
//
// And what nobody can read out loud is refused:
//
//   - There is one @, 1 to 64 bytes before it, a host name after it whose labels
//     have 1 to 63 bytes, and 254 bytes in all, as they are stored.
//   - There are no spaces, control characters, invisible characters (marks of
//     direction, joiners, fillers), quotes, brackets, commas, colons or
//     backslashes.
//
// It is idempotent. The error is ErrInvalidEmail; it says which rule was broken
// and never repeats the address.
func CanonicalEmail(s string) (string, error) {
	if len(s) > 4*maxEmail || !utf8.ValidString(s) {
		return "", invalid("must be UTF-8 and at most %d bytes", maxEmail)
	}
	s = fold(s)
	local, domain, ok := strings.Cut(s, "@")
	switch {
	case !ok || strings.Contains(domain, "@"):
		return "", invalid("must have exactly one @")
	case strings.ContainsFunc(s, forbidden) || fold(s) != s:
		return "", invalid("must not have spaces, invisible characters or any of \"(),:;<>[]\\")
	case local == "" || len(local) > maxLocal:
		return "", invalid("must have 1 to %d bytes before the @", maxLocal)
	}
	host, ok := hostName(domain)
	if !ok {
		return "", invalid("must have a host name after the @")
	}
	if len(local)+1+len(host) > maxEmail {
		return "", invalid("must be at most %d bytes", maxEmail)
	}
	return local + "@" + host, nil
}

// EmailPrefix returns what the canonical forms of addresses begin with that
// begin as somebody has typed. A domain in other letters than ASCII finds what
// it should once its last label is complete.
func EmailPrefix(typed string) string {
	if whole, err := CanonicalEmail(typed); err == nil {
		return whole
	}
	return fold(typed)
}

// hosts maps a domain as it is looked up. Labels with two hyphens after two
// letters are in use and are let through; those of Punycode are held to it.
var hosts = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(false))

// hostName returns a domain's one form, in ASCII.
func hostName(domain string) (string, bool) {
	host, err := hosts.ToASCII(domain)
	if err != nil {
		return "", false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return "", false
		}
	}
	again, err := hosts.ToASCII(host)
	return host, err == nil && again == host
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
