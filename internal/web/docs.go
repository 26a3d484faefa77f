package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// manual is the API's contract as the page /docs shows it.
type manual struct {
	Intro    []string // paragraphs
	Base     string   // before every path
	Chapters []chapter
}

// chapter is the operations that share a tag.
type chapter struct {
	ID, Title  string
	Operations []operation
}

type operation struct {
	ID, Method, Path, Summary string
	Text                      []string // paragraphs
	Fields                    []field  // of the query, the path, the headers and the body
	Answers                   []answerText
}

// field is something that a request carries.
type field struct {
	Name, In, Type, Text string
	Required             bool
}

type answerText struct{ Status, Text string }

// node is a part of the document. What is not there is an empty part.
type node map[string]any

func (n node) node(key string) node { v, _ := n[key].(map[string]any); return v }

func (n node) text(key string) string { v, _ := n[key].(string); return v }

func (n node) list(key string) []any { v, _ := n[key].([]any); return v }

// readContract makes the manual of an OpenAPI document in JSON, which is our own.
func readContract(document []byte) (manual, error) {
	var root node
	if err := json.Unmarshal(document, &root); err != nil {
		return manual{}, fmt.Errorf("web: read the contract: %w", err)
	}
	m := manual{Intro: paragraphs(root.node("info").text("description"))}
	for _, server := range root.list("servers") {
		m.Base = node(server.(map[string]any)).text("url")
	}
	byTag := map[string][]operation{}
	for _, path := range slices.Sorted(maps.Keys(root.node("paths"))) {
		methods := root.node("paths").node(path)
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			if o := methods.node(method); o != nil {
				tag := "other"
				if tags := o.list("tags"); len(tags) > 0 {
					tag, _ = tags[0].(string)
				}
				byTag[tag] = append(byTag[tag], root.operation(strings.ToUpper(method), path, methods, o))
			}
		}
	}
	for _, tag := range root.list("tags") {
		name := node(tag.(map[string]any)).text("name")
		id := strings.ReplaceAll(name, " ", "-")
		m.Chapters = append(m.Chapters, chapter{id, strings.ToUpper(name[:1]) + name[1:], byTag[name]})
	}
	return m, nil
}

// resolve follows a reference within the document n.
func (n node) resolve(v any) node {
	var part node = asMap(v)
	ref, ok := strings.CutPrefix(part.text("$ref"), "#/")
	if !ok {
		return part
	}
	part = n
	for name := range strings.SplitSeq(ref, "/") {
		part = part.node(name)
	}
	return part
}

func asMap(v any) map[string]any {
	if n, ok := v.(node); ok {
		return n
	}
	m, _ := v.(map[string]any)
	return m
}

func (n node) operation(method, path string, shared, o node) operation {
	op := operation{ID: o.text("operationId"), Method: method, Path: path, Summary: o.text("summary"), Text: paragraphs(o.text("description"))}
	for _, v := range append(shared.list("parameters"), o.list("parameters")...) {
		p := n.resolve(v)
		required, _ := p["required"].(bool)
		op.Fields = append(op.Fields, field{p.text("name"), p.text("in"), n.typeOf(p["schema"]), p.text("description"), required})
	}
	body := n.resolve(o["requestBody"]).node("content").node("application/json")
	op.Fields = append(op.Fields, n.properties(n.resolve(body["schema"]))...)
	for _, status := range slices.Sorted(maps.Keys(o.node("responses"))) {
		op.Answers = append(op.Answers, answerText{status, n.resolve(o.node("responses")[status]).text("description")})
	}
	return op
}

func (n node) properties(schema node) []field {
	var fields []field
	properties := schema.node("properties")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p := n.resolve(properties[name])
		fields = append(fields, field{name, "body", n.typeOf(p), p.text("description"), slices.Contains(schema.list("required"), any(name))})
	}
	return fields
}

func (n node) typeOf(v any) string {
	schema := n.resolve(v)
	if values := schema.list("enum"); len(values) > 0 {
		var names []string
		for _, value := range values {
			names = append(names, fmt.Sprint(value))
		}
		return strings.Join(names, " or ")
	}
	switch t := schema["type"].(type) {
	case string:
		if t == "array" {
			return "list of " + n.typeOf(schema["items"]) + "s"
		}
		return t
	case []any:
		return strings.Trim(strings.ReplaceAll(fmt.Sprint(t), " ", " or "), "[]")
	}
	return "any"
}

// paragraphs cuts a text of the contract where a line is empty.
func paragraphs(text string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(strings.TrimSpace(text), "\n\n", "\x00"), func(r rune) bool { return r == 0 })
}

// span is a piece of a text: code if it stood between backticks.
type span struct {
	Code bool
	Text string
}

func spans(text string) []span {
	var all []span
	for i, piece := range strings.Split(text, "`") {
		if piece != "" {
			all = append(all, span{i%2 == 1, piece})
		}
	}
	return all
}

func (p *pages) docsPage(w http.ResponseWriter, _ *http.Request) error {
	return p.render(w, http.StatusOK, "docs", "open", view{Title: "The API", Body: p.manual})
}
