// Command driven is cloakroom serve with a clock that can be set ahead, and with
// hashes that cost nothing where a test needs thousands. It is for the tests of
// package conformance only.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"cloakroom/internal/config"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/server"

	"github.com/alecthomas/kong"
)

// driven is what the server is told, and how far its clock is ahead. A clock is
// moved by starting the server anew: nothing is cached then, and the store judges.
type driven struct {
	config.Config `embed:""`
	Ahead         time.Duration `help:"How far the clock is ahead."`
	Cheap         bool          `help:"Hash passwords at almost no cost."`
}

func main() {
	var d driven
	kong.Parse(&d)
	if err := d.run(); err != nil {
		fmt.Fprintln(os.Stderr, "driven:", err)
		os.Exit(1)
	}
}

func (d driven) run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := server.Options{
		Config: d.Config,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:    func() time.Time { return time.Now().Add(d.Ahead) },
	}
	if d.Cheap {
		o.Passwords.Params = password.Params{Memory: 64, Time: 1, Threads: 1}
	}
	s, err := server.New(ctx, o)
	if err != nil {
		return err
	}
	if code, ok := s.TakeSetupCode(); ok {
		fmt.Fprintln(os.Stdout, code.Reveal())
	}
	return s.Run(ctx)
}
