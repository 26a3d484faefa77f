package readme

import (
	"flag"
	"net"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"cloakroom/internal/product"
)

var write = flag.Bool("write", false, "put what the commands' examples print now into their files")

// exampleFiles has the examples of each command, which internal/cli makes part of its
// page.
const exampleFiles = "internal/cli/testdata/examples"

// commandPages are the pages of the commands. Their overview has no examples.
func commandPages(t *testing.T) (pages []string) {
	t.Helper()
	for _, page := range docsPages(t) {
		if path.Dir(page) == "docs/commands" && path.Base(page) != "index.md" {
			pages = append(pages, page)
		}
	}
	return pages
}

// before is what was done when a page's examples begin.
var before = []command{
	{line: `echo 'correct horse battery staple' | cloakroom account create ada@example.com --name=Ada --password >/dev/null`},
	{line: `curl -sf -o /dev/null -c jar http://localhost:8080/auth/v1/sign-in -H 'Content-Type: application/json' -d '{"email":"ada@example.com","password":"correct horse battery staple"}'`},
}

// TestTheCommandsExamplesPrintWhatIsShown runs each command's examples in a folder
// where a server runs. With -write they are made to show what was printed, and
// then go test ./internal/cli -run Reference -write renews the pages.
func TestTheCommandsExamplesPrintWhatIsShown(t *testing.T) {
	programs := t.TempDir()
	if err := product.Build(programs, product.Server); err != nil {
		t.Fatal(err)
	}
	pages := commandPages(t)
	if len(pages) < 14 {
		t.Fatalf("there are pages of %d commands", len(pages))
	}
	for _, page := range pages {
		t.Run(path.Base(page), func(t *testing.T) {
			t.Parallel()
			commands := shownCommands(read(t, page))
			if len(commands) == 0 {
				t.Fatal("it shows no example")
			}
			s, at := serveInAFolder(t, programs)
			runShown(t, at, before)
			var printed []string
			if commands[0].line == "cloakroom serve" { // which it has been all the time
				printed = append(printed, greeted(t, s, at, commands[0]))
			}
			if path.Base(page) == "restore.md" {
				s.interrupt(t)
			}
			printed = append(printed, runShown(t, at, commands[len(printed):])...)
			if t.Failed() && *write {
				rewrite(t, path.Join(root, exampleFiles, path.Base(page)), commands, printed)
			}
		})
	}
}

// serveInAFolder starts a server in a new folder, where commands find it.
func serveInAFolder(t *testing.T, programs string) (*served, place) {
	t.Helper()
	dir, listen, ops := t.TempDir(), freeAddress(t), freeAddress(t)
	environment := []string{"PATH=" + programs + ":" + os.Getenv("PATH"), "CLOAKROOM_LISTEN=" + listen, "CLOAKROOM_OPS_LISTEN=" + ops}
	s := serveAsShown(t, dir, "cloakroom serve", environment...)
	return s, place{
		dir: dir, address: s.address, code: s.code, environment: environment,
		stands: []string{
			strings.TrimPrefix(s.address, "http://"), "localhost:8080",
			listen, "127.0.0.1:8080", ops, "127.0.0.1:8081", dir + string(filepath.Separator), "/home/ada/",
		},
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// greeted returns what a server said when it started, before it went on with its log.
func greeted(t *testing.T, s *served, at place, c command) string {
	t.Helper()
	said := strings.NewReplacer(append(at.stands, at.address, "http://localhost:8080")...).Replace(s.printed(t))
	said, _, _ = strings.Cut(said, "\ntime=")
	if got, want := normal(said), normal(c.prints); got != want {
		t.Errorf("%s\nprints\n%s\nand not\n%s", c.line, got, want)
	}
	return said + "\n"
}

// rewrite has a file show what was printed.
func rewrite(t *testing.T, file string, commands []command, printed []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for i, p := range printed {
		c := commands[i]
		page = strings.Replace(page, "$ "+c.line+"\n"+c.prints, "$ "+c.line+"\n"+p, 1)
	}
	if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}
