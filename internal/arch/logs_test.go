package arch

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// line is what is logged: a message with its level, and with the keys that come
// with it.
type line struct {
	level string
	keys  string // in order, with spaces between
}

// levels are the methods of slog.Logger that log, by their level. Those that take
// a context take it first.
var levels = map[string]string{
	"Debug": "debug", "Info": "info", "Warn": "warn", "Error": "error",
	"DebugContext": "debug", "InfoContext": "info", "WarnContext": "warn", "ErrorContext": "error",
	"Log": "?", "LogAttrs": "?",
}

// loggers are what such a method is called on.
var loggers = regexp.MustCompile(`^(?i:.*logger|slog|log)$`)

// notProduct are the parts of the module whose log nobody keeps.
var notProduct = []string{"bench/", "examples/", "lab/", "e2e/", "internal/conformance/", "session/sessiontest/"}

// TestTheCatalogueOfTheLogIsWhole: docs/logs.md has every message that the product
// logs, with its level and its keys, and no other.
func TestTheCatalogueOfTheLogIsWhole(t *testing.T) {
	listed, logged := catalogue(t), map[string]line{}
	for _, s := range sources(t) {
		if slices.ContainsFunc(notProduct, func(part string) bool { return strings.HasPrefix(s.path, part) }) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			message, l, ok := s.logs(t, call)
			if ok {
				logged[message] = l
			}
			return true
		})
	}
	if len(logged) < 20 {
		t.Fatalf("only %d messages are found; are they still logged by package slog?", len(logged))
	}
	for message, l := range logged {
		switch is, ok := listed[message]; {
		case !ok:
			t.Errorf("docs/logs.md does not say what %q means", message)
		case is != l:
			t.Errorf("docs/logs.md has %q as %v, and it is logged as %v", message, is, l)
		}
	}
	for message := range listed {
		if _, ok := logged[message]; !ok {
			t.Errorf("docs/logs.md has %q, which is logged nowhere", message)
		}
	}
}

// logs reports whether a call logs, and what. A message must be written out, so
// that it can be looked for, and begin with the part of the product that it comes
// from.
func (s source) logs(t *testing.T, call *ast.CallExpr) (message string, l line, ok bool) {
	f, isMethod := call.Fun.(*ast.SelectorExpr)
	if !isMethod || levels[f.Sel.Name] == "" || !loggers.MatchString(lastName(f.X)) {
		return "", line{}, false
	}
	where, args := s.set.Position(call.Pos()), call.Args
	if strings.HasSuffix(f.Sel.Name, "Context") && len(args) > 0 {
		args = args[1:]
	}
	l.level = levels[f.Sel.Name]
	if l.level == "?" || len(args) == 0 || call.Ellipsis.IsValid() {
		t.Errorf("%s: what is logged here cannot be told; call Info, Warn or another by its level", where)
		return "", line{}, false
	}
	message, ok = text(args[0])
	if !ok || !regexp.MustCompile(`^[a-z]+: `).MatchString(message) {
		t.Errorf("%s: a message must be written out, and begin with where it comes from, as in %q", where, "server: stopping")
		return "", line{}, false
	}
	var keys []string
	for i := 1; i < len(args); i += 2 {
		key, ok := text(args[i])
		if !ok {
			t.Errorf("%s: a key must be written out", where)
		}
		keys = append(keys, key)
	}
	l.keys = strings.Join(keys, " ")
	return message, l, true
}

// lastName is the name that an expression ends with.
func lastName(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	case *ast.CallExpr:
		return lastName(x.Fun)
	}
	return ""
}

func text(x ast.Expr) (string, bool) {
	literal, ok := x.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(literal.Value)
	return s, err == nil
}

// catalogue reads the tables of docs/logs.md.
func catalogue(t *testing.T) map[string]line {
	t.Helper()
	page, err := os.ReadFile("../../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]line{}
	part := ""
	for row := range strings.Lines(string(page)) {
		if heading, ok := strings.CutPrefix(row, "## "); ok {
			part = strings.TrimSpace(heading)
		}
		cells := strings.Split(row, "|")
		if len(cells) != 6 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		message := strings.Trim(cells[1], " `")
		if _, twice := listed[message]; twice {
			t.Errorf("%q stands twice", message)
		}
		if from, _, _ := strings.Cut(message, ":"); !strings.Contains(part, from) {
			t.Errorf("%q stands under %q", message, part)
		}
		if len(strings.TrimSpace(cells[4])) < 20 {
			t.Errorf("%q is not explained", message)
		}
		listed[message] = line{strings.TrimSpace(cells[2]), strings.ReplaceAll(strings.TrimSpace(cells[3]), "`", "")}
	}
	return listed
}
