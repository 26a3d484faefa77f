package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"cloakroom/internal/problem"
)

func TestANameThatAClientMadeUpIsShownInPart(t *testing.T) {
	if got := shown("email"); got != "email" {
		t.Error(got)
	}
	got := shown(strings.Repeat("é", 1000))
	if len(got) > 50 || !utf8.ValidString(got) {
		t.Errorf("%d bytes, %q", len(got), got)
	}
}

// FuzzDecode compares with a decoder that lets more through: what ours accepts,
// that one reads alike, and a refusal never holds a value.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"email":"a","password":"b"}`, `{"email":"a","password":"b","remember":true}`, `{"email":"a","email":"b","password":"c"}`,
		`{"Email":"a","password":"b"}`, `{"email":null,"password":"b"}`, `null`, `[]`, `{"email":"a","password":"b"}{}`, "{\"email\":\"\xff\"}",
		`{"email":1,"password":{}}`, `{"x":"y"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got signInRequest
		if err := unmarshal(text, &got); err != nil {
			if _, ok := errors.AsType[problem.Problem](err); !ok || len(err.Error()) > 300 {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if !utf8.Valid(text) {
			t.Errorf("%q is no UTF-8 and was accepted", text)
		}
		var want signInRequest
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&want); err != nil || got != want {
			t.Errorf("%q: %+v, encoding/json reads %+v, %v", text, got, want, err)
		}
		var keys map[string]json.RawMessage
		if err := json.Unmarshal(text, &keys); err != nil || keys["email"] == nil || keys["password"] == nil {
			t.Errorf("%q was accepted without a key that is required", text)
		}
	})
}
