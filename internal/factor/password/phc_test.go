package password

import (
	"strings"
	"testing"
)

const onePHC = "$argon2id$v=19$m=64,t=1,p=1$MTIzNDU2Nzg5MDEyMzQ1Ng$qLml3cXCCQCv3tQ3lGpBmIO4oNlpfAQVBMYOJx9tT8M"

func TestAPHCStringHasOneSpelling(t *testing.T) {
	if _, err := parsePHC(onePHC); err != nil {
		t.Fatalf("%s: %v", onePHC, err)
	}
	for name, change := range map[string][2]string{
		"another scheme":            {"argon2id", "argon2i"},
		"another version":           {"v=19", "v=16"},
		"a sign":                    {"m=64", "m=+64"},
		"a leading zero":            {"t=1", "t=01"},
		"no passes":                 {"t=1", "t=0"},
		"another order":             {"m=64,t=1", "t=1,m=64"},
		"a parameter more":          {"p=1", "p=1,x=1"},
		"a parameter less":          {",p=1", ""},
		"memory for the whole rack": {"m=64", "m=4294967295"},
		"too little memory":         {"m=64", "m=7"},
		"too many threads":          {"p=1", "p=255"},
		"padding":                   {"Ng$", "Ng==$"},
		"another alphabet":          {"qLml", "q-_l"},
		"bits beyond the end":       {"Ng$", "Nh$"},
		"a short salt":              {"MTIzNDU2Nzg5MDEyMzQ1Ng", "MTIz"},
		"a short key":               {"qLml3cXCCQCv3tQ3lGpBmIO4oNlpfAQVBMYOJx9tT8M", "qLml"},
		"a field more":              {"T8M", "T8M$"},
		"a line feed":               {"T8M", "T8M\n"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(onePHC, change[0], change[1], 1)
			if text == onePHC {
				t.Fatal("the case changes nothing")
			}
			if _, err := parsePHC(text); err == nil {
				t.Errorf("%s is read", text)
			}
		})
	}
}

func FuzzPHC(f *testing.F) {
	f.Add(onePHC)
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$$")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parsePHC(text)
		if err != nil {
			return
		}
		if h.String() != text {
			t.Errorf("%q is read and written as %q", text, h)
		}
		if h.params.Memory > maxMemory || h.params.Time > maxTime || h.params.Threads > maxThreads {
			t.Errorf("%q costs too much", text)
		}
	})
}
