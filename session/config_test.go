package session_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloakroom/session"
	"cloakroom/session/memory"
)

func TestAConfigThatBreaksALimitIsRefusedByName(t *testing.T) {
	for field, breaks := range map[string]func(*session.Config){
		"Store":           func(c *session.Config) { c.Store = nil },
		"Idle":            func(c *session.Config) { c.Idle = time.Millisecond },
		"Config.Idle":     func(c *session.Config) { c.Idle, c.Absolute = 2*time.Hour, time.Hour },
		"Absolute":        func(c *session.Config) { c.Absolute = 1500*time.Millisecond + 8*24*time.Hour },
		"Config.Absolute": func(c *session.Config) { c.Absolute = -time.Hour },
		"Delta":           func(c *session.Config) { c.Delta = 249 * time.Millisecond },
		"PerSubject":      func(c *session.Config) { c.PerSubject = -1 },
		"CacheBytes":      func(c *session.Config) { c.CacheBytes = 1000 },
		"Cookie.Name":     func(c *session.Config) { c.Cookie.Name = "session" },
		"Name":            func(c *session.Config) { c.Cookie.Name = "__Host-a b" },
		"SameSite":        func(c *session.Config) { c.Cookie.SameSite = http.SameSiteNoneMode },
		"Origins":         func(c *session.Config) { c.Origins = []string{"https://example.com/"} },
		"Config.Origins":  func(c *session.Config) { c.Origins = []string{"example.com"} },
	} {
		cfg := session.Config{Store: memory.New()}
		breaks(&cfg)
		_, err := session.New(cfg)
		if !errors.Is(err, session.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestTheZeroConfigHoldsTheDefaults(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		_, s := a.signIn("ada")
		if got := s.IdleExpiresAt().Sub(s.CreatedAt()); got != 7*24*time.Hour {
			t.Errorf("idle limit %v", got)
		}
		if got := s.ExpiresAt().Sub(s.CreatedAt()); got != 30*24*time.Hour {
			t.Errorf("absolute limit %v", got)
		}
		for range 105 {
			a.signIn("ada")
		}
		first, next, err := a.List(t.Context(), "ada", "")
		second, end, err2 := a.List(t.Context(), "ada", next)
		if len(first) != 50 || len(second) != 50 || end != "" || err != nil || err2 != nil {
			t.Errorf("%d and %d sessions, %v, %v", len(first), len(second), err, err2)
		}
	})
}

func TestArgumentsThatBreakALimitWriteNothing(t *testing.T) {
	bubble(t, func(t *testing.T, store *memory.Store) {
		a := join(t, store)
		ctx := t.Context()
		for name, subject := range map[string]string{
			"empty": "", "long": strings.Repeat("x", session.MaxSubject+1), "control": "a\x00b", "not UTF-8": "a\xffb",
		} {
			if _, err := a.Begin(ctx, subject); !errors.Is(err, session.ErrInvalid) {
				t.Errorf("Begin, %s: %v", name, err)
			}
			if _, err := a.Apply(ctx, session.RevokeAll(subject)); !errors.Is(err, session.ErrInvalid) {
				t.Errorf("Apply, %s: %v", name, err)
			}
		}
		attempt, err := a.Begin(ctx, "ada")
		if err != nil {
			t.Fatal(err)
		}
		for name, p := range map[string]session.Profile{
			"name":             {Name: strings.Repeat("x", session.MaxName+1)},
			"name's control":   {Name: "a\x1b[31m"},
			"email":            {Email: "a\nb"},
			"role with comma":  {Roles: []string{"a,b"}},
			"role twice":       {Roles: []string{"a", "a"}},
			"empty role":       {Roles: []string{""}},
			"too many roles":   {Roles: make([]string, session.MaxRoles+1)},
			"attributes":       {Attributes: []byte("{")},
			"large attributes": {Attributes: []byte(`"` + strings.Repeat("x", session.MaxAttributes) + `"`)},
		} {
			_, _, issue := a.Issue(ctx, attempt, session.Grant{Profile: &p})
			_, apply := a.Apply(ctx, session.SetProfile("ada", p, 0))
			if !errors.Is(issue, session.ErrInvalid) || !errors.Is(apply, session.ErrInvalid) {
				t.Errorf("%s: %v, %v", name, issue, apply)
			}
		}
		if _, _, err := a.Issue(ctx, session.Attempt{}, session.Grant{}); !errors.Is(err, session.ErrInvalid) {
			t.Errorf("an Attempt that Begin did not make: %v", err)
		}
		if _, _, err := a.Issue(ctx, attempt, session.Grant{Level: 16}); !errors.Is(err, session.ErrInvalid) {
			t.Errorf("level 16: %v", err)
		}
		if infos, err := a.Subjects(ctx, "ada"); err != nil || len(infos) != 0 {
			t.Errorf("something was written: %v, %v", infos, err)
		}
	})
}
