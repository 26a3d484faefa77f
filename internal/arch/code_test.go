package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
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

func TestOnlyTheFeedTakesAuthorityOutOfTheCache(t *testing.T) {
	found := map[string]bool{}
	for _, s := range sources(t) {
		if filepath.Dir(s.path) != "session" && !strings.HasPrefix(s.path, "session/internal/feed/") {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				method, onCache := cacheMethod(call)
				allowed, writes := writers[method]
				if !onCache || !writes {
					return true
				}
				where := s.path + ":" + f.Name.Name
				found[method+" in "+where] = true
				for _, a := range allowed {
					if a == where {
						return true
					}
				}
				t.Errorf("%s writes the cache by %s; only %v may", where, method, allowed)
				return true
			})
		}
	}
	for method, allowed := range writers {
		for _, where := range allowed {
			if !found[method+" in "+where] {
				t.Errorf("%s no longer calls %s: the table of writers is out of date", where, method)
			}
		}
	}
}

// cacheMethod returns the method that is called, and whether it is called on
// something named cache.
func cacheMethod(call *ast.CallExpr) (name string, onCache bool) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	on, ok := method.X.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	return method.Sel.Name, strings.EqualFold(on.Sel.Name, "cache")
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
