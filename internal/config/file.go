package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/printer"
	"github.com/goccy/go-yaml/token"
)

// maxFile is far beyond any file that somebody wrote.
const maxFile = 1 << 20

// file reads a configuration file: one YAML mapping of the known keys, each once.
// A key with a dot may stand as it is, or below the part before the dot.
type file struct {
	path   string
	keys   map[string]Key
	values map[string]fileValue // by Key.Name
}

// fileValue is what the file says of a key, and where.
type fileValue struct {
	text    string
	line    int
	excerpt string // the lines around it, with its own marked
}

// readFile returns what the file says. Its errors show the line at fault.
func readFile(path string) (map[string]fileValue, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("config: there is no file %s; write one, or leave out --config", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("config: %s may not be read by this user; change its owner or its mode", path)
	case err != nil:
		return nil, fmt.Errorf("config: %w", err)
	case len(text) > maxFile:
		return nil, fmt.Errorf("config: %s is larger than %d bytes", path, maxFile)
	}
	return parseFile(path, text)
}

func parseFile(path string, text []byte) (map[string]fileValue, error) {
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fmt.Errorf("config: %s cannot be read as YAML: %s", path, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	f := &file{path: path, keys: map[string]Key{}, values: map[string]fileValue{}}
	for _, k := range Keys() {
		f.keys[k.Name] = k
	}
	var bodies []ast.Node
	for _, d := range parsed.Docs {
		if d.Body != nil && d.Body.Type() != ast.NullType {
			bodies = append(bodies, d.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return f.values, nil
	case 1:
		return f.values, f.mapping(bodies[0], "")
	}
	return nil, f.wrong(bodies[1].GetToken(), "a second document begins here; a configuration is one")
}

// mapping reads the keys below prefix, which is "" or ends with a dot.
func (f *file) mapping(n ast.Node, prefix string) error {
	m, ok := n.(ast.MapNode)
	if !ok {
		return f.wrong(n.GetToken(), "there must be keys here, such as %s", f.example(prefix))
	}
	for entries := m.MapRange(); entries.Next(); {
		name := prefix + entries.Key().GetToken().Value
		value := entries.Value()
		k, known := f.keys[name]
		switch {
		case known:
			if err := f.take(k, value, entries.Key().GetToken()); err != nil {
				return err
			}
		case f.example(name+".") != "":
			if err := f.mapping(value, name+"."); err != nil {
				return err
			}
		default:
			return f.wrong(entries.Key().GetToken(), "there is no key %q; cloakroom config show lists all there are", name)
		}
	}
	return nil
}

// example is a key that begins with prefix, or "".
func (f *file) example(prefix string) string {
	for _, k := range Keys() {
		if strings.HasPrefix(k.Name, prefix) {
			return k.Name
		}
	}
	return ""
}

// take keeps the value of a key.
func (f *file) take(k Key, n ast.Node, at *token.Token) error {
	if _, twice := f.values[k.Name]; twice {
		return f.wrong(at, "%s stands twice", k.Name)
	}
	text, err := f.text(k, n)
	if err != nil {
		return err
	}
	f.values[k.Name] = fileValue{text, at.Position.Line, f.excerpt(at)}
	return nil
}

// text is the value as a flag would have it.
func (f *file) text(k Key, n ast.Node) (string, error) {
	if k.Name == "policies" {
		return f.policies(n)
	}
	if list, ok := n.(*ast.SequenceNode); ok && k.List {
		var parts []string
		for _, v := range list.Values {
			part, err := f.scalar(k, v)
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, ","), nil
	}
	return f.scalar(k, n)
}

func (f *file) scalar(k Key, n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	case *ast.NullNode:
		return "", f.wrong(n.GetToken(), "%s has no value; write one, or leave the key out", k.Name)
	}
	if k.List {
		return "", f.wrong(n.GetToken(), "%s must be a text, or a list of texts", k.Name)
	}
	return "", f.wrong(n.GetToken(), "%s must be a single value", k.Name)
}

// policies reads them here once, so that an error shows the line.
func (f *file) policies(n ast.Node) (string, error) {
	var all map[string]written
	if err := yaml.NodeToValue(n, &all, yaml.Strict()); err != nil {
		return "", fmt.Errorf("config: %s: policies: %s", f.path, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	var loose map[string]any
	if err := yaml.NodeToValue(n, &loose); err != nil {
		return "", fmt.Errorf("config: %s: policies: %w", f.path, err)
	}
	text, err := yaml.MarshalWithOptions(loose, yaml.Flow(true))
	return strings.TrimSpace(string(text)), err
}

// wrong is an error about a place in the file, and shows it.
func (f *file) wrong(at *token.Token, format string, args ...any) error {
	return fmt.Errorf("config: %s, line %d: %s\n%s", f.path, at.Position.Line, fmt.Sprintf(format, args...), f.excerpt(at))
}

func (f *file) excerpt(at *token.Token) string {
	var p printer.Printer
	return strings.TrimRight(p.PrintErrorToken(at, false), "\n")
}
