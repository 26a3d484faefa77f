package setup

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestACodeOpensHoweverItIsTyped(t *testing.T) {
	code := Code{"01AB" + "CD10" + "EFGH" + "JKMN" + "PQRS"}
	h := code.Hash()
	for _, typed := range []string{
		code.Reveal(), "01AB-CD10-EFGH-JKMN-PQRS", "01ab-cd10-efgh-jkmn-pqrs", "01abcd10efghjkmnpqrs", " 01AB CD10 EFGH\tJKMN PQRS\r\n",
		"oiab-cdlo-efgh-jkmn-pqrs", "OLAB-CDIO-EFGH-JKMN-PQRS", "01AB\u2013CD10\u2014EFGH\u2010JKMN-PQRS", "01AB\u00a0CD10\u00a0EFGHJKMNPQRS",
	} {
		if !h.Opens(typed) {
			t.Errorf("%q does not open", typed)
		}
	}
	for _, typed := range []string{
		"", "-", "01AB-CD10-EFGH-JKMN-PQR", "01AB-CD10-EFGH-JKMN-PQRST", "PQRS-01AB-CD10-EFGH-JKMN", "01AB_CD10_EFGH_JKMN_PQRS",
		"\u0430" + code.Reveal(), code.Reveal() + "\x00", "[redacted]", code.Reveal() + strings.Repeat(" ", 100_000),
		NewCode().Reveal(),
	} {
		if h.Opens(typed) {
			t.Errorf("%.60q opens", typed)
		}
	}
}

func TestNothingOpensNoCode(t *testing.T) {
	for _, typed := range []string{"", "-", NewCode().Reveal()} {
		if (Hash{}).Opens(typed) {
			t.Errorf("%q opens what has no code", typed)
		}
	}
}

func TestCodesAreRandomAndHaveNoLettersThatLookAlike(t *testing.T) {
	seen := make(map[string]bool)
	letters := make(map[rune]bool)
	for range 1000 {
		text := NewCode().Reveal()
		if !regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(text) {
			t.Fatalf("the code %s", text)
		}
		if seen[text] {
			t.Fatalf("%s twice", text)
		}
		seen[text] = true
		for _, r := range text {
			letters[r] = true
		}
	}
	if len(letters) != 32+1 {
		t.Errorf("%d different characters", len(letters))
	}
}

func TestACodeIsNotShownByAccident(t *testing.T) {
	code := NewCode()
	text, err := json.Marshal(code)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s %q", code, code, code, code, code), fmt.Sprint(struct{ C Code }{code}), code.LogValue().String(), string(text)} {
		if strings.Contains(shown, code.text) || strings.Contains(shown, code.text[:4]) {
			t.Errorf("the code shows in %s", shown)
		}
	}
}
