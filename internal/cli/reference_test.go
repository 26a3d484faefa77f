package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"cloakroom/internal/config"

	"github.com/alecthomas/kong"
)

var write = flag.Bool("write", false, "renew the reference pages in docs")

// TestTheReferencePagesAreUpToDate holds the pages of settings and commands to
// what there is; go test ./internal/cli -run Reference -write renews them.
func TestTheReferencePagesAreUpToDate(t *testing.T) {
	for path, page := range map[string]string{
		"../../docs/configuration.md": settingsPage(),
		"../../docs/commands.md":      commandsPage(t),
	} {
		if *write {
			if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(path)
		if err != nil || string(text) != page {
			t.Errorf("%s is out of date (%v); run: go test ./internal/cli -run Reference -write", path, err)
		}
	}
}

func settingsPage() string {
	var b strings.Builder
	b.WriteString(`# Settings

Nothing has to be set. Each setting is a key in the file that ` + "`--config`" + ` names, a
variable and a flag. A flag counts before a variable, that before the file, and
that before the default. A variable without text counts as not set. The file is
YAML, and strict: a key that there is not, a key twice or a wrong type keeps the
server from starting, and the line is shown.

` + "```yaml" + `
public_url: https://example.com
ops: {listen: 127.0.0.1:9101}
sessions: {idle: 12h, absolute: 14d}
proxies.trusted: [10.0.0.2]
policies:
  admin: {roles: [admin], recent: 10m, consistency: fresh}
  staff: {roles: [staff, admin]}
` + "```" + `

` + "`cloakroom config check`" + ` says what is wrong, and ` + "`cloakroom config show`" + ` what is set and
where. On SIGHUP a running server takes over those marked *; if the file is wrong
then, everything stays as it is, and the log says so.

| key | variable | unless set | |
|---|---|---|---|
`)
	for _, k := range config.Keys() {
		mark, initial := "", ""
		if k.Reload {
			mark = " *"
		}
		if k.Default != "" {
			initial = "`" + k.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s`%s | `%s` | %s | %s |\n", k.Name, mark, k.Variable, initial, strings.ReplaceAll(k.Help, "|", "\\|"))
	}
	b.WriteString(`
The flag is the key with ` + "`-`" + ` for ` + "`_`" + `: ` + "`--public-url`" + `, ` + "`--ops.listen`" + `. Where a value may
hold a password (` + "`database`" + `), ` + "`CLOAKROOM_DATABASE_FILE`" + ` names a file that holds it
and that others may not read.

## Policies

A proxy that asks ` + "`/auth/check/NAME`" + ` or ` + "`/auth/forward/NAME`" + ` has more demanded than a
session. All of these may be left out:

| key | demands |
|---|---|
| ` + "`roles`" + ` | one of these roles |
| ` + "`level`" + ` | at least this level of assurance: 1 is a password, 2 will need a second factor |
| ` + "`recent`" + ` | a sign-in, or the password again, within this time |
| ` + "`consistency`" + ` | ` + "`fresh`" + `: the check knows every revocation on any node that returned before it; ` + "`cached`" + ` otherwise |

A policy that is not configured lets nobody in.
`)
	return b.String()
}

func commandsPage(t *testing.T) string {
	var b strings.Builder
	b.WriteString(`# Commands

While a server holds the database, the commands reach it over a socket beside the
file, which the server's user and root can open. Otherwise they open the file
themselves. They print for people; ` + "`--json`" + ` prints for scripts. The exit code is 0,
1 for a failure, and 2 for a command line that cannot be understood. Passwords and
cookies are asked for, or read from the standard input: they stand in no argument.
Each takes the [settings](configuration.md) as flags, too.
`)
	var c commands
	parser, err := kong.New(&c, kong.Name("cloakroom"))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(true) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", leaf.FullPath(), leaf.Help)
		var rows bytes.Buffer
		for _, p := range leaf.Positional {
			fmt.Fprintf(&rows, "| `%s` | %s |\n", p.Summary(), p.Help)
		}
		for _, f := range leaf.Flags {
			fmt.Fprintf(&rows, "| `%s` | %s |\n", f.Summary(), f.Help)
		}
		if rows.Len() > 0 {
			b.WriteString("| | |\n|---|---|\n" + rows.String())
		}
	}
	return b.String()
}
