package password

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// What the filter refuses. Both are for new passwords only: at a sign-in nothing
// tells what a password is made of.
var (
	ErrCommon     = errors.New("the password is among those that are guessed first")
	ErrContextual = errors.New("the password holds little more than your name, your address or the name of this service")
)

// The filter compares the whole of a password with what is guessed first (NIST
// SP 800-63B-4, 3.1.1.2; OWASP ASVS 6.2.4, 6.2.11, 6.2.12). Few listed passwords
// have fifteen characters, and people make them longer with what lies at hand;
// so a password is refused if it can be cut, from its first character to its
// last, into
//
//   - words of the list, also where digits and signs stand for some of the
//     letters (p4$$w0rd),
//   - patterns: a character repeated, the alphabet or the digits up or down, keys
//     side by side, a year; they count as nothing,
//   - a repetition of what came before, which counts as nothing,
//   - own words, which count as nothing: those of the person's name and address,
//     and of the service,
//   - fillers: other digits, spaces and signs,
//
// with at most mostWords different words and mostFill fillers; each word fewer
// allows wordFill more of these. A short block that is repeated to the end is
// refused whatever it is. Upper case and accents make no difference.
//
// One letter that belongs to nothing lets a password pass, and so does a third
// word: three random words are what people are widely advised to take, and the
// filter is for what is guessed first, not a measure of strength.
const (
	mostWords     = 2
	mostFill      = 6
	wordFill      = 2
	shortestWord  = 3
	longestBlock  = 7 // shorter than any password that NIST allows
	shortestAgain = 4
)

// refuse reports why a new password is refused that keeps the rules of length
// and characters. own are words of the person and of the service.
func refuse(password string, own []string) error {
	t := newText(password)
	switch {
	case t.repeats(longestBlock):
		return fmt.Errorf("%w: it is one short part over and over; put together four words that have nothing to do with each other", ErrCommon)
	case !fewParts(t, common(), own):
		return nil
	case len(own) == 0 || fewParts(t, common(), nil):
		return fmt.Errorf("%w: it is made of a common word or two, or of a pattern; put together four words that have nothing to do with each other", ErrCommon)
	}
	return fmt.Errorf("%w: put together four words that have nothing to do with you", ErrContextual)
}

// ownWords returns the words of names, addresses and hosts, as they are and
// without their digits. Three letters are enough, since a word counts only where
// all the rest of a password is as poor.
func ownWords(texts ...string) []string {
	var words []string
	for _, s := range texts {
		for _, token := range strings.FieldsFunc(fold(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			parts := strings.FieldsFunc(token, unicode.IsDigit)
			for _, word := range append(parts, token) {
				if len([]rune(word)) >= shortestWord && strings.ContainsFunc(word, unicode.IsLetter) {
					words = append(words, word)
				}
			}
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// fewest says, for each number of words, with how few fillers among them a
// beginning of the password can be cut; it is never where that is too many.
type fewest [mostWords + 1]int

const never = 1 << 20 // more fillers than a password has characters

// mostFor is how many fillers a password with so many words is refused with.
func mostFor(words int) int { return mostFill + wordFill*(mostWords-words) }

var nowhere = func() (f fewest) {
	for words := range f {
		f[words] = never
	}
	return f
}()

// cutting is the search for the poorest way to cut a password.
type cutting struct {
	text
	upTo []fewest // of the characters before each place
	seen map[string]struct{}
}

// fewParts reports whether a password is refused with the words of the list and
// one's own, which count as nothing. It goes once from the beginning to the
// end, does nothing at a place that no cut leads to which is poor enough, and the
// work at a place does not grow with the password.
func fewParts(t text, listed list, own []string) bool {
	c := cutting{text: t, upTo: slices.Repeat([]fewest{nowhere}, t.len()+1), seen: map[string]struct{}{}}
	c.upTo[0] = fewest{}
	for at := range t.len() {
		c.remember(at)
		if c.upTo[at] == nowhere {
			continue
		}
		c.words(at, listed)
		c.patterns(at)
		c.again(at)
		c.own(at, own)
		if r := t.runes[at]; !unicode.IsLetter(r) {
			c.part(at, at+1, 0, 1)
		}
	}
	return c.upTo[t.len()] != nowhere
}

// part says that the characters between two places are a part, and what it
// counts for.
func (c *cutting) part(from, to, words, fill int) {
	for w := 0; w+words <= mostWords; w++ {
		if total := c.upTo[from][w] + fill; total <= mostFor(w+words) {
			c.upTo[to][w+words] = min(c.upTo[to][w+words], total)
		}
	}
}

func (c *cutting) words(at int, listed list) {
	for to := at + 1; to <= min(at+listed.longest, c.len()); to++ {
		if c.listed(at, to, listed) {
			c.part(at, to, 1, 0)
		}
	}
}

// listed asks once for each reading that there is.
func (c *cutting) listed(at, to int, listed list) bool {
	for i, r := range c.readings {
		word := c.cut(r, at, to)
		if (i == 0 || word != c.cut(c.readings[0], at, to)) && listed.has(word) {
			return true
		}
	}
	return false
}

func (c *cutting) patterns(at int) {
	if isYear(c.runes[at:]) {
		c.part(at, at+4, 0, 0)
	}
	for to := at + shortestPattern; to <= at+patternLength(c.runes[at:]); to++ {
		c.part(at, to, 0, 0)
	}
}

// again takes pieces of up to seven characters, as every longer one is made of
// pieces of four to seven.
func (c *cutting) again(at int) {
	for to := at + shortestAgain; to <= min(at+2*shortestAgain-1, c.len()); to++ {
		if _, ok := c.seen[c.cut(c.readings[0], at, to)]; ok {
			c.part(at, to, 0, 0)
		}
	}
}

// remember keeps the pieces that end at a place, for again.
func (c *cutting) remember(at int) {
	for from := at - shortestAgain; from >= max(0, at-2*shortestAgain+1); from-- {
		c.seen[c.cut(c.readings[0], from, at)] = struct{}{}
	}
}

func (c *cutting) own(at int, own []string) {
	for _, reading := range c.readings {
		rest := reading[c.starts[at]:]
		for _, word := range own {
			if strings.HasPrefix(rest, word) {
				c.part(at, at+len([]rune(word)), 0, 0)
			}
		}
	}
}
