package docs

import (
	"context"
	"errors"
	"time"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

// start returns a Manager that runs, and what ends it and its store: to be called
// when the last request has been answered.
func start(ctx context.Context, file string) (*session.Manager, func() error, error) {
	store, err := sqlite.Open(ctx, file)
	if err != nil {
		return nil, nil, err
	}
	sessions, err := session.New(session.Config{
		Store:   store,
		Idle:    24 * time.Hour,
		Origins: []string{"https://notes.example"},
		Answer:  session.RedirectTo("/sign-in"),
	})
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- sessions.Run(running) }()
	end := func() error {
		stop()
		return errors.Join(<-ended, store.Close())
	}
	if err := sessions.Ready(ctx); err != nil {
		return nil, nil, errors.Join(err, end())
	}
	return sessions, end, nil
}
