package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"

	"cloakroom/internal/control"
	"cloakroom/session/sqlite"
)

// Offline opens the database for one act of the operator's while no server holds
// it, calls act with what answers the command line, and closes it again. A
// database that is not there is not made. Nobody is served meanwhile.
func Offline(ctx context.Context, o Options, act func(http.Handler) error) (err error) {
	s, err := newServer(&o)
	if err != nil {
		return err
	}
	path := s.settings.SQLitePath
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("database: there is no file %s; name the server's with --database, or start a server, which makes one", s.Database())
	}
	s.public = s.settings.PublicURLs
	if len(s.public) == 0 {
		if addr, err := net.ResolveTCPAddr("tcp", s.settings.Listen.Text); err == nil {
			s.public = publicURLs(nil, addr)
		}
	}
	if s.store, err = openStore(ctx, path); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.build(ctx, o); err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var keeping sync.WaitGroup
	keeping.Go(func() { err = errors.Join(err, s.sessions.Run(running)) })
	defer keeping.Wait()
	defer stop()
	if err := s.sessions.Ready(ctx); err != nil {
		return err
	}
	return act(s.operator())
}

// listenControl opens the socket of the command line. The database is open, and
// with it the lock is held.
func listenControl(database string) (net.Listener, error) {
	path, err := control.Path(database)
	if err != nil {
		return nil, err
	}
	return control.Listen(path)
}

var (
	// ErrExists means that there is a database already where one is to be restored.
	ErrExists = sqlite.ErrExists
	// ErrInUse means that a server, or another command, holds the database.
	ErrInUse = sqlite.ErrInUse
)

// Restore makes the configured database of a backup. No session in it is good any
// more, and the record says so. If there is a database already it fails, unless
// there is a name to keep that as, beside the new one. Nothing is changed if
// anything fails.
func Restore(ctx context.Context, o Options, backup, keepAs string) error {
	settings, err := o.Config.Check()
	if err != nil {
		return err
	}
	return sqlite.Restore(ctx, backup, settings.SQLitePath, keepAs, func(copied string) error {
		o.Config.Database = "sqlite:" + copied
		return Offline(ctx, o, func(operator http.Handler) error {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/v1/admin/revoke-everything", nil)
			if err != nil {
				return err
			}
			a, err := control.Direct{Handler: operator}.RoundTrip(r)
			if err != nil {
				return err
			}
			defer func() { _ = a.Body.Close() }()
			if a.StatusCode != http.StatusNoContent {
				return fmt.Errorf("the sessions in the backup could not be revoked: %s", a.Status)
			}
			return nil
		})
	})
}
