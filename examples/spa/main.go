// Command spa is the API of a small single-page application, on the library: what a
// tutorial builds with a JSON Web Token in localStorage. Here a script never sees a
// token. The front end in web uses the client in clients/typescript, which asks for
// these paths.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"cloakroom/session"
	"cloakroom/session/sqlite"
)

func main() {
	address := flag.String("listen", "localhost:8090", "the address to listen on")
	file := flag.String("database", "notes.db", "the SQLite file of the people, their notes and their sessions")
	lifetime := flag.Duration("token-lifetime", 24*time.Hour, "how long a token lives until it is renewed")
	front := flag.String("web", "web/dist", "where the built front end is")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *address, *file, *front, *lifetime)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends. It stops in the order in which things need each other:
// requests need Run, and Run needs the store.
func run(ctx context.Context, address, file, front string, lifetime time.Duration) error {
	store, err := sqlite.Open(ctx, file)
	if err != nil {
		return err
	}
	a, err := newAPI(ctx, store, lifetime)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- a.sessions.Run(running) }()
	err = serve(ctx, address, a.handler(http.FileServer(http.Dir(front))))
	end()
	return errors.Join(err, <-ended, store.Close())
}

func serve(ctx context.Context, address string, h http.Handler) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	log.Printf("the API listens on http://%s", listener.Addr())
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}

// newAPI makes the tables, and sessions whose tokens are renewed at one path.
func newAPI(ctx context.Context, store *sqlite.Store, lifetime time.Duration) (*api, error) {
	if err := store.Write(ctx, makeTables); err != nil {
		return nil, err
	}
	sessions, err := session.New(session.Config{
		Store:         store,
		TokenLifetime: lifetime,
		Cookie:        session.Cookie{RenewPath: renewPath},
	})
	if err != nil {
		return nil, err
	}
	return &api{store, sessions}, nil
}
