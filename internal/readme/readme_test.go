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

// command is one line of a console block, with what it is said to print.
type command struct{ line, prints string }

var consoleBlock = regexp.MustCompile("(?s)```console\n(.*?)```")

func shownCommands(t *testing.T) (commands []command) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range consoleBlock.FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[1]) {
			if shell, ok := strings.CutPrefix(line, "$ "); ok {
				commands = append(commands, command{line: strings.TrimSpace(shell)})
				continue
			}
			commands[len(commands)-1].prints += line
		}
	}
	if len(commands) < 5 {
		t.Fatalf("the README shows %d commands; is it still written in console blocks?", len(commands))
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
	{regexp.MustCompile(`"curl/[\d.]+"`), `"curl"`},
}

// shownCode is the setup code that the README shows.
var shownCode = regexp.MustCompile(`\b[0-9A-Z]{4}(-[0-9A-Z]{4}){4}\b`)

func normal(text string) string {
	for _, d := range differs {
		text = d.pattern.ReplaceAllString(text, d.stands)
	}
	return strings.TrimRight(text, "\n")
}

func TestTheReadmesCommandsPrintWhatItShows(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("curl is not installed; the README's commands are run with it")
	}
	address, code := startServer(t)
	dir := t.TempDir()
	for _, c := range shownCommands(t) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		line := shownCode.ReplaceAllString(strings.ReplaceAll(c.line, "http://localhost:8080", address), code)
		shell := exec.CommandContext(ctx, "sh", "-c", line)
		shell.Dir = dir
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
