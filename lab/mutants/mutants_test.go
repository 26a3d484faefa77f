//go:build mutants

package mutants

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// mutant is one small breakage of the code, and what must notice it.
type mutant struct {
	pkg   string         // the package whose tests are run
	run   string         // which of them
	fails *regexp.Regexp // what the failure must say
	files []txtar.File   // search-and-replace blocks
}

func TestMutantsAreKilled(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no mutants found: %v", err)
	}
	for i, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fmt.Printf("mutant %d of %d: %s\n", i+1, len(paths), name)
			m := read(t, path)
			output, err := m.test(t, root)
			switch {
			case err == nil:
				t.Fatalf("the mutant lives: %s -run %s passes", m.pkg, m.run)
			case strings.Contains(output, "\npanic: "), strings.Contains(output, "panic: test timed out"):
				t.Fatalf("the mutant panics or hangs, which kills nothing:\n%s", output)
			case !strings.Contains(output, "--- FAIL: "), !m.fails.MatchString(output):
				t.Fatalf("the mutant was not killed by the assertion %q:\n%s", m.fails, output)
			}
		})
	}
}

// read reads a mutant: a txtar archive whose comment describes it, with the
// lines "package:", "test:" and "fails:", and whose files hold search-and-replace
// blocks for files of the same path.
func read(t *testing.T, path string) mutant {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := mutant{files: archive.Files}
	for line := range strings.Lines(string(archive.Comment)) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "package":
			m.pkg = value
		case "test":
			m.run = value
		case "fails":
			m.fails = regexp.MustCompile(value)
		}
	}
	if m.pkg == "" || m.run == "" || m.fails == nil || len(m.files) == 0 {
		t.Fatalf("%s: package, test, fails and at least one file are needed", path)
	}
	return m
}

// test runs the tests against the broken code, which exists only in an overlay.
func (m mutant) test(t *testing.T, root string) (output string, err error) {
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for i, f := range m.files {
		source := filepath.Join(root, f.Name)
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		broken := filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(broken, []byte(mutate(t, string(text), string(f.Data))), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[source] = broken
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	// What only goes wrong when two meet is met in one of several runs, on a machine
	// that has other things to do.
	cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", file, "-count=5", "-failfast", "-vet=off",
		"-timeout=90s", "-run", m.run, m.pkg)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var block = regexp.MustCompile(`(?s)<<<<<<<\n(.*?)=======\n(.*?)>>>>>>>\n`)

// mutate carries out the blocks. What is searched must stand there once: a
// mutant that no longer fits the code is an error, not a success.
func mutate(t *testing.T, text, blocks string) string {
	all := block.FindAllStringSubmatch(blocks, -1)
	if len(all) == 0 {
		t.Fatal("no search-and-replace block")
	}
	for _, b := range all {
		if n := strings.Count(text, b[1]); n != 1 {
			t.Fatalf("this stands %d times in the code, not once:\n%s", n, b[1])
		}
		text = strings.Replace(text, b[1], b[2], 1)
	}
	return text
}
