package readme

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/config"
	"cloakroom/internal/server"
)

// shown are the pages whose console blocks are run against a server of their own,
// with how many commands they show at least: a page that is written otherwise would
// show nothing that is held.
var shown = map[string]int{"docs/api.md": 20}

// command is one line of a console block, with what it is said to print.
type command struct{ line, prints string }

func shownCommands(page string) (commands []command) {
	found, _ := blocks(page)
	for _, b := range found {
		if b.lang != "console" {
			continue
		}
		for line := range strings.Lines(b.text) {
			if shell, ok := strings.CutPrefix(line, "$ "); ok {
				commands = append(commands, command{line: strings.TrimSpace(shell)})
				continue
			}
			if len(commands) == 0 {
				commands = append(commands, command{line: "false # a console block begins with $"})
			}
			commands[len(commands)-1].prints += line
		}
	}
	return commands
}

// differs are the parts of an answer that are another each time.
var differs = []struct {
	pattern *regexp.Regexp
	stands  string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`), "ACCOUNT"},
	{regexp.MustCompile(`"[a-z2-7]{26}"`), `"SESSION"`},
	{regexp.MustCompile(`ckl_[\w-]{43}`), "LINK"},
	{regexp.MustCompile(`"(version|seq)":"?\d+"?`), `"$1":N`},
	{regexp.MustCompile(`"position":"[^"]+"`), `"position":P`},
	{regexp.MustCompile(`"curl/[\d.]+"`), `"curl"`},
	{regexp.MustCompile(`(again in|Retry-After:) \d\d?\b`), `$1 N`},
}

// shownCode is a setup code that a page shows.
var shownCode = regexp.MustCompile(`\b[0-9A-Z]{4}(-[0-9A-Z]{4}){4}\b`)

func normal(text string) string {
	for _, d := range differs {
		text = d.pattern.ReplaceAllString(text, d.stands)
	}
	return strings.TrimRight(strings.ReplaceAll(text, "\r", ""), "\n")
}

// TestCommandsPrintWhatIsShown runs each page's commands in their order, against
// a new server of its own.
func TestCommandsPrintWhatIsShown(t *testing.T) {
	for page, least := range shown {
		t.Run(page, func(t *testing.T) {
			commands := shownCommands(read(t, page))
			if len(commands) < least {
				t.Fatalf("it shows %d commands; is it still written in console blocks?", len(commands))
			}
			address, code := startServer(t)
			runShown(t, t.TempDir(), address, code, commands)
		})
	}
}

// runShown runs commands in a folder, against the server that has this address in
// the place of the one that pages show.
func runShown(t *testing.T, dir, address, code string, commands []command, environment ...string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("curl is not installed; the commands are run with it")
	}
	for _, c := range commands {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		line := shownCode.ReplaceAllString(strings.ReplaceAll(c.line, "http://localhost:8080", address), code)
		shell := exec.CommandContext(ctx, "sh", "-c", line)
		shell.Dir, shell.Env = dir, append(os.Environ(), environment...)
		out, err := shell.CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.line, err, out)
		}
		printed := strings.ReplaceAll(string(out), address, "http://localhost:8080")
		if got, want := normal(printed), normal(c.prints); got != want {
			t.Errorf("%s\nprints\n%s\nand not\n%s", c.line, got, want)
		}
	}
}

func startServer(t *testing.T) (address, code string) {
	t.Helper()
	cfg := config.Default()
	cfg.Listen, cfg.OpsListen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Database = "sqlite:" + filepath.Join(t.TempDir(), "cloakroom.db")
	s, err := server.New(t.Context(), server.Options{Config: cfg, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	setup, ok := s.TakeSetupCode()
	if !ok {
		t.Fatal("a new server has no setup code")
	}
	return s.URL(), setup.Reveal()
}
