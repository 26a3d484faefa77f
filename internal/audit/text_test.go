package audit

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"cloakroom/session"
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
		if got := visible(text, 60); got != want {
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
		if got := visible(text, 10); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("Mozilla/5.0\x00\u2028\xff", 16)
	f.Add(strings.Repeat("é", 300), 512)
	f.Add(strings.Repeat("\xff", 130)+"…", 512)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = int(uint(limit) % 600)
		got := visible(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || visible(got, limit) != got ||
			strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q to %d bytes: %q, %d bytes", s, limit, got, len(got))
		}
	})
}

func TestAnEntryIsPreparedOnce(t *testing.T) {
	now := time.Date(2031, 5, 6, 7, 8, 9, 10, time.FixedZone("", 3600))
	facts := map[string]string{}
	for _, name := range strings.Split("abcdefghijklmnopqrst", "") {
		facts[strings.Repeat("\""+name, 40)] = strings.Repeat("\"<\x00", 4000)
	}
	e, err := Entry{Event: SignInRefused, Count: -1, Until: now.Add(-time.Hour), Detail: facts}.Prepare(now)
	if err != nil {
		t.Fatal(err)
	}
	whole := time.Date(2031, 5, 6, 6, 8, 9, 0, time.UTC)
	if e.At != whole || e.Until != whole || e.Count != 1 {
		t.Errorf("at %v until %v, %d times", e.At, e.Until, e.Count)
	}
	size := 2
	for name, fact := range e.Detail {
		size += len(name) + len(fact) + len(`"":"",`) + strings.Count(name+fact, `"`) + strings.Count(name+fact, `\`)
	}
	if len(e.Detail) != maxFacts || size > maxDetail+1 || size < maxDetail/4 {
		t.Errorf("%d facts of %d bytes", len(e.Detail), size)
	}
	again, err := e.Prepare(now.Add(time.Hour))
	if err != nil || !reflect.DeepEqual(again, e) {
		t.Errorf("got  %+v\nwant %+v", again, e)
	}
}

func TestOnlyWhatThereIsIsPrepared(t *testing.T) {
	for _, event := range Events() {
		if _, err := (Entry{Event: event}).Prepare(time.Now()); err != nil {
			t.Errorf("%s: %v", event, err)
		}
	}
	for _, e := range []Entry{{}, {Event: "signin"}, {Event: SignInRefused, Reason: "mood"}} {
		if _, err := e.Prepare(time.Now()); !errors.Is(err, session.ErrInvalid) {
			t.Errorf("%+v: %v", e, err)
		}
	}
}
