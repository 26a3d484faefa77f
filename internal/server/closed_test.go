//go:build !race

package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestAFieldThatTheContractDoesNotDescribeIsNoticed in every object of every
// answer, but where the contract lets anything stand. So is a status, a header, a
// kind of problem and a method that it does not describe.
func TestAFieldThatTheContractDoesNotDescribeIsNoticed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root, ada := s.admin("root@example.com"), s.browser().signUp("ada@example.com")
	one := "/v1/admin/accounts/" + ada.accountID()
	root.do("PUT", one+"/profile", newProfile, ifMatch(root.account(ada.accountID()))).is(http.StatusOK)
	places := 0
	for _, ask := range []struct{ method, path, body string }{
		{"GET", "/v1/account", ""}, {"GET", "/v1/session", ""}, {"GET", "/v1/sessions", ""},
		{"GET", "/v1/admin/accounts", ""}, {"GET", one, ""}, {"GET", one + "/sessions", ""}, {"GET", "/v1/admin/audit", ""},
		{"POST", one + "/links", `{"kind":"reset"}`}, {"POST", "/v1/admin/accounts", `{"email":"new@example.com"}`},
		{"DELETE", one + "/sessions?strict=true", ""}, {"GET", "/v1/admin/accounts?status=x", ""},
	} {
		a := root.do(ask.method, ask.path, ask.body)
		var v any
		if err := json.Unmarshal([]byte(a.text), &v); err != nil {
			t.Fatal(err)
		}
		breach := func(a answer) []string {
			r := httptest.NewRequest(ask.method, basePath+ask.path, nil)
			r.Header.Set("Content-Type", "application/json")
			r.AddCookie(&http.Cookie{Name: cookieName, Value: root.cookie})
			return breaches(t, r, ask.body, &http.Response{StatusCode: a.status, Header: a.header}, []byte(a.text))
		}
		if found := breach(a); found != nil {
			t.Fatalf("%s %s: %s", ask.method, ask.path, found)
		}
		eachObject(v, func(o map[string]any) {
			places++
			o["undocumented"] = "x"
			defer delete(o, "undocumented")
			text, _ := json.Marshal(v)
			if breach(answer{status: a.status, header: a.header, text: string(text)}) == nil {
				t.Errorf("%s %s: nothing is found wrong with %s", ask.method, ask.path, text)
			}
		})
	}
	if places < 25 {
		t.Errorf("%d objects", places)
	}
}

// eachObject calls f for each object within a value, but for those in which the
// contract lets any field stand.
func eachObject(v any, f func(map[string]any)) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			eachObject(item, f)
		}
	case map[string]any:
		f(v)
		for name, item := range v {
			if name != "attributes" && name != "detail" {
				eachObject(item, f)
			}
		}
	}
}

func TestWhatTheContractDoesNotDescribeIsNoticed(t *testing.T) {
	const missing = `{"type":"urn:cloakroom:problem:not-found","title":"x","status":404,"detail":"x"}`
	for name, c := range map[string]struct {
		method, path string
		status       int
		header       map[string]string
		text         string
	}{
		"a status":               {"GET", "/v1/session", 404, nil, missing},
		"a kind of problem":      {"DELETE", "/v1/sessions", 401, nil, `{"type":"urn:cloakroom:problem:taken","title":"x","status":401,"detail":"x"}`},
		"a cookie":               {"GET", "/openapi.json", 200, map[string]string{"Set-Cookie": "a=b"}, "{}"},
		"a path that is there":   {"GET", "/v1/nothing", 200, nil, "{}"},
		"a method that works":    {"PUT", "/v1/session", 200, nil, "{}"},
		"a method, and no Allow": {"PUT", "/v1/session", 405, nil, missing},
		"methods that work not":  {"PUT", "/v1/session", 405, map[string]string{"Allow": "GET, HEAD, PATCH"}, missing},
		"a path that is not":     {"PUT", "/v1/session", 404, nil, missing},
		"another content type":   {"DELETE", "/v1/sessions/x", 404, map[string]string{"Content-Type": "text/html"}, missing},
	} {
		r := httptest.NewRequest(c.method, basePath+c.path, nil)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		header := http.Header{"Content-Type": {"application/problem+json"}}
		if c.status < 400 {
			header.Set("Content-Type", "application/json")
		}
		for name, value := range c.header {
			header.Set(name, value)
		}
		if breaches(t, r, "", &http.Response{StatusCode: c.status, Header: header}, []byte(c.text)) == nil {
			t.Errorf("%s is not noticed", name)
		}
	}
}
