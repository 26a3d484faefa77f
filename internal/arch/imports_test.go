package arch

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "cloakroom"

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Doc        string
	Imports    []string
	Standard   bool
}

// short is the path without the module's name.
func (p pkg) short() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

func packages(t *testing.T, patterns ...string) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Doc,Imports,Standard"}, patterns...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatal("go list found no package")
	}
	return all
}

// floors are the layers of the server, the highest first. A package imports
// packages of lower floors only, and of its own none but its own subpackages.
var floors = [][]string{
	{"cmd/cloakroom"},
	{"internal/cli"},
	{"internal/server", "deploy"},
	{"internal/web", "internal/api"},
	{"internal/problem", "internal/visitor", "forwardauth", "internal/db"},
	{"internal/authority"},
	{"internal/signin", "internal/config", "internal/control"},
	{"internal/factor", "internal/account", "internal/audit", "internal/throttle", "internal/link", "internal/setup"},
	{"session/sqlite", "session/memory", "session/sessiontest"},
	{"session", "internal/migrate", "internal/secret", "internal/notify"},
}

// apart are the packages that stand beside the house and may look at all of it.
var apart = []string{"internal/arch", "lab", "bench", "examples", "e2e", "internal/readme", "internal/conformance", "internal/product"}

func within(path string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return path == f || strings.HasPrefix(path, f+"/") })
}

// floor returns the index of a package's floor, and which folder of it. The
// deepest folder that fits decides: session/sqlite is not of session.
func floor(path string) (index int, folder string) {
	index = -1
	for i, folders := range floors {
		for _, f := range folders {
			if within(path, f) && len(f) > len(folder) {
				index, folder = i, f
			}
		}
	}
	return index, folder
}

func TestImportsPointDownwards(t *testing.T) {
	for _, p := range packages(t, "./...") {
		if within(p.short(), apart...) {
			continue
		}
		from, fromFolder := floor(p.short())
		if from < 0 {
			t.Errorf("%s stands on no floor: give it a place in floors, or none in the house", p.short())
			continue
		}
		for _, path := range p.Imports {
			if !strings.HasPrefix(path, module+"/") {
				continue
			}
			imported := strings.TrimPrefix(path, module+"/")
			to, toFolder := floor(imported)
			if to < from || to == from && toFolder != fromFolder {
				t.Errorf("%s imports %s, which does not stand below it", p.short(), imported)
			}
		}
	}
}

// A program that takes the core alone must take nothing else with it.
func TestTheCoreImportsTheStandardLibraryOnly(t *testing.T) {
	core := packages(t, "./session", "./session/internal/...", "./forwardauth")
	standard := map[string]bool{}
	for _, p := range packages(t, "-deps", "./session", "./session/internal/...", "./forwardauth") {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range core {
		for _, path := range p.Imports {
			own := within(path, module+"/session/internal") || path == module+"/session" && p.short() == "forwardauth"
			if !standard[path] && !own {
				t.Errorf("%s imports %s; the core imports the standard library only", p.short(), path)
			}
		}
	}
}

// Stores are chosen in one place, and the rest of the server cannot tell them
// apart.
func TestOnlyTheServerChoosesStores(t *testing.T) {
	stores := []string{"session/memory", "session/sqlite", "internal/db"}
	for _, p := range packages(t, "./...") {
		if within(p.short(), apart...) || within(p.short(), "internal/server", "internal/db", "session/sqlite", "session/memory") {
			continue
		}
		for _, path := range p.Imports {
			if within(strings.TrimPrefix(path, module+"/"), stores...) {
				t.Errorf("%s imports the store %s; only internal/server does", p.short(), path)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t, "./...") {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.short())
		}
	}
}
