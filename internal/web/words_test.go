package web

import (
	"strings"
	"testing"
	"time"

	"cloakroom/session"
)

func TestClientsInWords(t *testing.T) {
	for agent, want := range map[string][2]string{
		firefox: {"Firefox on Linux", "computer"},
		iphone:  {"Safari on iPhone", "phone"},
		"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1": {"Safari on iPad", "tablet"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":          {"Safari on macOS", "computer"},
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36":                {"Chrome on Windows", "computer"},
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0":  {"Edge on Windows", "computer"},
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36":                {"Chrome on Android", "phone"},
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36":                 {"Chrome on ChromeOS", "computer"},
		"curl/8.5.0":                      {"curl", "program"},
		"":                                {"Unknown browser", "program"},
		"<script>alert(1)</script>":       {"Unknown browser", "program"},
		"\u202eevil/1.0":                  {"Unknown browser", "program"},
		strings.Repeat("a", 400) + "/1.0": {"Unknown browser", "program"},
	} {
		name, kind := inWords(session.Client{UserAgent: agent})
		if name != want[0] || kind != want[1] {
			t.Errorf("%.60q is %q, a %s; want %q, a %s", agent, name, kind, want[0], want[1])
		}
	}
	if name, _ := inWords(session.Client{UserAgent: firefox, Label: "Ada's laptop"}); name != "Ada's laptop" {
		t.Errorf("a label is shown as %q", name)
	}
}

func TestTimesInWords(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-time.Hour:            "just now", // a clock was set back
		0:                     "just now",
		59 * time.Second:      "just now",
		time.Minute:           "1 minute ago",
		59*time.Minute + 59e9: "59 minutes ago",
		time.Hour:             "1 hour ago",
		23 * time.Hour:        "23 hours ago",
		24 * time.Hour:        "1 day ago",
		13 * 24 * time.Hour:   "13 days ago",
		14 * 24 * time.Hour:   "on 10 November 2026",
		400 * 24 * time.Hour:  "on 20 October 2025",
	} {
		if got := ago(now, now.Add(-d)); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := ago(now, time.Time{}); got != "never" {
		t.Errorf("the zero time is %q", got)
	}
}
