package conformance

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// test is a function that shows rows.
type test struct {
	name string
	file string // in this package's folder
	rows []int
}

var (
	testName  = regexp.MustCompile(`^TestRow\d{3}(?:And\d{3})*[A-Z]\w+$`)
	rowNumber = regexp.MustCompile(`(?:Row|And)(\d{3})`)
)

// findTests reads which tests there are from their sources. A function that
// begins like a test of a row and is not named like one is an error.
func findTests(folder fs.FS) ([]test, error) {
	files, err := fs.Glob(folder, "*_test.go")
	if err != nil {
		return nil, err
	}
	var tests []test
	for _, name := range files {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "TestRow") {
				continue
			}
			if !testName.MatchString(f.Name.Name) {
				return nil, fmt.Errorf("%s: %s does not name its rows like TestRow001And002What", name, f.Name.Name)
			}
			tests = append(tests, test{f.Name.Name, name, rowsOf(f.Name.Name)})
		}
	}
	return tests, nil
}

// rowsOf returns the numbers that stand at the beginning of a test's name.
func rowsOf(name string) (rows []int) {
	for _, m := range rowNumber.FindAllStringSubmatch(name, -1) {
		n, _ := strconv.Atoi(m[1]) // three digits
		rows = append(rows, n)
	}
	return rows
}

// check reports each row that says it is shown and has no test, each test of a
// row that nothing can be shown of, and each number that is missing or stands twice.
func check(sections []section, tests []test) (wrong []string) {
	claimed := map[int]bool{}
	next := 1
	for _, s := range sections {
		for _, r := range s.Rows {
			if r.Number != next {
				wrong = append(wrong, fmt.Sprintf("row %d stands where %d should", r.Number, next))
			}
			next = r.Number + 1
			claimed[r.Number] = r.State == Shown || r.State == Departs || r.State == NotBuilt
			if r.State == Shown && len(showing(r.Number, tests)) == 0 {
				wrong = append(wrong, fmt.Sprintf("row %d says that a test shows it, and there is none", r.Number))
			}
			if r.State != Shown && r.Note == "" {
				wrong = append(wrong, fmt.Sprintf("row %d does not say why it is %s", r.Number, r.State))
			}
		}
	}
	for _, t := range tests {
		for _, n := range t.rows {
			if !claimed[n] {
				wrong = append(wrong, fmt.Sprintf("%s is for row %d, which is for no test to show", t.name, n))
			}
		}
	}
	return wrong
}

func showing(row int, tests []test) (found []test) {
	for _, t := range tests {
		if slices.Contains(t.rows, row) {
			found = append(found, t)
		}
	}
	return found
}

// intro stands above the rows.
//
//go:embed intro.md
var intro string

// page is the text of docs/conformance.md.
func page(sections []section, tests []test) string {
	var b strings.Builder
	b.WriteString(intro)
	counts := map[State]int{}
	for _, s := range sections {
		for _, r := range s.Rows {
			counts[r.State]++
		}
	}
	b.WriteString("\n| state | rows |\n|---|---|\n")
	for _, s := range states {
		fmt.Fprintf(&b, "| %s | %d |\n", s, counts[s])
	}
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n| # | source | level | requirement | state |\n|---|---|---|---|---|\n", s.Title)
		for _, r := range s.Rows {
			fmt.Fprintf(&b, "| %d | %s | %s | %s | %s |\n", r.Number, r.Sources, r.Level, r.Text, r.standing(tests))
		}
	}
	return b.String()
}

// standing is what the page says of a row's state: its tests if it has any, and
// its note.
func (r Row) standing(tests []test) string {
	var parts []string
	if r.State != Shown {
		parts = append(parts, "**"+string(r.State)+"**")
	}
	for _, t := range showing(r.Number, tests) {
		parts = append(parts, fmt.Sprintf("[%s](%s)", t.name, path.Join("../internal/conformance", t.file)))
	}
	text := strings.Join(parts, ", ")
	if r.Note != "" {
		text += ": " + r.Note
	}
	return text
}
