package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestTheContractDescribesExactlyTheRoutes(t *testing.T) {
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `yaml:"operationId"`
			Tags        []string
		}
	}
	if err := yaml.Unmarshal([]byte(contract), &document); err != nil {
		t.Fatal(err)
	}
	var described, served []string
	ids := make(map[string]bool)
	for path, operations := range document.Paths {
		for method, operation := range operations {
			if len(operation.Tags) == 1 && operation.Tags[0] == "proxies" {
				continue // those that forwardauth answers; the tests of the server hold them
			}
			described = append(described, strings.ToUpper(method)+" "+path)
			if operation.OperationID == "" || ids[operation.OperationID] {
				t.Errorf("%s %s has no operationId of its own", method, path)
			}
			ids[operation.OperationID] = true
		}
	}
	for _, r := range new(API).routes() {
		served = append(served, r.method+" "+r.path)
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described:\n%s\nserved:\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
	}
}

func TestTheContractSaysUnderWhichPathItIsServed(t *testing.T) {
	d, err := newDocument("/login")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(d.yaml), "\n  - url: /login\n") || !strings.Contains(string(d.json), `"url": "/login"`) {
		t.Error("it does not")
	}
}
