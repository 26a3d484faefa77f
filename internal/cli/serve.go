package cli

import (
	"context"
	"fmt"
	"log/slog"

	"cloakroom/internal/config"
	"cloakroom/internal/server"
)

type serve struct {
	config.Config `embed:""`
}

// Run serves until ctx ends.
func (c serve) Run(ctx context.Context, s streams) error {
	logger := slog.New(slog.NewTextHandler(s.err, nil))
	srv, err := server.New(ctx, server.Options{Config: c.Config, Logger: logger})
	if err != nil {
		return err
	}
	if err := greet(s, srv); err != nil {
		return err
	}
	return srv.Run(ctx)
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
