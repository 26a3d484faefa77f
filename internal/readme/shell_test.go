package readme

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	// What is built and tested is this: a change of it has the tests run anew.
	_ "cloakroom/internal/product"
)

const atTheProxies = "examples/behind-a-proxy/behindaproxy_test.go: TestThePagesCommandsPrintWhatTheyShow"

// held says by which test the blocks of a page are held that are in no language of
// their own: what is to be typed, and what is printed. A test that is not of this
// package is named with its file, which has to name the page.
var held = map[string]map[string]string{
	"README.md": {
		"sh":      "TestTheReadmeHoldsInAFreshClone", // and TestShellLinesCanBeRun
		"console": "TestTheReadmeHoldsInAFreshClone",
		"":        "examples/outside/outside_test.go: TestAProgramOutsideTheRepositorySignsInAndOut",
	},
	"CONTRIBUTING.md":            {"sh": "TestShellLinesCanBeRun"},
	"ARCHITECTURE.md":            {"": "TestTheHouseIsWhatIsThere"},
	"docs/api.md":                {"console": "TestCommandsPrintWhatIsShown"},
	"docs/phones-and-scripts.md": {"console": "TestCommandsPrintWhatIsShown"},
	"docs/single-page-app.md":    {"sh": "e2e/spa_test.go: TestTheApplicationRunsAsItsPageShows"},
	"docs/operations.md":         {"console": "deploy/debian/machine_test.go: TestTheOperationsPageOnAMachineOfItsOwn"},
	"docs/proxies/index.md":      {"console": atTheProxies},
	"docs/proxies/nginx.md":      {"console": atTheProxies},
	"docs/proxies/caddy.md":      {"console": atTheProxies},
	"docs/proxies/haproxy.md":    {"console": atTheProxies},
	"docs/proxies/traefik.md":    {"console": atTheProxies},
}

// ofTheirOwn are the languages that tests of every page hold: see copied, and
// TestSettingsThatAreShownAreRight.
var ofTheirOwn = append([]string{"yaml"}, copied...)

func TestEveryBlockIsHeldByATest(t *testing.T) {
	for _, page := range allPages(t) {
		by := held[page]
		if slices.Contains(commandPages(t), page) {
			by = map[string]string{"console": "TestTheCommandsExamplesPrintWhatIsShown"}
		}
		for _, wrong := range unheld(page, read(t, page), by) {
			t.Error(wrong)
		}
	}
	for page, blocks := range held {
		for _, by := range blocks {
			file, test, elsewhere := strings.Cut(by, ": ")
			if !elsewhere {
				continue
			}
			text := read(t, file)
			if err := declared(file, []byte(text), test); err != nil {
				t.Errorf("%s is to be held by %s: %v", page, by, err)
			}
		}
	}
}

// fenced is a fence that stands where blocks does not look for one.
var fenced = regexp.MustCompile("^(?:[ \t>*-]+(?:```|~~~)|~~~)")

// unheld reports the blocks of a page that no test knows.
func unheld(name, page string, held map[string]string) (wrong []string) {
	found, prose := blocks(page)
	seen := map[string]bool{}
	for _, b := range found {
		seen[b.lang] = true
		if slices.Contains(ofTheirOwn, b.lang) || held[b.lang] != "" {
			continue
		}
		wrong = append(wrong, fmt.Sprintf("%s:%d: no test knows a block of %q of this page: have one run what it says, and name it in held", name, b.line, b.lang))
	}
	for i, line := range prose {
		if fenced.MatchString(line) {
			wrong = append(wrong, fmt.Sprintf("%s:%d: this block is seen by no test: begin it at the margin, with ```", name, i+1))
		}
	}
	for lang, by := range held {
		if !seen[lang] {
			wrong = append(wrong, fmt.Sprintf("%s has no block of %q any more for %s to hold", name, lang, by))
		}
	}
	return wrong
}

// remark is what a shell does not run of a line.
var remark = regexp.MustCompile(`(^|\s+)#.*$`)

// shellLines returns what a page's sh blocks have one type, without the remarks.
func shellLines(page string) (lines []string) {
	found, _ := blocks(page)
	for _, b := range found {
		if b.lang != "sh" {
			continue
		}
		for line := range strings.Lines(b.text) {
			if line := remark.ReplaceAllString(strings.TrimSpace(line), ""); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// mentioned returns the commands of make and go test in a page's prose.
func mentioned(page string) (lines []string) {
	_, prose := blocks(page)
	for _, code := range span.FindAllString(strings.Join(prose, "\n"), -1) {
		code = strings.Trim(code, "`")
		if code == "make" || strings.HasPrefix(code, "make ") || strings.HasPrefix(code, "go test ") {
			lines = append(lines, code)
		}
	}
	return lines
}

// TestShellLinesCanBeRun: what takes too long to be run within a test can be run at
// least. make has the target, and go test knows the flags, the packages and a test of
// that name.
func TestShellLinesCanBeRun(t *testing.T) {
	var lines []string
	for _, page := range allPages(t) {
		shell := shellLines(read(t, page))
		switch page {
		case "README.md":
			shell = shell[1:] // is run, by TestTheReadmeHoldsInAFreshClone
		case "docs/single-page-app.md":
			shell = nil // are run, by the test of e2e that held names
		}
		for _, line := range append(shell, mentioned(read(t, page))...) {
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) < 8 {
		t.Errorf("the pages say to run only %q", lines)
	}
	makefile := read(t, "Makefile")
	for _, line := range lines {
		if err := canBeRun(line, makefile); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// canBeRun says what is wrong with a line of make or go test, without doing it.
func canBeRun(line, makefile string) error {
	words := strings.Fields(line)
	switch {
	case words[0] == "make":
		for _, target := range words[1:] {
			if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(target) + `:`).MatchString(makefile) {
				return fmt.Errorf("the Makefile has no target %s", target)
			}
		}
		_, err := atRoot("make", append([]string{"--dry-run"}, words[1:]...)...)
		return err
	case strings.HasPrefix(line, "go test "):
		return testable(words[2:])
	}
	return fmt.Errorf("no test knows how to try this")
}

// testable says what is wrong with the arguments of go test. A test that is named is
// looked for by the test's own program, which has to know the flags, too; otherwise
// there have to be packages.
func testable(arguments []string) error {
	var packages []string
	for i, a := range arguments {
		if strings.HasPrefix(a, "./") {
			packages = append(packages, a)
		}
		if a == "-run" && i+1 < len(arguments) {
			test, _, _ := strings.Cut(arguments[i+1], "/")
			listing := slices.Concat([]string{"test", "-vet=off", "-list", test}, arguments[:i], arguments[i+2:])
			out, err := atRoot("go", listing...)
			if err == nil && !strings.HasPrefix(out, "Test") {
				err = fmt.Errorf("there is no such test")
			}
			return err
		}
	}
	for _, p := range packages {
		if out, err := atRoot("go", "list", p); err != nil || !strings.HasPrefix(out, "cloakroom/") {
			return fmt.Errorf("there is no package %s (%v): %s", p, err, out)
		}
	}
	if len(packages) == 0 {
		return fmt.Errorf("it names no package")
	}
	return nil
}

// atRoot runs a program where a reader is to stand.
func atRoot(name string, arguments ...string) (string, error) {
	c := exec.Command(name, arguments...)
	c.Dir = filepath.FromSlash(root)
	out, err := c.CombinedOutput()
	if err != nil { // an unknown flag is followed by all that are known
		what, _, _ := strings.Cut(string(out), "\nUsage")
		return "", fmt.Errorf("%w: %s", err, what)
	}
	return string(out), nil
}
