// Command cloakroom serves accounts and sessions: see cloakroom --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"cloakroom/internal/cli"
)

func main() {
	os.Exit(run())
}

// run ends when its command does. The first signal asks it to; a second ends
// the process at once.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
