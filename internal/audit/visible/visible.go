// Package visible spells text that came from outside so that a person who reads
// it sees all of it.
package visible

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const ellipsis = "…"

// Text returns s with whatever is not seen, or changes how what follows is
// seen, in the spelling of a Go string literal, and cut to at most limit bytes.
// Its work is bounded by limit, whatever the length of s.
func Text(s string, limit int) string {
	if len(s) <= limit && !strings.ContainsFunc(s, notPlain) {
		return s
	}
	if limit < len(ellipsis) {
		return ""
	}
	out := make([]byte, 0, limit)
	room := 0 // how much of out leaves room for the ellipsis
	for rest := s; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		piece := spell(r, rest[:size])
		rest = rest[size:]
		if len(out)+len(piece) > limit {
			return string(out[:room]) + ellipsis
		}
		if out = append(out, piece...); len(out) <= limit-len(ellipsis) {
			room = len(out)
		}
	}
	return string(out)
}

func notPlain(r rune) bool { return r < ' ' || r > '~' }

// spell returns the character as it is, if it is seen, and escaped otherwise:
// control and format characters, all spaces but the ASCII one, letters that are
// drawn as nothing, and bytes that are no UTF-8.
func spell(r rune, as string) string {
	switch {
	case r == utf8.RuneError && len(as) == 1:
		return fmt.Sprintf(`\x%02x`, as[0])
	case unicode.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return as
	}
	return strings.Trim(strconv.QuoteRuneToASCII(r), "'")
}
