package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"cloakroom/internal/config"
	"cloakroom/internal/notify"
	"cloakroom/internal/server"
)

type serve struct{}

// Run serves until ctx ends.
func (serve) Run(ctx context.Context, s streams, load loader) error {
	loaded, err := load()
	if err != nil {
		return err
	}
	settings, err := loaded.Settings()
	if err != nil {
		return err
	}
	level := &slog.LevelVar{}
	level.Set(settings.LogLevel)
	logger := newLogger(s.err, settings.LogFormat, level)
	if len(loaded.Unknown) > 0 {
		logger.Warn("config: variables that set nothing", "names", strings.Join(loaded.Unknown, " "))
	}
	// Who reads the log may go away: a server is not to die of it.
	signal.Ignore(syscall.SIGPIPE)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	manager, err := notify.FromEnvironment()
	if err != nil {
		return err
	}
	sockets, err := notify.Sockets()
	if err != nil {
		return err
	}
	srv, err := server.New(ctx, server.Options{Config: loaded.Config, Logger: logger, Manager: manager, Sockets: sockets})
	if err != nil && ctx.Err() != nil {
		return nil // it was told to stop before it had begun
	}
	if err != nil {
		return err
	}
	if err := greet(s, srv); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		<-srv.Serving()
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
				told := manager.Reloading()
				reload(srv, load, loaded, level, logger)
				if err := errors.Join(told, manager.Ready()); err != nil {
					logger.Warn("config: the service manager could not be told of the reload", "error", err)
				}
			}
		}
	}()
	return srv.Run(ctx)
}

// reload takes over what has changed in the configuration. If it cannot be read
// or is wrong, everything stays as it is.
func reload(srv *server.Server, load loader, started config.Loaded, level *slog.LevelVar, logger *slog.Logger) {
	loaded, err := load()
	var settings config.Settings
	if err == nil {
		settings, err = loaded.Settings()
	}
	if err == nil {
		err = srv.Reload(settings)
	}
	if err != nil {
		logger.Error("config: not reloaded, and nothing has changed", "error", err)
		return
	}
	level.Set(settings.LogLevel)
	for _, name := range started.NeedRestart(loaded) {
		logger.Warn("config: a change that needs a restart", "key", name)
	}
	logger.Info("config: reloaded")
}

func newLogger(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// greet says where to go, where the data is, and how to stop. The setup code is
// shown here and nowhere else: whoever reads it may become the administrator.
func greet(s streams, srv *server.Server) error {
	_, err := fmt.Fprintf(s.out, `Cloakroom is ready.

  Open   %s
  Data   %s
  Stop   Ctrl-C

`, srv.URL(), srv.Database())
	if code, ok := srv.TakeSetupCode(); err == nil && ok {
		_, err = fmt.Fprintf(s.out, "There is no administrator yet. Become the first at %s\nwith the code %s\n\n",
			srv.SetupURL(), code.Reveal())
	}
	if err == nil && !srv.Secure() {
		_, err = fmt.Fprintln(s.out, "Use Chrome, Edge, Firefox or curl: Safari keeps no session cookie without https.")
	}
	return err
}
