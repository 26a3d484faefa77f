package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"cloakroom/internal/server"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type backup struct {
	File string `arg:"" help:"Where to write it. There must be nothing there."`
}

// Run writes a copy of the database as it is at one moment, also while a server
// holds it.
func (c backup) Run(ctx context.Context, s streams, load loader) error {
	path, err := filepath.Abs(c.File)
	if err != nil {
		return err
	}
	return operate(ctx, s, load, func(ctx context.Context, o *operator) error {
		a, err := o.ask(ctx, http.MethodPost, "/v1/operator/backup", server.Backup{Path: path})
		if err != nil {
			return err
		}
		defer func() { _ = a.Body.Close() }()
		last, err := follow(a.Body, newProgress(s.err, "backup", -1))
		switch {
		case last.Error != "":
			return errors.New(last.Error)
		case err != nil || !last.Done:
			return fmt.Errorf("the backup was cut short, and nothing is kept of it: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}
		_, err = fmt.Fprintf(s.out, "%s holds the database, %d bytes. Keep it like the database itself: it has everybody's password hashes.\n", path, last.Written)
		return err
	})
}

// follow shows the progress that is told until the last of it.
func follow(body io.Reader, shown *progress) (last server.Progress, err error) {
	defer shown.end()
	told := jsontext.NewDecoder(body)
	for !last.Done && last.Error == "" {
		last = server.Progress{}
		if err := json.UnmarshalDecode(told, &last); err != nil {
			return last, err
		}
		shown.at(last.Written, 0)
	}
	return last, nil
}

type restore struct {
	File    string `arg:"" help:"A backup."`
	Replace bool   `help:"Put it in the place of a database that is there, which is kept beside it."`
}

// Run makes the configured database of a backup. Everybody has to sign in anew.
func (c restore) Run(ctx context.Context, s streams, load loader) error {
	loaded, settings, err := configured(load)
	if err != nil {
		return err
	}
	keepAs := ""
	if c.Replace {
		keepAs = settings.SQLitePath + ".before-" + time.Now().UTC().Format("20060102-150405")
	}
	quiet := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError}))
	err = server.Restore(ctx, server.Options{Config: loaded.Config, Logger: quiet}, c.File, keepAs)
	if errors.Is(err, server.ErrExists) && !c.Replace {
		return fmt.Errorf("there is a database at %s already; with --replace it is kept beside the restored one", settings.SQLitePath)
	}
	if err != nil {
		return err
	}
	if keepAs != "" {
		if _, err := fmt.Fprintf(s.out, "What was there, if anything, is %s now.\n", keepAs); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(s.out, "%s is restored. Accounts and passwords are as they were; everybody has to sign in anew.\n", settings.SQLitePath)
	return err
}
