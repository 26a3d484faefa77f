package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Lengths beyond which a part with a name of its own is waiting to be found.
const (
	maxFile      = 600
	maxFunction  = 80
	maxInterface = 7
)

// source is one Go file of the module that is not a test.
type source struct {
	path string // from the root
	set  *token.FileSet
	file *ast.File
	size int // lines
}

func sources(t *testing.T) []source {
	t.Helper()
	root := os.DirFS("../..")
	var all []source
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != ".":
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{path, set, file, strings.Count(string(text), "\n")})
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	return all
}

func (s source) lines(n ast.Node) int {
	return s.set.Position(n.End()).Line - s.set.Position(n.Pos()).Line + 1
}

func TestNothingIsTooLong(t *testing.T) {
	for _, s := range sources(t) {
		if s.size > maxFile {
			t.Errorf("%s has %d lines, more than %d", s.path, s.size, maxFile)
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if l := s.lines(n); l > maxFunction {
					t.Errorf("%s: %s has %d lines, more than %d", s.path, n.Name.Name, l, maxFunction)
				}
			case *ast.InterfaceType:
				if l := n.Methods.NumFields(); l > maxInterface {
					t.Errorf("%s: an interface of %d methods, more than %d", s.path, l, maxInterface)
				}
			}
			return true
		})
	}
}

// writers are the functions that may change what a node has cached. Only the
// feed takes authority out; a load and a sign-in put a record, a load buries
// what it found revoked, and the touch marks are collected in one place.
var writers = map[string][]string{
	"Drop":        {"session/internal/feed/feed.go:apply"},
	"Reset":       {"session/internal/feed/feed.go:carryOut"},
	"Bury":        {"session/internal/feed/feed.go:apply", "session/load.go:judge"},
	"Put":         {"session/load.go:remember"},
	"TakeTouch":   {"session/seen.go:settleIdle"},
	"TakeTouches": {"session/seen.go:collectSeen"},
}

// ringWriters are those of the ring, which keeps old news out of the cache.
var ringWriters = map[string][]string{
	"Add":   {"session/internal/feed/feed.go:carryOut"},
	"Reset": {"session/internal/feed/feed.go:carryOut"},
}

func inNode(path string) bool {
	return filepath.Dir(path) == "session" || strings.HasPrefix(path, "session/internal/feed/")
}

func TestOnlyTheFeedTakesAuthorityOutOfTheCache(t *testing.T) {
	callsOnlyFrom(t, writers, inNode, "cache")
	callsOnlyFrom(t, ringWriters, inNode, "ring")
}

// Under another name the cache and the ring would escape the test above: they
// are called where they stand, and given away in two places.
func TestTheCacheAndTheRingHaveNoOtherName(t *testing.T) {
	given := []string{"session/manager.go:New", "session/internal/feed/feed.go:Ring"}
	for _, s := range sources(t) {
		if !inNode(s.path) {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || slices.Contains(given, s.path+":"+f.Name.Name) {
				continue
			}
			for _, n := range givenAway(f, "cache", "ring") {
				t.Errorf("%s: the cache or the ring is used other than by calling its method", s.set.Position(n.Pos()))
			}
		}
	}
}

// givenAway returns where a field of one of these names, or what a method of
// that name returns, in whatever case, is not called a method of.
func givenAway(d *ast.FuncDecl, names ...string) (places []ast.Node) {
	calls := map[ast.Expr]*ast.CallExpr{} // what is called, and by which call
	called := map[ast.Expr]bool{}         // what a method is called of
	ast.Inspect(d, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			calls[call.Fun] = call
			if method, ok := call.Fun.(*ast.SelectorExpr); ok {
				called[method.X] = true
			}
		}
		return true
	})
	ast.Inspect(d, func(n ast.Node) bool {
		x, ok := n.(*ast.SelectorExpr)
		if !ok || !slices.Contains(names, strings.ToLower(x.Sel.Name)) {
			return true
		}
		var it ast.Expr = x
		if call := calls[x]; call != nil {
			it = call
		}
		if !called[it] {
			places = append(places, x)
		}
		return true
	})
	return places
}

// changers are the functions that may change an account's credentials, roles or
// status, or make or delete one. In each of them the epoch or the profile of its
// sessions moves in the same transaction, which authority's table of acts holds, and
// internal/server's tests of the change of one's own password. A new one has to be
// added there too.
var changers = map[string][]string{
	"Create":      {"internal/authority/links.go:Invite", "internal/authority/operator.go:CreateAccount", "internal/signin/signin.go:NewAccount"},
	"SetPassword": {"internal/authority/operator.go:SetPassword", "internal/authority/redeem.go:redeem", "internal/signin/signin.go:ChangePassword"},
	"Rehash":      {"internal/signin/signin.go:rehash"},
	"SetStatus":   {"internal/authority/status.go:Disable", "internal/authority/status.go:Enable"},
	"SetAdmin":    {"internal/authority/links.go:Invite", "internal/authority/operator.go:CreateAccount", "internal/authority/setup.go:SetUp", "internal/authority/profile.go:setProfile"},
	"Delete":      {"internal/authority/status.go:Delete"},
}

func TestOnlyAFewFunctionsChangeWhatAnAccountMayDo(t *testing.T) {
	callsOnlyFrom(t, changers, func(path string) bool { return strings.HasPrefix(path, "internal/") }, "accounts", "directory")
}

// callsOnlyFrom fails if a method of the table is called from elsewhere than it
// says, on a field of one of these names in whatever case, and if a place that
// it names no longer calls it.
func callsOnlyFrom(t *testing.T, table map[string][]string, within func(path string) bool, fields ...string) {
	t.Helper()
	found := map[string]bool{}
	for _, s := range sources(t) {
		if !within(s.path) {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				method, on := methodOf(n)
				allowed, listed := table[method]
				if !listed || !slices.Contains(fields, strings.ToLower(on)) {
					return true
				}
				where := s.path + ":" + f.Name.Name
				found[method+" in "+where] = true
				if !slices.Contains(allowed, where) {
					t.Errorf("%s calls %s.%s; only %v may", where, on, method, allowed)
				}
				return true
			})
		}
	}
	for method, allowed := range table {
		for _, where := range allowed {
			if !found[method+" in "+where] {
				t.Errorf("%s no longer calls %s: the table is out of date", where, method)
			}
		}
	}
}

// methodOf returns the method that is called, if n is a call of one, and the name
// of the field that it is called on, or of the method that returned what it is
// called on.
func methodOf(n ast.Node) (method, field string) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return "", ""
	}
	selected, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	on := selected.X
	if getter, ok := on.(*ast.CallExpr); ok {
		on = getter.Fun
	}
	if x, ok := on.(*ast.SelectorExpr); ok {
		return selected.Sel.Name, x.Sel.Name
	}
	return "", ""
}

// Below the Manager nobody asks what time it is: one clock decides.
func TestOnlyTheManagerReadsTheClock(t *testing.T) {
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.path, "session/") || s.path == "session/manager.go" || strings.HasPrefix(s.path, "session/sessiontest/") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Now" || f.Sel.Name == "Since") {
				if x, ok := f.X.(*ast.Ident); ok && x.Name == "time" {
					t.Errorf("%s calls time.%s", s.set.Position(n.Pos()), f.Sel.Name)
				}
			}
			return true
		})
	}
}

// What is exported is a promise, so it says what it promises.
func TestEverythingExportedHasAComment(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
					t.Errorf("%s: %s has no comment", s.set.Position(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if typ, ok := spec.(*ast.TypeSpec); ok && typ.Name.IsExported() && d.Doc == nil && typ.Doc == nil {
						t.Errorf("%s: %s has no comment", s.set.Position(typ.Pos()), typ.Name.Name)
					}
				}
			}
		}
	}
}

// exportedReceiver reports whether a function is none's method, or that of an
// exported type and not one that an interface of the standard library explains.
func exportedReceiver(d *ast.FuncDecl) bool {
	switch d.Name.Name {
	case "Error", "Unwrap", "String", "Scan", "ServeHTTP", "Engine":
		return false
	}
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	name, ok := typ.(*ast.Ident)
	return ok && name.IsExported()
}

// A client without a time limit waits for ever, and a print goes where nobody
// has asked for it.
func TestNothingIsUsedThatHasNoLimitOrNoReader(t *testing.T) {
	forbidden := map[string]bool{"http.DefaultClient": true, "http.Get": true, "http.Post": true,
		"fmt.Print": true, "fmt.Printf": true, "fmt.Println": true}
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && forbidden[x.Name+"."+sel.Sel.Name] {
					t.Errorf("%s uses %s.%s", s.set.Position(n.Pos()), x.Name, sel.Sel.Name)
				}
			}
			return true
		})
	}
}
