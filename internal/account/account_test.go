package account

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestAnAddressHasOneForm(t *testing.T) {
	for text, want := range map[string]string{
		"ada@example.com":                     "ada@example.com",
		"Ada.Lovelace+Test@EXAMPLE.com":       "ada.lovelace+test@example.com",
		"jose\u0301@example.com":              "josé@example.com",
		"JOSÉ@BÜCHER.example":                 "josé@xn--bcher-kva.example",
		"josé@bu\u0308cher.example":           "josé@xn--bcher-kva.example",
		"josé@XN--BCHER-KVA.Example":          "josé@xn--bcher-kva.example",
		"ada@ｅxample.com":                     "ada@example.com", // a full-width e
		"ada@example。com":                     "ada@example.com", // an ideographic full stop
		"ada@straße.example":                  "ada@xn--strae-oqa.example",
		"ada@r3---sn.example":                 "ada@r3---sn.example",
		"\u212Aelvin@example.com":             "kelvin@example.com", // the Kelvin sign
		"o'brien!#$%&*/=?^_`{|}~@x":           "o'brien!#$%&*/=?^_`{|}~@x",
		strings.Repeat("a", 64) + "@x.y":      strings.Repeat("a", 64) + "@x.y",
		"a@" + strings.Repeat("b", 63) + ".c": "a@" + strings.Repeat("b", 63) + ".c",
	} {
		if got, err := CanonicalEmail(text); got != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestLookAlikesAreDifferentAddresses(t *testing.T) {
	seen := make(map[string]string)
	for _, text := range []string{
		"ada@example.com",
		"\u0430da@example.com", "ad\u0430@example.com", // a Cyrillic a
		"ada@ex\u0430mple.com", "ada@exampl\u0435.com",
		"\uff41da@example.com", // a full-width a, which only form KC takes for an a
		"a.da@example.com", "ada+x@example.com",
		"ada@strasse.example", "ada@straße.example",
	} {
		got, err := CanonicalEmail(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q are one", text, other)
		}
		seen[got] = text
		if _, domain, _ := strings.Cut(got, "@"); strings.ContainsFunc(domain, func(r rune) bool { return r > '~' }) {
			t.Errorf("%q: a domain that can be mistaken for another: %q", text, got)
		}
	}
}

func TestAPrefixIsFoundAsItIsStored(t *testing.T) {
	for typed, want := range map[string]string{
		"": "", "ADA": "ada", "Jose\u0301": "josé", "ada@": "ada@", "Ada@Exam": "ada@exam", "ada@example.": "ada@example.",
		"ada@bücher": "ada@xn--bcher-kva", "a b": "a b", "\xff": "\ufffd", "a\x00": "a\x00",
	} {
		if got := EmailPrefix(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func TestWhatIsNoAddressIsRefusedWithTheRule(t *testing.T) {
	for _, text := range []string{
		"", "@", "ada", "@example.com", "ada@", "ada@@example.com", "a@b@c", "ada@.com", "ada@example..com",
		"ada@example.com.", "ada@-example.com", "ada@example-.com",
		" ada@example.com", "ada@example.com ", "a da@example.com", "ada@exam\u00a0ple.com", "ada\t@example.com",
		"ada\x00@example.com", "ada@example.com\n", "ada\u0085@example.com", "ada\xff@example.com",
		"ada\u202e@example.com", "ada\u200b@example.com", "ada\u2066@example.com", "ada\u3164@example.com", "ada\ufe0f@example.com", "ada\u034f@example.com",
		`"ada"@example.com`, "<ada@example.com>", "ada@[127.0.0.1]", "ada,eve@example.com", "a:b@example.com", `a\b@example.com`,
		"ada@exa_mple.com", "ada@xn--.com", "ada@xn--a.com", "ada@xn--example-.com", "ada@a\u0301\u05d0.com", "ada@\u0301a.com",
		strings.Repeat("a", 60) + "@" + strings.Repeat("ü", 55) + "." + strings.Repeat("ö", 55) + "." + strings.Repeat("ä", 55) + "." + strings.Repeat("é", 30),
		strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("b", 64) + ".com",
		"a@" + strings.Repeat("b.", 126) + "c", strings.Repeat("x", 1<<20) + "@example.com",
	} {
		got, err := CanonicalEmail(text)
		if got != "" || !errors.Is(err, ErrInvalidEmail) {
			t.Errorf("%.40q: %q, %v", text, got, err)
			continue
		}
		if len(text) > 3 && strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "it must") {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func FuzzCanonicalEmail(f *testing.F) {
	for _, seed := range []string{"Ada@Example.com", "jose\u0301@b.c", "\u0130@x.y", "\u1e9e@\u03a3.\u03c3", "a@b@c", "a@xn--bcher-kva.x", "a@\uff41。b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := CanonicalEmail(text)
		if err != nil {
			return
		}
		if again, err := CanonicalEmail(got); again != got || err != nil {
			t.Errorf("%q is %q, and that is %q (%v)", text, got, again, err)
		}
		if len(got) > maxEmail || strings.Count(got, "@") != 1 || !utf8.ValidString(got) {
			t.Errorf("%q is taken for an address", got)
		}
	})
}

func TestAnAccountsIDTellsWhenItWasCreated(t *testing.T) {
	before := time.Now().Truncate(time.Second)
	a, err := New("ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if a.CreatedAt.Before(before) || a.CreatedAt.After(time.Now()) || a.CreatedAt != CreatedAt(a.ID) || a.Status != Active {
		t.Errorf("%+v", a)
	}
	if got := CreatedAt("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"); !got.Equal(time.Date(2022, 2, 22, 19, 22, 22, 0, time.UTC)) {
		t.Errorf("the example of RFC 9562 was created at %v", got)
	}
	for _, id := range []string{"", "ada", "919108f7-52d1-4320-9bac-f847db4148a8"} {
		if got := CreatedAt(id); !got.IsZero() {
			t.Errorf("%q was created at %v", id, got)
		}
	}
}
