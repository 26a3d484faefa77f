package readme

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"cloakroom/internal/config"
)

// copied are the languages whose blocks are copies of files that are compiled or
// run by tests.
var copied = []string{"go", "js"}

// TestCodeIsCopiedFromFilesThatAreTested: before a block of code stands a comment
// that says where it comes from: a file, or of a Go file some declarations,
//
//	<!-- examples/library/main.go -->
//	<!-- examples/library/signin.go: verify, signIn -->
func TestCodeIsCopiedFromFilesThatAreTested(t *testing.T) {
	for _, page := range allPages(t) {
		found, _ := blocks(read(t, page))
		for _, b := range found {
			if !slices.Contains(copied, b.lang) {
				continue
			}
			want, err := source(os.DirFS(root), b.source)
			if err != nil {
				t.Errorf("%s:%d: %v", page, b.line, err)
			} else if b.text != want {
				t.Errorf("%s:%d shows something else than %s, which is\n%s", page, b.line, b.source, want)
			}
		}
	}
}

// source returns the text that a comment names.
func source(files fs.FS, comment string) (string, error) {
	if comment == "" {
		return "", fmt.Errorf("no comment says which file this is a copy of")
	}
	name, names, some := strings.Cut(comment, ": ")
	text, err := fs.ReadFile(files, name)
	if err != nil || !some {
		return string(text), err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, wanted := range strings.Split(names, ", ") {
		part := ""
		for _, d := range file.Decls {
			if slices.Contains(declares(d), wanted) {
				part = string(text[set.Position(begins(d)).Offset:set.Position(d.End()).Offset])
			}
		}
		if part == "" {
			return "", fmt.Errorf("%s declares no %s", name, wanted)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "\n\n") + "\n", nil
}

// declares returns the names that a declaration of a file declares.
func declares(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return []string{d.Name.Name}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			}
		}
	}
	return names
}

// begins is where a declaration begins, with its comment.
func begins(d ast.Decl) token.Pos {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc != nil {
			return d.Doc.Pos()
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			return d.Doc.Pos()
		}
	}
	return d.Pos()
}

// TestSettingsThatAreShownAreRight: each block of YAML is a file that can be served
// with.
func TestSettingsThatAreShownAreRight(t *testing.T) {
	shown := 0
	for _, page := range allPages(t) {
		found, _ := blocks(read(t, page))
		for _, b := range found {
			if b.lang != "yaml" {
				continue
			}
			shown++
			file := path.Join(t.TempDir(), "cloakroom.yaml")
			if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
			loaded, err := config.Load(file, nil, nil)
			if err == nil {
				_, err = loaded.Settings()
			}
			if err != nil {
				t.Errorf("%s:%d: %v", page, b.line, err)
			}
		}
	}
	if shown == 0 {
		t.Error("no page shows settings")
	}
}
