// Package cli is the command line: one file for each command. Commands print
// for people; what the running server has to say goes to its log.
package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

const description = `Sessions that are checked faster than a token is verified, and revoked at once.

Every setting is a flag, a variable, and a key in the file that --config names: for
--ops.listen the variable CLOAKROOM_OPS_LISTEN and the key ops.listen. A flag counts
before the variable, and that before the file.`

// commands is the grammar of the command line.
type commands struct {
	options `embed:"" group:"Settings"`

	Serve       serve           `cmd:"" help:"Run the server."`
	Account     accountCommands `cmd:"" help:"Accounts."`
	Session     sessionCommands `cmd:"" help:"Sessions."`
	Audit       auditCommands   `cmd:"" help:"The record of what was done."`
	Backup      backup          `cmd:"" help:"Write a copy of the database, also while it serves."`
	Restore     restore         `cmd:"" help:"Make the database of a backup."`
	Explain     explain         `cmd:"" help:"Say why a session cookie, or a whole request, is let in or refused."`
	Config      configuration   `cmd:"" help:"Look at the configuration."`
	Snippet     snippet         `cmd:"" name:"proxy-snippet" help:"Print a reverse proxy's configuration that puts the check in front of an application."`
	Doctor      doctor          `cmd:"" help:"Look for what is wrong with the set-up, and say what to do."`
	Healthcheck healthcheck     `cmd:"" help:"Fail unless the server is ready."`
	Completion  completion      `cmd:"" help:"Print what a shell needs to complete commands."`
	Complete    complete        `cmd:"" hidden:"" help:"Print what may come next."`
	Man         man             `cmd:"" help:"Print the manual page."`
	Version     version         `cmd:"" help:"Print the version."`
}

// streams are what a command reads, and where it writes: answers to out,
// everything else to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exit ends the parsing of a command line that asked for help.
type exit int

// Run carries out the command in args and returns the exit code: 0, 1 if it
// failed or was interrupted, 2 if the command line cannot be understood.
func Run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) (code int) {
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
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.ValueFormatter(explainFlag),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(streams{in, out, errOut}),
	)
	if err != nil {
		panic(err) // the grammar above is wrong
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errOut, "cloakroom: %v\nTry: cloakroom --help\n", err)
		return 2
	}
	err = parsed.Run(loaderOf(parsed, &c.options), parser.Model)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		// Whoever waits for a backup must not take it for one.
		fmt.Fprintf(errOut, "cloakroom: interrupted, and not done: %v\n", err)
	default:
		fmt.Fprintf(errOut, "cloakroom: %v\n", err)
	}
	return 1
}
