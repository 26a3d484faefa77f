package readme

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	for _, page := range allPages(t) {
		for _, wrong := range wrongLinks(os.DirFS(root), page) {
			t.Error(wrong)
		}
	}
}

var (
	link     = regexp.MustCompile(`\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]*)\)`)
	span     = regexp.MustCompile("`[^`\n]+`")
	elsewise = regexp.MustCompile(`^(https?|mailto):`)
	testName = regexp.MustCompile(`^(Test|Fuzz|Example)\w+$`)
)

// wrongLinks reports the links of a page that lead nowhere. One whose text is the
// name of a test has to lead to the file that declares it, and one whose text is
// in quotes to a file that has it.
func wrongLinks(files fs.FS, page string) (wrong []string) {
	text, err := fs.ReadFile(files, page)
	if err != nil {
		return []string{err.Error()}
	}
	_, lines := blocks(string(text))
	prose := span.ReplaceAllStringFunc(strings.Join(lines, "\n"), func(code string) string {
		if strings.Contains(code, "](") { // which is no link
			return ""
		}
		return code
	})
	for _, m := range link.FindAllStringSubmatchIndex(prose, -1) { // a text may go on in the next line
		shows, target := strings.Trim(prose[m[2]:m[3]], "`"), prose[m[4]:m[5]]
		if elsewise.MatchString(target) {
			continue
		}
		if err := leads(files, page, shows, target); err != nil {
			line := strings.Count(prose[:m[0]], "\n") + 1
			wrong = append(wrong, fmt.Sprintf("%s:%d: %s: %v", page, line, prose[m[0]:m[1]], err))
		}
	}
	return wrong
}

func leads(files fs.FS, page, shows, target string) error {
	name, anchor, anchored := strings.Cut(target, "#")
	to := page
	if name != "" {
		to = path.Join(path.Dir(page), name)
	}
	info, err := fs.Stat(files, to)
	if err != nil || info.IsDir() {
		return err
	}
	text, err := fs.ReadFile(files, to)
	switch {
	case err != nil:
		return err
	case anchored && !slices.Contains(anchors(string(text)), anchor):
		return fmt.Errorf("%s has no heading with this anchor", to)
	case testName.MatchString(shows) && path.Ext(to) == ".go":
		return declared(to, text, shows)
	case strings.HasPrefix(shows, `"`) && !strings.Contains(string(text), shows):
		return fmt.Errorf("%s does not say that", to)
	}
	return nil
}

func declared(name string, text []byte, function string) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		if slices.Contains(declares(d), function) {
			return nil
		}
	}
	return fmt.Errorf("%s does not declare it", name)
}

var notInAnchors = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)

// anchors returns the anchors of a page's headings that are the same where the
// repository is shown and on the site: the one makes a hyphen of each space, the
// other of several together.
func anchors(page string) (found []string) {
	_, prose := blocks(page)
	for _, line := range prose {
		heading := strings.TrimLeft(line, "#")
		if heading == line || !strings.HasPrefix(heading, " ") {
			continue
		}
		heading = link.ReplaceAllString(strings.TrimSpace(heading), "$1")
		anchor := strings.ReplaceAll(notInAnchors.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
		if !strings.Contains(anchor, "--") {
			found = append(found, anchor)
		}
	}
	return found
}
