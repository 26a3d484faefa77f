package password

import (
	"errors"
	"strings"
	"testing"
)

var cheap = Params{Memory: 64, Time: 1, Threads: 1}

func newCheap() *Hasher { return New(Config{Params: cheap}) }

// hashOf hashes without Check, as a test may want what nobody may set.
func hashOf(t *testing.T, h *Hasher, password string) string {
	t.Helper()
	hash, err := h.Hash(t.Context(), Place{Rank: Last}, password)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func verifies(t *testing.T, h *Hasher, hash, password string) bool {
	t.Helper()
	mine, err := h.Turn(t.Context(), Place{Rank: Last})
	if err != nil {
		t.Fatal(err)
	}
	defer mine.End()
	ok, _, err := mine.Verify(hash, password)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestTheRulesOfAPassword(t *testing.T) {
	h := newCheap()
	var wide256 string
	for i := range rune(256) {
		wide256 += string('😀' + i*37%256)
	}
	for name, c := range map[string]struct {
		password string
		want     error
	}{
		"15 letters":                    {"bdfhjlnprtvxzac", nil},
		"14 letters":                    {"bdfhjlnprtvxza", ErrTooShort},
		"15 letters of two bytes":       {"éàüöäßñçåøæþðêë", nil},
		"8 emoji are 8 characters":      {strings.Repeat("🔑", 8), ErrTooShort},
		"counted after composing":       {strings.Repeat("e\u0301", 14), ErrTooShort},
		"256 characters of four bytes":  {wide256, nil},
		"one byte beyond the cap":       {wide256 + "a", ErrTooLong},
		"spaces on both ends":           {"  with two spaces  ", nil},
		"NUL":                           {"fifteen letters\x00", ErrCharacters},
		"line feed":                     {"fifteen letters\n", ErrCharacters},
		"C1 control":                    {"fifteen letters\u0085", ErrCharacters},
		"not UTF-8":                     {"fifteen letters\xff", ErrCharacters},
		"no rules on what it is of":     {"mzqvkxwjhtpgbrd", nil},
		"invisible but on no blacklist": {"fifteenth lettre\u200d", nil},
		"guessed first":                 {"aaaaaaaaaaaaaaaa", ErrCommon},
	} {
		t.Run(name, func(t *testing.T) {
			err := h.Check(c.password)
			if !errors.Is(err, c.want) {
				t.Fatalf("Check says %v, want %v", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), c.password) {
				t.Errorf("the refusal repeats the password: %v", err)
			}
		})
	}
}

func TestOnlyTheSamePasswordVerifies(t *testing.T) {
	h := newCheap()
	const set = "Passé composé, encore"
	hash := hashOf(t, h, set)
	if !verifies(t, h, hash, set) || !verifies(t, h, hash, strings.ReplaceAll(set, "é", "e\u0301")) {
		t.Error("the password does not verify in both of its spellings")
	}
	long := strings.Repeat("x", MaxBytes)
	if verifies(t, h, hashOf(t, h, long), long[:72]) {
		t.Error("the first 72 bytes verify")
	}
	for _, other := range []string{"", strings.ToUpper(set), set + " ", " " + set, set + "\x00", set[:len(set)-1]} {
		if verifies(t, h, hash, other) {
			t.Errorf("%q verifies", other)
		}
	}
}

func TestEqualPasswordsHaveDifferentHashes(t *testing.T) {
	h := newCheap()
	if a, b := hashOf(t, h, "same same same same"), hashOf(t, h, "same same same same"); a == b {
		t.Errorf("twice %s", a)
	}
}

func TestTheDefaultCostIsTheOneThatIsPromised(t *testing.T) {
	hash := hashOf(t, New(Config{}), "correct horse battery staple")
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Error(hash)
	}
}

func TestAHashOfAnotherCostIsStaleOnceItVerified(t *testing.T) {
	old := hashOf(t, newCheap(), "correct horse battery staple")
	h := New(Config{Params: Params{Memory: 128, Time: 1, Threads: 1}})
	mine := Turn{h, &party{}}
	if ok, stale, err := mine.Verify(old, "correct horse battery staple"); !ok || !stale || err != nil {
		t.Errorf("ok %v, stale %v, %v", ok, stale, err)
	}
	if ok, stale, err := mine.Verify(old, "wrong"); ok || stale || err != nil {
		t.Errorf("a wrong password: ok %v, stale %v, %v", ok, stale, err)
	}
}

func TestADamagedHashIsAnErrorAndNotAWrongPassword(t *testing.T) {
	if ok, _, err := (Turn{newCheap(), &party{}}).Verify("$argon2id$damaged", "x"); ok || err == nil {
		t.Errorf("ok %v, %v", ok, err)
	}
}
