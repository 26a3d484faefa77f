package readme

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository.
const root = "../.."

// rootPages stand beside the sources, and are part of the site, too.
var rootPages = []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"}

// docsPages returns every page under docs, by its path from the root.
func docsPages(t *testing.T) (pages []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), "docs", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Ext(name) == ".md" {
			pages = append(pages, name)
		}
		return err
	})
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	return pages
}

func allPages(t *testing.T) []string {
	t.Helper()
	return slices.Concat(rootPages, docsPages(t))
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(path.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is a fenced block of a page.
type block struct {
	lang, text string
	source     string // what a comment on the line before says that it is a copy of
	line       int
}

// blocks returns the fenced blocks of a page, and its lines outside of them: a
// line inside is "".
func blocks(page string) (found []block, prose []string) {
	var open *block
	before := ""
	for i, line := range strings.Split(page, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case open != nil && isFence:
			found = append(found, *open)
			open, line = nil, ""
		case open != nil:
			open.text += line + "\n"
			line = ""
		case isFence:
			open = &block{lang: fence, source: commented(before), line: i + 1}
			line = ""
		}
		prose = append(prose, line)
		before = line
	}
	return found, prose
}

var comment = regexp.MustCompile(`^<!-- (.+) -->$`)

func commented(line string) string {
	if m := comment.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return ""
}
