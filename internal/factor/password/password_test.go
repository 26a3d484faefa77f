package password

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

var cheap = Params{Memory: 64, Time: 1, Threads: 1}

func newCheap() *Hasher { return New(Config{Params: cheap}) }

// hashOf hashes without Check, as a test may want what nobody may set.
func hashOf(t *testing.T, h *Hasher, password string) string {
	t.Helper()
	hash, err := h.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func verifies(t *testing.T, h *Hasher, hash, password string) bool {
	t.Helper()
	ok, _, err := h.Verify(t.Context(), hash, password)
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
	if ok, stale, err := h.Verify(t.Context(), old, "correct horse battery staple"); !ok || !stale || err != nil {
		t.Errorf("ok %v, stale %v, %v", ok, stale, err)
	}
	if ok, stale, err := h.Verify(t.Context(), old, "wrong"); ok || stale || err != nil {
		t.Errorf("a wrong password: ok %v, stale %v, %v", ok, stale, err)
	}
}

func TestADamagedHashIsAnErrorAndNotAWrongPassword(t *testing.T) {
	if ok, _, err := newCheap().Verify(t.Context(), "$argon2id$damaged", "x"); ok || err == nil {
		t.Errorf("ok %v, %v", ok, err)
	}
}

// occupy takes every slot and returns what gives one back.
func occupy(t *testing.T, h *Hasher) (leave func()) {
	t.Helper()
	for range h.cfg.Slots {
		var err error
		if leave, err = h.pool.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return leave
}

func TestAFullQueueIsBusyAtOnce(t *testing.T) {
	h := New(Config{Params: cheap, Slots: 1, Queue: 1, Wait: time.Hour})
	leave := occupy(t, h)
	waiting := make(chan error)
	go func() { waiting <- h.Waste(t.Context(), "x") }()
	for len(h.pool.places) < 2 {
		time.Sleep(time.Millisecond)
	}
	if err := h.Waste(t.Context(), "x"); !errors.Is(err, ErrBusy) {
		t.Errorf("beyond the queue: %v", err)
	}
	leave()
	if err := <-waiting; err != nil {
		t.Errorf("the one that waited: %v", err)
	}
	if err := h.Waste(t.Context(), "x"); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestWhoeverWaitsTooLongIsToldBusy(t *testing.T) {
	h := New(Config{Params: cheap, Slots: 1, Wait: time.Millisecond})
	defer occupy(t, h)()
	if _, _, err := h.Verify(t.Context(), hashOf(t, newCheap(), "x"), "x"); !errors.Is(err, ErrBusy) {
		t.Errorf("Verify: %v", err)
	}
}

func TestAContextEndsTheWaitAndGivesThePlaceBack(t *testing.T) {
	h := New(Config{Params: cheap, Slots: 1, Queue: 1, Wait: time.Hour})
	leave := occupy(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 { // more than there are places
		if _, err := h.Hash(ctx, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("Hash: %v", err)
		}
	}
	leave()
	if len(h.pool.places) != 0 || len(h.pool.slots) != 0 {
		t.Errorf("%d places and %d slots were not given back", len(h.pool.places), len(h.pool.slots))
	}
}
