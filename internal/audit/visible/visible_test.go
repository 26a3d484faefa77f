package visible_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"cloakroom/internal/audit/visible"
)

func TestWhatIsNotSeenIsEscaped(t *testing.T) {
	for text, want := range map[string]string{
		"Mozilla/5.0 (é 漢) \\n":  "Mozilla/5.0 (é 漢) \\n",
		"a\x00b\r\n\x7f\u0085":   `a\x00b\r\n\x7f\u0085`,
		"a\u2028b\u00a0c":        `a\u2028b\u00a0c`,
		"\u202eevil\u2066\u200d": `\u202eevil\u2066\u200d`,
		"\u3164\ufe0f\u034f":     `\u3164\ufe0f\u034f`, // a filler, a variation selector, a joiner
		"\xff\xc3(\xed\xa0\x80":  `\xff\xc3(\xed\xa0\x80`,
		"\ufffd":                 "\ufffd",
	} {
		if got := visible.Text(text, 60); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestWhatIsTooLongIsCutBetweenCharacters(t *testing.T) {
	for text, want := range map[string]string{
		"0123456789":         "0123456789",
		"01234567890":        "0123456…",
		"01234567é":          "01234567é",
		"01234567é!":         "0123456…",
		"012345éé":           "012345éé",
		"012345ééé":          "012345…", // é would not leave room
		"01234é\x00":         "01234é…",
		"\x00\x00\x00":       `\x00…`,
		"\u2028\u2028\u2028": `\u2028…`,
	} {
		if got := visible.Text(text, 10); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("Mozilla/5.0\x00\u2028\xff", 16)
	f.Add(strings.Repeat("é", 300), 512)
	f.Add(strings.Repeat("\xff", 130)+"…", 512)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = int(uint(limit) % 600)
		got := visible.Text(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || visible.Text(got, limit) != got ||
			strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q to %d bytes: %q, %d bytes", s, limit, got, len(got))
		}
	})
}
