package api

import (
	_ "embed"
	"net/http"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed openapi.yaml
var contract string

// document is the contract in both its spellings.
type document struct {
	yaml, json []byte
}

// newDocument makes the JSON from the YAML, and puts in under which path the
// API is served here.
func newDocument(base string) (document, error) {
	text := []byte(strings.Replace(contract, "url: /auth\n", "url: "+base+"\n", 1))
	asJSON, err := yaml.YAMLToJSON(text)
	return document{text, asJSON}, err
}

// Contract returns the OpenAPI document in JSON, for who shows it.
func Contract(base string) ([]byte, error) {
	d, err := newDocument(base)
	return d.json, err
}

func (d document) serveJSON(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(d.json)
	return nil
}

func (d document) serveYAML(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	_, _ = w.Write(d.yaml)
	return nil
}
