package conformance

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answer is a response that was read to its end.
type answer struct {
	t      *testing.T
	asked  string
	status int
	header http.Header
	text   string
}

// handedOut returns the session cookie that an answer sets.
func (a answer) handedOut() (value string, ok bool) {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == cookieName {
			value, ok = c.Value, true
		}
	}
	return value, ok
}

// handsOut returns what a cookie is set to, or "".
func (a answer) handsOut(name string) (value string) {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name {
			value = c.Value
		}
	}
	return value
}

// device returns the cookie, name and value, that makes a browser known where it
// signed in.
func (a answer) device() string {
	a.t.Helper()
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == "__Host-device" && c.MaxAge > 0 {
			return c.Name + "=" + c.Value
		}
	}
	a.t.Fatalf("%s: no cookie for the device: %s", a.asked, a.header["Set-Cookie"])
	return ""
}

// sessionLine returns the Set-Cookie header of the session.
func (a answer) sessionLine() string {
	for _, line := range a.header["Set-Cookie"] {
		if strings.HasPrefix(line, cookieName+"=") {
			return line
		}
	}
	return ""
}

// is fails the test unless the status is this one.
func (a answer) is(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d: %.500s", a.asked, a.status, status, a.text)
	}
	return a
}

// refuses fails the test unless the answer is a refusal with this status: a
// problem document or, of a page, a page; stored by nobody, and with no cookie
// but one that is cleared.
func (a answer) refuses(status int) answer {
	a.t.Helper()
	a.is(status)
	kind := a.header.Get("Content-Type")
	if page := strings.HasPrefix(kind, "text/html"); !page && status >= 400 {
		if kind != "application/problem+json" {
			a.t.Errorf("%s: Content-Type %q", a.asked, kind)
		}
		if got, _ := a.json("status").(float64); a.text != "" && int(got) != status {
			a.t.Errorf("%s: status %d in a document that says %v", a.asked, status, got)
		}
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		a.t.Errorf("%s: Cache-Control %q", a.asked, got)
	}
	for _, c := range a.header["Set-Cookie"] {
		if !strings.Contains(c, "; Max-Age=0") {
			a.t.Errorf("%s: a refusal sets a cookie: %s", a.asked, c)
		}
	}
	return a
}

// json returns a value of the body by its path, such as "session.id".
func (a answer) json(path string) any {
	a.t.Helper()
	if a.text == "" {
		return nil
	}
	var v any
	if err := json.Unmarshal([]byte(a.text), &v); err != nil {
		a.t.Fatalf("%s: %v: %.500s", a.asked, err, a.text)
	}
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			a.t.Fatalf("%s: no %s in %.500s", a.asked, path, a.text)
		}
		v = object[name]
	}
	return v
}

// word is json of a text.
func (a answer) word(path string) string {
	a.t.Helper()
	text, ok := a.json(path).(string)
	if !ok {
		a.t.Fatalf("%s: %s is no text in %.500s", a.asked, path, a.text)
	}
	return text
}

// when is json of a time.
func (a answer) when(path string) time.Time {
	a.t.Helper()
	at, err := time.Parse(time.RFC3339, a.word(path))
	if err != nil {
		a.t.Fatal(err)
	}
	return at
}
