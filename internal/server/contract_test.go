//go:build !race

package server

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

// contract holds requests and answers against the document, in which every
// object of an answer is closed: a client may meet fields that it does not know,
// but this server must not have any.
var contract = sync.OnceValues(func() (validator.Validator, error) {
	all, err := document()
	if err != nil {
		return nil, err
	}
	whole := inPlace(nil, all).(map[string]any) // a copy
	for _, methods := range object(whole, "paths") {
		for _, operation := range methods.(map[string]any) {
			for _, response := range object(operation, "responses") {
				for _, body := range object(response, "content") {
					closeSchema(at(body, "schema"), true)
				}
			}
		}
	}
	text, err := json.Marshal(whole)
	if err != nil {
		return nil, err
	}
	return newValidator(text)
})

func newValidator(text []byte) (validator.Validator, error) {
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return v, nil
}

// closeSchema lets an object have no other fields than are described, unless
// all of them or none are. What is part of an allOf knows nothing of the other
// parts, and is closed with the whole.
func closeSchema(v any, whole bool) {
	schema, ok := v.(map[string]any)
	if !ok {
		return
	}
	_, of := schema["allOf"]
	_, has := schema["properties"]
	if _, said := schema["additionalProperties"]; whole && (of || has) && !said {
		schema["unevaluatedProperties"] = false
	}
	for _, property := range object(schema, "properties") {
		closeSchema(property, true)
	}
	closeSchema(schema["items"], true)
	parts, _ := schema["allOf"].([]any)
	for _, part := range parts {
		closeSchema(part, false)
	}
}

// occurred is what the tests of this package have seen: an operation's id and a
// status, or its id and a parameter with which it has succeeded.
var occurred sync.Map

// checkContract holds an answer of the API against the contract, and, if it is
// no refusal, the request too: what is accepted has to be described.
func checkContract(t *testing.T, r *http.Request, sent string, response *http.Response, text []byte) {
	t.Helper()
	for _, breach := range breaches(t, r, sent, response, text) {
		t.Errorf("%s %.200s -> %d: %s", r.Method, r.URL.Path, response.StatusCode, breach)
	}
}

// breaches says in what an answer is not what the contract says. The document
// itself decides whether it says anything: what it does not describe is not
// there, and a method that it does not describe is not allowed.
func breaches(t *testing.T, r *http.Request, sent string, response *http.Response, text []byte) []string {
	t.Helper()
	path := r.URL.EscapedPath()
	method := r.Method
	switch {
	case isCheck(path):
		method = http.MethodGet // as which any is answered
	case !strings.HasPrefix(path, basePath+"/v1/") && !strings.HasPrefix(path, basePath+"/openapi."),
		r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" && path == basePath+renewPath:
		return nil // the pages
	}
	d, ok, methods := find(theOperations(t), method, path)
	if !ok {
		return notDescribed(r, response, methods)
	}
	status := fmt.Sprint(response.StatusCode)
	occurred.Store(d.id+" "+status, true)
	for name := range r.URL.Query() {
		if response.StatusCode < 400 {
			occurred.Store(d.id+" ?"+name, true)
		}
	}
	answer, ok := d.answers[status]
	if !ok {
		return []string{"the contract has no such status for " + d.String()}
	}
	found := loose(response, answer, text)
	if r.Method == http.MethodHead {
		return found
	}
	v, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	request := r.Clone(t.Context())
	request.Method = method
	request.Body = io.NopCloser(strings.NewReader(sent))
	seen := *response
	seen.Body = io.NopCloser(bytes.NewReader(text))
	check := v.ValidateHttpRequestResponse
	if response.StatusCode >= 400 {
		check = v.ValidateHttpResponse
	}
	_, errs := check(request, &seen)
	for _, e := range errs {
		found = append(found, "it is not what the contract says: "+e.Message+": "+e.Reason)
		for _, s := range e.SchemaValidationErrors {
			found = append(found, s.Reason+" at "+s.FieldPath)
		}
	}
	return found
}

// isCheck reports whether a proxy asks by a path that may be one.
func isCheck(path string) bool {
	rest, ok := strings.CutPrefix(path, basePath+"/")
	asks, policy, more := strings.Cut(rest, "/")
	return ok && (asks == "check" || asks == "forward") && more == (policy != "") && !strings.Contains(policy, "/")
}

// notDescribed judges the answer of a path or a method that there is not. Where
// a request comes from is asked first.
func notDescribed(r *http.Request, response *http.Response, methods []string) []string {
	allow := response.Header.Get("Allow")
	switch status := response.StatusCode; {
	case status == http.StatusForbidden && r.Header.Get("Sec-Fetch-Site") != "same-origin":
	case status == http.StatusNotFound && (methods == nil || !clean(r.URL.Path)):
	case status == http.StatusMethodNotAllowed && methods != nil && allow == strings.Join(methods, ", "):
	default:
		return []string{fmt.Sprintf("the contract does not describe it, has the methods %v, and Allow is %q", methods, allow)}
	}
	return nil
}

// loose holds what no schema can: that a header by which clients go is
// described where it is sent, and that the kind of a problem is named where the
// status is described.
func loose(response *http.Response, answer map[string]any, text []byte) (found []string) {
	for _, name := range []string{"Set-Cookie", "Retry-After"} {
		if response.Header[name] != nil && at(answer, "headers", name) == nil {
			found = append(found, "the contract does not say that it has "+name)
		}
	}
	if response.StatusCode < 400 || len(text) == 0 {
		return found
	}
	var problem struct{ Type string }
	_ = json.Unmarshal(text, &problem) // that it is one, the schema says
	kind := problem.Type[strings.LastIndexByte(problem.Type, ':')+1:]
	if description, _ := answer["description"].(string); !strings.Contains(description, "`"+kind+"`") {
		found = append(found, "the contract does not name the problem "+kind)
	}
	return found
}

// TestMain runs the tests, and then asks whether they have met what the contract
// promises. Of some of the tests alone that cannot be asked.
func TestMain(m *testing.M) {
	status := m.Run()
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			os.Exit(status)
		}
	}
	if missing := neverOccurred(); status == 0 && len(missing) > 0 {
		fmt.Printf("--- FAIL: no test of this package has seen what the contract promises:\n%s\n", strings.Join(missing, "\n"))
		status = 1
	}
	os.Exit(status)
}

// neverOccurred are the answers and the parameters that the contract describes
// and no test has met.
func neverOccurred() (missing []string) {
	list, err := operations()
	if err != nil {
		return []string{err.Error()}
	}
	for _, d := range list {
		var promised []string
		for status := range d.answers {
			promised = append(promised, status)
		}
		for _, name := range d.query {
			promised = append(promised, "?"+name)
		}
		for _, what := range promised {
			if _, seen := occurred.Load(d.id + " " + what); !seen {
				missing = append(missing, what+" of "+d.String())
			}
		}
	}
	slices.Sort(missing)
	return missing
}

func TestTheContractIsValidOpenAPI(t *testing.T) {
	text, err := os.ReadFile("../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	v, err := newValidator(text)
	if err != nil {
		t.Fatal(err)
	}
	if ok, errs := v.ValidateDocument(); !ok {
		for _, e := range errs {
			t.Error(e)
		}
	}
}
