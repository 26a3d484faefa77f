package link

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestATokenIsNotShownByAccident(t *testing.T) {
	token := NewToken()
	secret := token.Reveal()[len(tokenKind):]
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "token", token, "inside", struct{ T Token }{token})
	text, err := json.Marshal(map[string]any{"token": token})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		fmt.Sprint(token), fmt.Sprintf("%v %+v %#v %s %q %x %d", token, token, token, token, token, token, token),
		fmt.Sprintf("%+v", struct{ T Token }{token}), token.String(), token.GoString(), log.String(), string(text),
	} {
		if strings.Contains(shown, secret) || strings.Contains(shown, fmt.Sprintf("%x", secret)) {
			t.Errorf("the token shows in %s", shown)
		}
	}
}

func TestATokenHasOneSpelling(t *testing.T) {
	token := NewToken()
	text := token.Reveal()
	if again, ok := ParseToken(text); !ok || again != token || again.Hash() != token.Hash() {
		t.Errorf("%v, %v", again, ok)
	}
	if NewToken() == token {
		t.Error("two tokens are one")
	}
	for _, other := range []string{
		"", "ckl_", text[:len(text)-1], text + "A", text[4:], "cks_" + text[4:], strings.ToUpper(text), " " + text, text + "\n",
		text[:20] + "\n" + text[21:], text[:20] + "=" + text[21:], text[:20] + "+" + text[21:], text[:20] + "\x00" + text[21:],
		text[:len(text)-1] + "_", strings.Repeat("a", 100_000), // the last character of 32 bytes never is _
	} {
		if got, ok := ParseToken(other); ok || got != (Token{}) {
			t.Errorf("%.60q is taken for a token", other)
		}
	}
}

func TestAKindHasOneName(t *testing.T) {
	for kind, name := range map[Kind]string{Reset: "reset", Invite: "invite"} {
		if got, ok := ParseKind(name); got != kind || !ok || kind.String() != name {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
	for _, name := range []string{"", "unknown", "Reset", "reset ", "1"} {
		if got, ok := ParseKind(name); ok || got != 0 {
			t.Errorf("%q is the kind %v", name, got)
		}
	}
}
