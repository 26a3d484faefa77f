package web

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestTheManualShowsAllOfTheContract: each operation, and what it takes.
func TestTheManualShowsAllOfTheContract(t *testing.T) {
	text, err := os.ReadFile("../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	document, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(c *Config) { c.Contract = document })
	shown := s.browser(firefox).get("/auth/docs")
	shown.is(http.StatusOK)
	body := shown.Body.String()
	operations := regexp.MustCompile(`(?m)^      operationId: (\w+)$`).FindAllSubmatch(text, -1)
	if len(operations) < 10 {
		t.Fatalf("%d operations were found in the contract", len(operations))
	}
	for _, o := range operations {
		if !strings.Contains(body, `id="`+string(o[1])+`"`) {
			t.Errorf("the page does not show %s", o[1])
		}
	}
	for _, want := range []string{
		`<span class="method">DELETE</span> <code>/auth/v1/sessions/{id}</code>`,
		`<code>password</code> <small>string, required</small>`,
		`<code>remember</code> <small>boolean</small>`,
		`<code>strict</code> <small>query, boolean</small>`,
		`<code>throttled</code>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, never := range []string{"$ref", "`", "map["} {
		if strings.Contains(body, never) {
			t.Errorf("the page shows %q", never)
		}
	}
}
