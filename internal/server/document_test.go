package server

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
)

// described is an operation of the contract.
type described struct {
	id, method, path string
	query            []string                  // the parameters of its query
	body             map[string]any            // the schema of what is sent, nil if nothing is
	answers          map[string]map[string]any // by status
}

func (d described) String() string { return d.id + " (" + d.method + " " + d.path + ")" }

// document is the contract with everything that it refers to in its place.
var document = sync.OnceValues(func() (map[string]any, error) {
	text, err := os.ReadFile("../api/openapi.yaml")
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := yaml.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	whole, _ := inPlace(all, all).(map[string]any)
	return whole, nil
})

// inPlace is a copy of part of a document. What stands beside a reference counts
// before what it refers to.
func inPlace(all map[string]any, part any) any {
	switch part := part.(type) {
	case []any:
		list := make([]any, len(part))
		for i, v := range part {
			list[i] = inPlace(all, v)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(part))
		if to, ok := part["$ref"].(string); ok {
			maps.Copy(object, inPlace(all, at(all, strings.Split(to, "/")[1:]...)).(map[string]any))
		}
		for name, v := range part {
			if name != "$ref" {
				object[name] = inPlace(all, v)
			}
		}
		return object
	}
	return part
}

// at is what stands under these keys, or nil.
func at(v any, keys ...string) any {
	for _, key := range keys {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

// object is what stands under these keys, if it is an object.
func object(v any, keys ...string) map[string]any {
	found, _ := at(v, keys...).(map[string]any)
	return found
}

// operations are all that the contract describes, in the order of their ids.
var operations = sync.OnceValues(func() ([]described, error) {
	all, err := document()
	if err != nil {
		return nil, err
	}
	var list []described
	for path, methods := range object(all, "paths") {
		for method, v := range methods.(map[string]any) {
			d := described{method: strings.ToUpper(method), path: path, answers: map[string]map[string]any{}}
			d.id, _ = at(v, "operationId").(string)
			parameters, _ := at(v, "parameters").([]any)
			for _, p := range parameters {
				if name, _ := at(p, "name").(string); at(p, "in") == "query" {
					d.query = append(d.query, name)
				}
			}
			d.body = object(v, "requestBody", "content", "application/json", "schema")
			for status := range object(v, "responses") {
				d.answers[status] = object(v, "responses", status)
			}
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("the contract describes nothing")
	}
	slices.SortFunc(list, func(a, b described) int { return strings.Compare(a.id, b.id) })
	return list, nil
})

func theOperations(t *testing.T) []described {
	t.Helper()
	list, err := operations()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// find returns the operation that a request asks for, if it is described, and
// otherwise which methods are described for its path.
func find(list []described, method, escapedPath string) (d described, ok bool, methods []string) {
	for _, d := range list {
		if !matches(basePath+d.path, escapedPath) {
			continue
		}
		if d.method == method || d.method == "GET" && method == "HEAD" {
			return d, true, nil
		}
		if methods = append(methods, d.method); d.method == "GET" {
			methods = append(methods, "HEAD")
		}
	}
	slices.Sort(methods)
	return described{}, false, methods
}

// matches reports whether a path is one of a template, which has its parameters
// in braces. A parameter is one element and not empty.
func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, got, func(want, got string) bool {
		return want == got || strings.HasPrefix(want, "{") && got != ""
	})
}
