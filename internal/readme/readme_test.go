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
var shown = map[string]int{"docs/api.md": 20, "docs/phones-and-scripts.md": 9}

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
	{regexp.MustCompile(`\b[a-z2-7]{26}\b`), "SESSION"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\dZ)?)?\b`), "DATE"},
	{regexp.MustCompile(`before-\d{8}-\d{6}`), "before-TIME"},
	{regexp.MustCompile(`\b\d+ bytes`), "N bytes"},
	{regexp.MustCompile(`(cloakroom|version) (\(devel\)|v\S+)( go[\d.]+)?`), "$1 VERSION"},
	{regexp.MustCompile(`come from (127\.0\.0\.1|::1)`), "come from LOCALHOST"},
	{shownCode, "CODE"},
	{regexp.MustCompile(`(?m) +$`), ""},
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
			runShown(t, place{dir: t.TempDir(), address: address, code: code}, commands)
		})
	}
}

// place is where commands are run: a folder, and a server, which has an address and a
// setup code of its own.
type place struct {
	dir, address, code string
	environment        []string
	stands             []string // pairs of what is printed here and what pages show in its place
}

// runShown runs commands, and returns what each of them printed as a page would show
// it, with an error if that is not what the page shows.
func runShown(t *testing.T, at place, commands []command) (printed []string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("curl is not installed; the commands are run with it")
	}
	stands := strings.NewReplacer(append(at.stands, at.address, "http://localhost:8080")...)
	for _, c := range commands {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		line := shownCode.ReplaceAllString(strings.ReplaceAll(c.line, "http://localhost:8080", at.address), at.code)
		shell := exec.CommandContext(ctx, "sh", "-c", line)
		shell.Dir, shell.Env = at.dir, append(os.Environ(), at.environment...)
		out, err := shell.CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.line, err, out)
		}
		printed = append(printed, stands.Replace(string(out)))
		if got, want := normal(printed[len(printed)-1]), normal(c.prints); got != want {
			t.Errorf("%s\nprints\n%s\nand not\n%s", c.line, got, want)
		}
	}
	return printed
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
