package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"cloakroom/session"
	"cloakroom/session/memory"
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

func FuzzToken(f *testing.F) {
	m, err := session.New(session.Config{Store: memory.New(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	f.Cleanup(func() { stop(); <-ended })
	if err := m.Ready(ctx); err != nil {
		f.Fatal(err)
	}
	attempt, err := m.Begin(ctx, "ada")
	if err != nil {
		f.Fatal(err)
	}
	issued, _, err := m.Issue(ctx, attempt, session.Grant{})
	if err != nil {
		f.Fatal(err)
	}
	real := issued.Reveal()
	for _, seed := range []string{"", "cks_" + strings.Repeat("A", 49), real, real + "=", strings.ToUpper(real), real[:len(real)-1] + "A"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		switch _, err := m.Check(t.Context(), text, session.Cached); {
		case text == real && err != nil:
			t.Errorf("the real one: %v", err)
		case text != real && !errors.Is(err, session.ErrNoSession):
			t.Errorf("%q: %v", text, err)
		}
	})
}
