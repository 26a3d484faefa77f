// Package cli is the command line: one file for each command. Commands print
// for people; what the running server has to say goes to its log.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

const description = `Sessions that are checked faster than a token is verified, and revoked at once.

Every setting is a flag and a variable; a flag counts before the variable.`

// commands is the grammar of the command line.
type commands struct {
	Serve   serve   `cmd:"" help:"Run the server."`
	Version version `cmd:"" help:"Print the version."`
}

// streams are where a command writes: answers to out, everything else to err.
type streams struct {
	out, err io.Writer
}

// exit ends the parsing of a command line that asked for help.
type exit int

// Run carries out the command in args and returns the exit code: 0, 1 if it
// failed, 2 if the command line cannot be understood.
func Run(ctx context.Context, args []string, out, errOut io.Writer) (code int) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case exit:
			code = int(v)
		default:
			panic(v)
		}
	}()
	var c commands
	parser, err := kong.New(&c,
		kong.Name("cloakroom"), kong.Description(description),
		kong.Writers(out, errOut), kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(streams{out, errOut}),
	)
	if err != nil {
		panic(err) // the grammar above is wrong
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errOut, "cloakroom: %v\nTry: cloakroom --help\n", err)
		return 2
	}
	if err := parsed.Run(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(errOut, "cloakroom: %v\n", err)
		return 1
	}
	return 0
}
