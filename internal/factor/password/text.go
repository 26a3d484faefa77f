package password

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// text is a password as the filter reads it.
type text struct {
	runes []rune
	// readings are the folded password as it is, and with the digits and signs
	// that stand for letters read as those, where 1 is l in one and i in the
	// other. A character has the same bytes' place in each.
	readings [3]string
	starts   []int // the first byte of each character, and the end
}

var (
	leetL = strings.NewReplacer("0", "o", "1", "l", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s")
	leetI = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s")
)

func newText(password string) text {
	plain := fold(password)
	t := text{runes: []rune(plain), readings: [3]string{plain, leetL.Replace(plain), leetI.Replace(plain)}}
	for start := range plain {
		t.starts = append(t.starts, start)
	}
	t.starts = append(t.starts, len(plain))
	return t
}

// fold makes those spellings equal that a guesser tries together: upper and
// lower case, letters with and without accents.
func fold(s string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if r >= 0x300 && r <= 0x36f { // an accent of the letter before
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s)))
}

func (t text) len() int { return len(t.runes) }

// cut returns the characters of a reading between two places.
func (t text) cut(reading string, from, to int) string {
	return reading[t.starts[from]:t.starts[to]]
}

// repeats reports whether the text is a block of at most longest characters,
// again and again; the last one may be cut off.
func (t text) repeats(longest int) bool {
	for block := 1; block <= min(longest, t.len()/2); block++ {
		at := block
		for at < t.len() && t.runes[at] == t.runes[at-block] {
			at++
		}
		if at == t.len() {
			return true
		}
	}
	return false
}
