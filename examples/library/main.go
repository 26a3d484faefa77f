package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"

	"cloakroom/session/sqlite"
)

func main() {
	address := flag.String("listen", "127.0.0.1:8000", "the address to listen on")
	file := flag.String("database", "library.db", "the SQLite file of the members and of their sessions")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *address, *file)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends. It stops in the order in which things need each
// other: requests need Run, and Run needs the store.
func run(ctx context.Context, address, file string) error {
	store, err := sqlite.Open(ctx, file)
	if err != nil {
		return err
	}
	a, err := newApp(ctx, store)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- a.sessions.Run(running) }()
	err = serve(ctx, address, a.handler())
	stop()
	return errors.Join(err, <-ended, store.Close())
}
