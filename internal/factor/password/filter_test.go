package password

import (
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

var ofAda = []string{"ada.byron@lovelace.example", "Ada Kïng-Nöel"}

func newKnown() *Hasher {
	return New(Config{Params: cheap, Words: []string{"Cloakroom", "auth.kleiderhaken.example"}})
}

// listed returns the words of the list in their order.
func listed(t testing.TB) []string {
	t.Helper()
	text, err := unpack(commonPacked)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(text)
}

func TestWhatIsGuessedFirstIsRefused(t *testing.T) {
	h := newKnown()
	for want, passwords := range map[error][]string{
		ErrCommon: {
			"password123456789", "qwertyuiop123456", "passwordpassword", "iloveyouiloveyou",
			"aaaaaaaaaaaaaaaa", "1234567890123456", "letmeinletmein2024", "Summer2024!Summer2024!",
			"bhrh0h2oof6xbqjeh",                   // a listed one of this length
			"abcdefghijklmno", "ponmlkjihgfedcba", // the alphabet, up and down
			"987654321098765", "zzzzzzzzpassword", "1qaz2wsx3edc4rfv", "asdfghjkl;asdfghjkl", "йцукенгшщзхъ123",
			"P@ssw0rd!P@ssw0rd!", "1l0vey0u-1l0vey0u", "ba5eba11-ba5eba11", // letters written as digits
			"PASSWORD PASSWORD", "pässwörd pässwörd", "pa\u0308sswo\u0308rd password",
			"thisismypassword", "iloveyouforever", "password25.12.1987", "battery48!horse71?",
			"hello world, hello world, hello world", "19871988198919901991",
			"xk9!xk9!xk9!xk9!", "xk9vq7zxk9vq7zx", "🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑",
			"............................", strings.Repeat("password", 128),
		},
		ErrContextual: {
			"cloakroomada2024!!", "Cloakroom-Byron-99", "kl31derh4ken-kl31derh4ken", "kleiderhaken2024!",
			"ada.byron@lovelace.example", "ADA BYRON LOVELACE", "ada king noel 1815", "AdaKi\u0308ngNöel1234",
			"cloakroom-password", "kleiderhaken!kleiderhaken",
		},
	} {
		for _, password := range passwords {
			err := h.Check(password, ofAda...)
			if !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", password, err, want)
			} else if strings.Contains(err.Error(), password) || !strings.Contains(err.Error(), "four words") {
				t.Errorf("%q: the refusal repeats the password, or has no advice: %v", password, err)
			}
		}
	}
}

func TestWhatIsNotGuessedFirstIsAccepted(t *testing.T) {
	h := newKnown()
	for _, password := range []string{
		"correct horse battery staple", "correcthorsebatterystaple", "Correct-Horse-7-Battery-Staple",
		"three random words", "coffee tin fish mirror", // what people are advised to take
		"battery48!horse719?", "password password xk", "xqassword123456789", // one character that is of nothing
		"ada likes horse battery staple", "cloakroom velvet otter prism",
		"xk9vq7zmxk9vq7zm", // a block as long as a password may be
		"4831-7702-9915-3640-2857", "!%)?{<~+/|:=&;[^", "光陰矢の如し学成り難し少年老い易く",
		strings.Repeat("xk9vq7zm", 128),
	} {
		if err := h.Check(password, ofAda...); err != nil {
			t.Errorf("%q: %v", password, err)
		}
	}
}

// The service's words are a configuration's, and the person's are a call's.
func TestOwnWordsAreThoseThatAreGiven(t *testing.T) {
	const password = "kleiderhaken brzezinski"
	for name, c := range map[string]struct {
		service, person []string
		want            error
	}{
		"none":             {nil, nil, nil},
		"of the service":   {[]string{"kleiderhaken.example"}, nil, nil},
		"of the person":    {nil, []string{"z.brzezinski@a.example"}, nil},
		"of both":          {[]string{"Kleiderhaken"}, []string{"", "Zbigniew Brzeziński"}, ErrContextual},
		"with digits":      {nil, []string{"kleiderhaken77@brzezinski1.example"}, ErrContextual},
		"of two letters":   {[]string{"kl.eid.er"}, []string{"ha.ken br.ze.zi.ns.ki"}, nil},
		"within the words": {[]string{"leiderhake"}, []string{"brzezinski"}, nil},
	} {
		if err := New(Config{Words: c.service}).Check(password, c.person...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestNoListedPasswordIsSavedByItsLength(t *testing.T) {
	h, words := newCheap(), listed(t)
	for i, word := range words {
		for _, password := range []string{
			strings.Repeat(word, (14+len(word))/len(word)),
			(word + "2024!!123456789012")[:max(15, len(word)+6)],
			strings.ToUpper(word) + " " + words[(i*7919+1)%len(words)] + "!!!!!!!!!!",
		}[:1+i%10/8*2] { // all of them repeated, a fifth in the other ways
			if err := h.Check(password); !errors.Is(err, ErrCommon) {
				t.Errorf("%q: %v", password, err)
			}
		}
	}
}

func TestNothingRandomIsRefused(t *testing.T) {
	h, r := newKnown(), rand.New(rand.NewPCG(1, 15))
	letters := regexp.MustCompile(`^[a-z]{4,}$`)
	words := slices.DeleteFunc(listed(t), func(w string) bool {
		return !letters.MatchString(w) || fewParts(newText(w), newList(""), nil) // qwerty is no word
	})
	for range 5000 {
		bytes := make([]byte, 12)
		for i := range bytes {
			bytes[i] = byte(r.Uint32())
		}
		var chosen []string
		for len(chosen) < 4 {
			if word := words[r.IntN(len(words))]; !slices.Contains(chosen, word) {
				chosen = append(chosen, word)
			}
		}
		for _, password := range []string{base64.StdEncoding.EncodeToString(bytes), strings.Join(chosen, " ")} {
			if err := h.Check(password, ofAda...); err != nil {
				t.Errorf("%q: %v", password, err)
			}
		}
		if three := strings.Join(chosen[:3], " "); errors.Is(h.Check(three), ErrCommon) {
			t.Errorf("%q is refused", three)
		}
	}
}

// The filter is for new passwords: one that was set before there was a filter,
// or before a word was added, goes on to verify.
func TestTheFilterIsNotAskedAtASignIn(t *testing.T) {
	h := newKnown()
	if hash := hashOf(t, h, "passwordpassword"); !verifies(t, h, hash, "passwordpassword") {
		t.Error("a password that would be refused today does not verify")
	}
}

func TestTheListIsTheOneThatItsLicenceNames(t *testing.T) {
	licence, err := os.ReadFile("COMMON-LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	words := listed(t)
	if len(words) != 49233 || !strings.Contains(string(licence), "49,233") {
		t.Errorf("%d words", len(words))
	}
	if !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != len(words) {
		t.Error("the words are not sorted, or one is there twice")
	}
	for _, word := range words {
		if !common().has(word) || fold(word) != word || len(word) != len([]rune(word)) {
			t.Errorf("%q is not found as it is folded", word)
		}
	}
}

func TestPatterns(t *testing.T) {
	for text, want := range map[string]int{
		"zzzy": 3, "abcd1": 4, "cba": 3, "6789012": 4, "qwer1": 4, "rewq": 4, "1qaz2wsx": 8, "(*&^": 4, "йцук": 4,
		"xq": 1, "jun": 1, "qwz": 1, "13579": 1, "aabb": 2,
	} {
		if got := patternLength([]rune(fold(text))); got != want {
			t.Errorf("%q begins with a pattern of %d characters, want %d", text, got, want)
		}
	}
	if longest := patternLength([]rune(strings.Repeat("a", MaxBytes))); longest > longestPattern {
		t.Errorf("a pattern of %d characters is tried at each of its places", longest)
	}
}

// counted is a list that counts how often it is asked.
func counted(l list, asked *int) list {
	return list{func(word string) bool { *asked++; return l.has(word) }, l.longest}
}

func TestALongPasswordCostsNoMoreForEachCharacter(t *testing.T) {
	for _, block := range []string{"a", "aab", "password", "love1", "0", "1l0v3", "qwe", "iam", "é", "lovelovelov3"} {
		long := strings.Repeat(block, MaxBytes/len(block))
		asked := 0
		fewParts(newText(long), counted(common(), &asked), ownWords("love", "password"))
		if limit := 3 * common().longest * len(long); asked > limit {
			t.Errorf("%q repeated: the list is asked %d times, more than %d", block, asked, limit)
		}
	}
	c := cutting{text: newText(strings.Repeat("a", MaxBytes)), seen: map[string]struct{}{}}
	for at := range c.len() {
		c.remember(at)
	}
	if len(c.seen) > 4 {
		t.Errorf("%d pieces are kept of one character", len(c.seen))
	}
}

// TestTheFilterStopsWhereNoCutIsPoorEnough is the attack: the longest password
// that nothing refuses, again and again, by somebody who wants no account.
func TestTheFilterStopsWhereNoCutIsPoorEnough(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, letters := range []string{"0123456789", "!)%#^*", "xkqjvz", "01345789@$aeiost"} {
		long := []byte("password")
		for len(long) < MaxBytes {
			long = append(long, letters[random.IntN(len(letters))])
		}
		asked := 0
		if fewParts(newText(string(long)), counted(common(), &asked), nil) {
			t.Errorf("%s: it is refused", letters)
		}
		if limit := 3 * common().longest * 64; asked > limit {
			t.Errorf("%s: the list is asked %d times, more than %d", letters, asked, limit)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, password := range []string{"passwordpassword", "correct horse battery staple", "cloakroomada2024!!", "pa\u0308sswo\u0308rd 1987", "q1w2e3r4 İ ſ K"} {
		f.Add(password, "ada@cloakroom.example")
	}
	f.Fuzz(func(t *testing.T, password, known string) {
		if !utf8.ValidString(password) || len(password) > MaxBytes || !utf8.ValidString(known) || len(known) > 512 {
			return
		}
		own := ownWords(known)
		err := refuse(password, own)
		if other := refuse(norm.NFD.String(password), own); !errors.Is(other, err) && !errors.Is(other, errors.Unwrap(err)) {
			t.Errorf("%q: %v, and decomposed: %v", password, err, other)
		}
		if errors.Is(refuse(password, nil), ErrCommon) != errors.Is(err, ErrCommon) {
			t.Errorf("%q: own words change whether it is common: %v", password, err)
		}
		once := newText(password)
		twice := newText(password + password)
		if once.len() >= shortestAgain && twice.len() == 2*once.len() && fewParts(once, common(), own) && !fewParts(twice, common(), own) {
			t.Errorf("%q is refused, and twice it is not", password)
		}
	})
}
