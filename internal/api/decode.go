package api

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"cloakroom/internal/problem"
	"cloakroom/internal/visitor"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxBody is how much of a body is read, before anything is done with it.
const maxBody = 64 << 10

// decode reads a body of exactly the keys of T: one JSON object in UTF-8, names
// as they are spelt, no key twice, no unknown one, nothing after it. A key
// without omitzero is required, and null is no value. A refusal names the key
// and never repeats a value: it may be a password.
func decode[T any](r *http.Request) (T, error) {
	var body T
	if !isJSON(r.Header) {
		return body, problem.MediaType()
	}
	text, err := visitor.Body(r, maxBody)
	if errors.Is(err, visitor.ErrTooLarge) {
		return body, problem.TooLarge(maxBody)
	}
	if err != nil {
		return body, problem.Malformed("", "The body could not be read to its end.")
	}
	err = unmarshal(text, &body)
	return body, err
}

// isJSON reports whether the body is said to be JSON, exactly: what a form of
// another site can send without asking is nothing of the kind.
func isJSON(h http.Header) bool {
	if len(h["Content-Type"]) != 1 {
		return false
	}
	kind, params, err := mime.ParseMediaType(h["Content-Type"][0])
	if err != nil || kind != "application/json" {
		return false
	}
	charset, given := params["charset"]
	return len(params) == 0 || len(params) == 1 && given && strings.EqualFold(charset, "utf-8")
}

func unmarshal[T any](text []byte, body *T) error {
	var values map[string]jsontext.Value
	if err := json.Unmarshal(text, &values); err != nil {
		return refusal(err, nil)
	}
	if values == nil { // the body was null
		return problem.Malformed("", "The body must be a JSON object.")
	}
	fields := fieldsOf(reflect.TypeFor[T]())
	for name, value := range values {
		if f, ok := fields[name]; ok && value.Kind() == 'n' && !f.any {
			return wrongType(name, fields[name])
		}
	}
	if err := json.Unmarshal(text, body, json.RejectUnknownMembers(true)); err != nil {
		return refusal(err, fields)
	}
	for name, field := range fields {
		if _, ok := values[name]; !ok && field.required {
			return problem.Invalid(name, fmt.Sprintf("The key %q is required.", name))
		}
	}
	return nil
}

type field struct {
	kind     reflect.Kind
	required bool
	any      bool // any JSON value will do, null as well
}

func fieldsOf(t reflect.Type) map[string]field {
	fields := make(map[string]field, t.NumField())
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = field{f.Type.Kind(), options != "omitzero", f.Type == reflect.TypeFor[jsontext.Value]()}
	}
	return fields
}

// refusal says what is wrong with a body from where the decoder stopped, not
// from its message.
func refusal(err error, fields map[string]field) error {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			name := shown(syntax.JSONPointer.LastToken())
			return problem.Malformed(name, fmt.Sprintf("The key %q stands more than once.", name))
		}
		return problem.Malformed("", fmt.Sprintf("The body is not JSON in UTF-8: see byte %d.", syntax.ByteOffset))
	}
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok || semantic.JSONPointer == "" {
		return problem.Malformed("", "The body must be a JSON object.")
	}
	var name string
	for name = range semantic.JSONPointer.Tokens() {
		break // what is wrong within the value of a key is wrong with that key
	}
	if errors.Is(err, json.ErrUnknownName) {
		return problem.Invalid(shown(name), fmt.Sprintf("The key %q is not known here.", shown(name)))
	}
	return wrongType(name, fields[name])
}

func wrongType(name string, f field) error {
	kind := "a string"
	switch f.kind {
	case reflect.Bool:
		kind = "true or false"
	case reflect.Slice:
		kind = "a list of strings"
	}
	return problem.Invalid(name, fmt.Sprintf("The key %q must be %s.", name, kind))
}

// shown cuts a name that the client made up to what is worth showing.
func shown(name string) string {
	const most = 40
	if len(name) <= most {
		return name
	}
	cut := most
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + "…"
}
