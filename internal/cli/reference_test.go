package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloakroom/internal/config"

	"github.com/alecthomas/kong"
)

var write = flag.Bool("write", false, "renew the reference pages in docs")

// commandPages is where the pages of the commands are.
const commandPages = "../../docs/commands"

// TestTheReferencePagesAreUpToDate holds the pages of settings and commands to
// what there is; go test ./internal/cli -run Reference -write renews them.
func TestTheReferencePagesAreUpToDate(t *testing.T) {
	pages := commandsPages(t)
	pages["../../docs/configuration.md"] = settingsPage()
	for path, page := range pages {
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
	there, err := filepath.Glob(commandPages + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		if _, ok := pages[path]; !ok {
			t.Errorf("%s is the page of no command: delete it", path)
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

// commandsPages returns the pages of the commands, by their path: an overview, and
// one for each that stands first after the program's name.
func commandsPages(t *testing.T) map[string]string {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Name("cloakroom"))
	if err != nil {
		t.Fatal(err)
	}
	var overview strings.Builder
	overview.WriteString(`# Commands

While a server holds the database, the commands reach it over a socket beside the
file, which the server's user and root can open. Otherwise they open the file
themselves. They print for people; ` + "`--json`" + ` prints for scripts. The exit code is 0,
1 for a failure, and 2 for a command line that cannot be understood. Passwords and
cookies are asked for, or read from the standard input: they stand in no argument.
Each takes the [settings](../configuration.md) as flags, too.

| | |
|---|---|
`)
	pages := map[string]string{}
	for _, n := range parser.Model.Children {
		if n.Hidden {
			continue
		}
		if len(n.Children) == 0 {
			fmt.Fprintf(&overview, "| [`cloakroom %s`](%s.md) | %s |\n", n.Name, n.Name, n.Help)
		}
		for _, leaf := range n.Leaves(true) {
			fmt.Fprintf(&overview, "| [`%s`](%s.md#%s) | %s |\n", leaf.FullPath(), n.Name, strings.ReplaceAll(leaf.FullPath(), " ", "-"), leaf.Help)
		}
		pages[commandPages+"/"+n.Name+".md"] = commandPage(t, n)
	}
	overview.WriteString(`
The pages' examples are run by a test, in a folder where a server has just been
started. One account is there, ada@example.com, who has signed in by curl; the cookie
is in the file ` + "`jar`" + `.
`)
	pages[commandPages+"/index.md"] = overview.String()
	return pages
}

// commandPage is the page of a command, or of all that begin with the same word. Its
// examples are written by hand, and run by internal/readme.
func commandPage(t *testing.T, n *kong.Node) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# cloakroom %s\n\n%s\n", n.Name, n.Help)
	leaves := n.Leaves(true)
	if len(leaves) == 0 {
		leaves = []*kong.Node{n}
	}
	for _, leaf := range leaves {
		if leaf != n {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n", leaf.FullPath(), leaf.Help)
		}
		var rows bytes.Buffer
		for _, p := range leaf.Positional {
			fmt.Fprintf(&rows, "| `%s` | %s |\n", p.Summary(), p.Help)
		}
		for _, f := range leaf.Flags {
			fmt.Fprintf(&rows, "| `%s` | %s |\n", f.Summary(), f.Help)
		}
		if rows.Len() > 0 {
			b.WriteString("\n| | |\n|---|---|\n" + rows.String())
		}
	}
	examples, err := os.ReadFile("testdata/examples/" + n.Name + ".md")
	if err != nil || !bytes.Contains(examples, []byte("```console\n$ ")) {
		t.Errorf("cloakroom %s has no example in a console block (%v)", n.Name, err)
	}
	fmt.Fprintf(&b, "\n## Examples\n\n%s", examples)
	return b.String()
}
