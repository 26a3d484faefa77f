package session_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"cloakroom/session"
)

// printed is all that can be had of values without asking for the secret.
func printed(values ...any) (texts []string) {
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			texts = append(texts, fmt.Sprintf(verb, v), fmt.Sprintf(verb, struct{ T any }{v}))
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		body, err := json.Marshal(map[string]any{"v": v})
		texts = append(texts, log.String(), string(body), fmt.Sprint(err))
	}
	return texts
}

func TestIDsHaveOneSpelling(t *testing.T) {
	id := session.NewID()
	if got, err := session.ParseID(id.String()); err != nil || got != id {
		t.Fatalf("ParseID(%q) = %v, %v", id, got, err)
	}
	text := id.String()
	last := text[:25] + "b" // the last letter carries 3 bits: 'b' is not one of them
	for _, s := range []string{"", text[:25], text + "a", text[:25] + "A", last, text[:25] + "1", text + "=", " " + text} {
		if _, err := session.ParseID(s); err == nil {
			t.Errorf("ParseID(%q) was accepted", s)
		}
	}
}
