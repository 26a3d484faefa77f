package readme

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cloakroom/internal/audit"
	"cloakroom/session"
)

// unshown returns the rows of a page's tables that say by which test they are
// shown, and do not.
func unshown(page string) (rows []string) {
	_, prose := blocks(page)
	in := false
	for _, line := range prose {
		switch {
		case !strings.HasPrefix(line, "|"):
			in = false
		case strings.HasSuffix(line, "| shown by |"):
			in = true
		case in && !strings.HasPrefix(line, "|---"):
			cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
			if !strings.Contains(cells[len(cells)-1], "](") {
				rows = append(rows, line)
			}
		}
	}
	return rows
}

func TestEveryPromiseHasItsTest(t *testing.T) {
	for name, least := range map[string]int{"docs/guarantees.md": 7, "docs/security.md": 8} {
		page := read(t, name)
		if n := strings.Count(page, "| shown by |"); n < least {
			t.Errorf("%s: %d tables say what they are shown by", name, n)
		}
		for _, row := range unshown(page) {
			t.Errorf("%s: no test is named: %s", name, row)
		}
	}
}

func TestTheReadmesPromisesAreThoseOfTheirPage(t *testing.T) {
	readme, page := read(t, "README.md"), read(t, "docs/guarantees.md")
	_, table, _ := strings.Cut(readme, "| after a revocation has returned")
	table, _, found := strings.Cut(table, "\n\n")
	if !found || strings.Count(table, "\n") < 5 || !strings.Contains(page, table) {
		t.Errorf("docs/guarantees.md does not have the README's table:\n%s", table)
	}
}

func TestTheLibrarysErrorsHaveTheStatusesThatAreShown(t *testing.T) {
	page, rows := read(t, "docs/library.md"), 0
	for name, err := range map[string]error{
		"ErrNoSession": session.ErrNoSession, "ErrNotRecent": session.ErrNotRecent, "ErrForbidden": session.ErrForbidden,
		"ErrOrigin": session.ErrOrigin, "ErrMoved": session.ErrMoved, "ErrDeleted": session.ErrDeleted,
		"ErrSessionLimit": session.ErrSessionLimit, "ErrTooLarge": session.ErrTooLarge, "ErrInvalid": session.ErrInvalid,
		"ErrUnavailable": session.ErrUnavailable, "ErrUnknownOutcome": session.ErrUnknownOutcome, "ErrWrongStore": session.ErrWrongStore,
	} {
		w := httptest.NewRecorder()
		session.Problem(w, nil, err)
		if row := fmt.Sprintf("\n| `%s` | %d |", name, w.Code); !strings.Contains(page, row) {
			t.Errorf("docs/library.md has no row %s", row)
		}
		rows++
	}
	declared := regexp.MustCompile(`(?m)^\t(Err\w+) += errors.New`).FindAllString(read(t, "session/errors.go"), -1)
	if len(declared) != rows {
		t.Errorf("package session has %d errors and %d are looked at", len(declared), rows)
	}
}

func TestTheLibrarysLimitsAreThoseThatAreShown(t *testing.T) {
	page := read(t, "docs/library.md")
	for name, limit := range map[string]int{
		"MaxSubject": session.MaxSubject, "MaxName": session.MaxName, "MaxEmail": session.MaxEmail, "MaxRoles": session.MaxRoles,
		"MaxRole": session.MaxRole, "MaxAttributes": session.MaxAttributes, "MaxData": session.MaxData, "MaxKey": session.MaxKey,
	} {
		if row := fmt.Sprintf("\n| `%s` | %d |", name, limit); !strings.Contains(page, row) {
			t.Errorf("docs/library.md has no row %s", row)
		}
	}
}

// problemType is where a type of a problem document is written down in Go.
var problemType = regexp.MustCompile(`(?:urn \+ "|urn:cloakroom:problem:)([a-z-]+)"`)

// problemTypes are all that an answer of the server can have.
func problemTypes(t *testing.T) (types []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "internal/problem/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(files, filepath.Join(root, "session/answer.go")) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range problemType.FindAllStringSubmatch(string(text), -1) {
			types = append(types, m[1])
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

func TestThePageOfTheAPIHasEveryProblem(t *testing.T) {
	types := problemTypes(t)
	if len(types) < 20 {
		t.Fatalf("only %q were found", types)
	}
	var shown []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| \\d{3}").FindAllStringSubmatch(read(t, "docs/api.md"), -1) {
		shown = append(shown, m[1])
	}
	slices.Sort(shown)
	if !slices.Equal(shown, types) {
		t.Errorf("docs/api.md has the problems\n%q\nand there are\n%q", shown, types)
	}
}

func TestThePageOfTheLogHasEveryEventOfTheRecord(t *testing.T) {
	var shown []audit.Event
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+\\.[a-z_]+)` \\| [^|]+ \\|$").FindAllStringSubmatch(read(t, "docs/logs.md"), -1) {
		shown = append(shown, audit.Event(m[1]))
	}
	if want := audit.Events(); !slices.Equal(shown, want) {
		t.Errorf("docs/logs.md has the events\n%q\nand there are\n%q", shown, want)
	}
}

func TestContributingHasEveryPartOfMakeTest(t *testing.T) {
	m := regexp.MustCompile(`(?m)^test: tools (.+)$`).FindStringSubmatch(read(t, "Makefile"))
	if m == nil {
		t.Fatal("the Makefile has no target test that begins with tools")
	}
	var rows []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z]+`(?:, `[a-z]+`)*) \\| [^|]+ \\|$").FindAllStringSubmatch(read(t, "CONTRIBUTING.md"), -1) {
		rows = append(rows, strings.Fields(strings.NewReplacer("`", "", ",", "").Replace(row[1]))...)
	}
	if got := strings.Join(rows, " "); got != m[1] {
		t.Errorf("CONTRIBUTING.md explains %q, and make test does %q", got, m[1])
	}
}

// TestTheHouseIsWhatIsThere: what the plan of the house names is a folder.
func TestTheHouseIsWhatIsThere(t *testing.T) {
	found, _ := blocks(read(t, "ARCHITECTURE.md"))
	named := 0
	for line := range strings.Lines(found[0].text) {
		for i, name := range strings.Fields(line) {
			if i > 0 && !strings.Contains(name, "/") || strings.HasSuffix(name, ".md") {
				continue // which is what it is for
			}
			named++
			if info, err := os.Stat(filepath.Join(root, name)); err != nil || !info.IsDir() {
				t.Errorf("ARCHITECTURE.md says that there is a folder %s (%v)", name, err)
			}
		}
	}
	if named < 35 {
		t.Errorf("the plan names %d folders", named)
	}
}
