//go:build !race

package server

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

var contract = sync.OnceValues(func() (validator.Validator, error) {
	text, err := os.ReadFile("../api/openapi.yaml")
	if err != nil {
		return nil, err
	}
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return v, nil
})

// checkContract holds an answer of the API against the contract, and, if it is
// no refusal, the request too: what is accepted has to be described.
func checkContract(t *testing.T, r *http.Request, sent string, response *http.Response, text []byte) {
	t.Helper()
	path := r.URL.Path
	described := strings.HasPrefix(path, basePath+"/v1/") || strings.HasPrefix(path, basePath+"/openapi.")
	switch response.StatusCode {
	case http.StatusMethodNotAllowed:
		described = false // the contract says what there is
	case http.StatusNotFound:
		described = r.Method == http.MethodDelete
	}
	if !described || r.Method == http.MethodHead {
		return
	}
	v, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	request := r.Clone(t.Context())
	request.Body = io.NopCloser(strings.NewReader(sent))
	seen := *response
	seen.Body = io.NopCloser(bytes.NewReader(text))
	check := v.ValidateHttpRequestResponse
	if response.StatusCode >= 400 {
		check = v.ValidateHttpResponse
	}
	if ok, errs := check(request, &seen); !ok {
		for _, e := range errs {
			t.Errorf("%s %s -> %d is not what the contract says: %s: %s", r.Method, path, response.StatusCode, e.Message, e.Reason)
			for _, s := range e.SchemaValidationErrors {
				t.Errorf("  %s at %s", s.Reason, s.FieldPath)
			}
		}
	}
}

func TestTheContractIsValidOpenAPI(t *testing.T) {
	v, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	if ok, errs := v.ValidateDocument(); !ok {
		for _, e := range errs {
			t.Error(e)
		}
	}
}
