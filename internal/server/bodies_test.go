//go:build !race

// Requests that come one after the other, many of them: the race detector has no
// use for them, and the tests of this package are run without it, too.

package server

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// mark stands in each hostile text, so that it is found where it must not be.
const mark = "s3cret"

// hostileJSON are strings as they are sent.
var hostileJSON = map[string]string{
	"markup":             quoted(`"><script>alert('` + mark + `')</script>`),
	"a template":         quoted(`{{.}}${` + mark + `}<%= 1 %>%s%00`),
	"a query":            quoted(mark + `'); DROP TABLE cloakroom_accounts; --`),
	"direction marks":    quoted(mark + "\u202egnp.exe\u2066\u200f"),
	"invisible marks":    quoted("\ufeff" + mark + "\u200b\u3164\ufe0f"),
	"a thousand accents": quoted(mark + strings.Repeat("\u0301", 1000)),
	"no characters":      quoted(mark + "\uffff\U0010ffff\ufdd0"),
	"outside the plane":  `"` + mark + ` \ud83d\ude00 and long enough"`,
	"spaces around":      quoted("  \u00a0" + mark + "\u2003 "),
	"control characters": quoted("\a\x1b[31m" + mark + "\x7f\u0085"),
	"a line of a header": quoted(mark + "\r\nSet-Cookie: a=b\r\n\r\n<p>"),
	"NUL":                quoted(mark + "\x00 and long enough"),
	"60 kB":              quoted(strings.Repeat(mark, 10_000)),
	"100 kB":             quoted(strings.Repeat(mark, 17_000)),
	"half a surrogate":   `"` + mark + `\ud800 and long enough"`,
	"surrogates swapped": `"` + mark + `\udc00\ud800"`,
	"no UTF-8":           "\"" + mark + "\xff\xfe\"",
	"a NUL of two bytes": "\"" + mark + "\xc0\x80\"",
	"an escape of none":  `"` + mark + `\x00"`,
	"a control as it is": "\"" + mark + "\x01\"",
}

// unreadable are those that are refused wherever they stand: they are no string
// that there is, or too much of one.
var unreadable = map[string]int{
	"100 kB": 413, "half a surrogate": 400, "surrogates swapped": 400, "no UTF-8": 400,
	"a NUL of two bytes": 400, "an escape of none": 400, "a control as it is": 400,
}

func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text)
	return strings.TrimSuffix(b.String(), "\n")
}

// textPlaces are the keys of a body under which text can stand, and what has to
// be put around it.
func textPlaces(schema map[string]any) map[string][2]string {
	places := map[string][2]string{}
	for name, v := range object(schema, "properties") {
		switch at(v, "type") {
		case "string":
			places[name] = [2]string{"", ""}
		case "array":
			places[name] = [2]string{"[", "]"}
		case nil: // anything
			places[name] = [2]string{`{"a":[`, `]}`}
		}
	}
	return places
}

// bodyWith is a body in which the value of a key is this text, which may be no
// JSON.
func bodyWith(body map[string]any, field, text string) string {
	var members []string
	for name, v := range body {
		value, _ := json.Marshal(v)
		if name == field {
			value = []byte(text)
		}
		members = append(members, quoted(name)+":"+string(value))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// TestHostileTextInEveryBody is refused without being repeated, or it is kept and
// given back as what it is. The bodies and their keys are those of the contract.
func TestHostileTextInEveryBody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sent, kept := 0, 0
	for _, d := range theOperations(t) {
		if d.body == nil {
			continue
		}
		c := s.newCast(d.id)
		for field, around := range textPlaces(d.body) {
			for name, text := range hostileJSON {
				sent++
				s.exec(`DELETE FROM cloakroom_throttle`) // guesses are not the subject
				body, email := c.good(d.id), c.email
				if d.id == "signUp" || d.id == "adminInvite" { // which one address does once
					email = fmt.Sprintf("n%d@example.com", sent)
					body["email"] = email
				}
				a := c.ask(d, bodyWith(body, field, around[0]+text+around[1]))
				if wrong := c.misjudged(d.id, field, name, email, a); wrong != "" {
					t.Errorf("%s, %s: %s is answered %d: %s\n%.300s", d.id, field, name, a.status, wrong, a.text)
				}
				if a.status < 300 {
					kept++
				}
				if a.status < 300 && d.id == "changePassword" { // it is not the good one any more
					c = s.newCast(fmt.Sprint(d.id, sent))
				}
			}
		}
		c.live()
	}
	if sent < 300 || kept < 50 {
		t.Errorf("of %d hostile texts %d were kept", sent, kept)
	}
	if strings.Contains(s.logs.String(), mark) {
		t.Error("the log holds what was sent")
	}
}

// misjudged says what is wrong with the answer to a hostile text, if anything is.
func (c cast) misjudged(id, field, name, email string, a answer) string {
	c.t.Helper()
	secret := strings.Contains(field, "password")
	if a.status < 300 && !secret {
		return c.givesBack(field, name, a)
	}
	if strings.Contains(a.text+fmt.Sprint(a.header), mark) {
		return "it repeats what was sent"
	}
	status, kind := http.StatusUnprocessableEntity, "invalid"
	switch {
	case a.status < 300:
		c.browser().do("POST", "/v1/sign-in", bodyWith(map[string]any{"email": email, "password": ""}, "password", hostileJSON[name])).is(http.StatusOK)
		return ""
	case unreadable[name] == 400:
		status, kind = 400, "malformed"
	case unreadable[name] == 413:
		status, kind = 413, "too-large"
	case id == "refreshToken":
		status, kind = http.StatusUnauthorized, "signed-out"
	case id == "signIn", id == "issueToken" && field != "label":
		status, kind = http.StatusUnauthorized, "bad-credentials"
	case secret && field != "new_password" && id != "signUp":
		status, kind = http.StatusForbidden, "wrong-password"
	case a.at("field") != field:
		return fmt.Sprintf("the field at fault is %v", a.at("field"))
	}
	a.problem(status, kind)
	if len(a.text) > 500 {
		return "it is long"
	}
	return ""
}

// givesBack says what is wrong with the answer to a text that was kept. A name
// loses the spaces around it.
func (c cast) givesBack(field, name string, a answer) string {
	c.t.Helper()
	var text string
	if err := json.Unmarshal([]byte(hostileJSON[name]), &text); err != nil || unreadable[name] != 0 {
		return "it is no text"
	}
	if field == "name" {
		text = strings.TrimSpace(norm.NFC.String(text))
	}
	id, ok := a.at("id").(string) // of an account as one sees one's own
	if !ok {
		id = a.at("account.id").(string)
	}
	places := []answer{a, c.root.account(id)}
	if field == "label" {
		places = []answer{c.root.do("GET", "/v1/admin/accounts/"+id+"/sessions", "")}
	}
	for _, shown := range places {
		var v any
		if err := json.Unmarshal([]byte(shown.text), &v); err != nil || !holdsText(v, text) {
			return "it is given back as " + shown.text
		}
		if shown.header.Get("Content-Type") != "application/json" || shown.header.Get("X-Content-Type-Options") != "nosniff" {
			return fmt.Sprintf("it is given back with %v", shown.header)
		}
	}
	return ""
}

// holdsText reports whether a text stands somewhere in a value, as it is.
func holdsText(v any, text string) bool {
	switch v := v.(type) {
	case string:
		return v == text
	case []any:
		for _, item := range v {
			if holdsText(item, text) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if holdsText(item, text) {
				return true
			}
		}
	}
	return false
}

// TestANameWithMarkupIsShownAsText to its owner by the pages, and to
// administrators as JSON, which no browser takes for a page.
func TestANameWithMarkupIsShownAsText(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root@example.com")
	const name = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;{{.}}`
	body := bodyWith(map[string]any{"email": "ada@example.com", "password": goodPassword, "name": ""}, "name", quoted(name))
	ada := s.browser()
	if made := ada.do("POST", "/v1/sign-up", body).is(http.StatusCreated); made.at("account.name") != name {
		t.Error(made.text)
	}
	page := ada.do("GET", "/account", "").is(http.StatusOK)
	if !strings.Contains(page.text, template.HTMLEscapeString(name)) {
		t.Errorf("the page does not show the name: %s", page.text)
	}
	for _, path := range []string{"/account", "/account/sessions", "/account/activity", "/account/password", "/reauthenticate"} {
		if shown := ada.do("GET", path, "").is(http.StatusOK); strings.Contains(shown.text, "alert(1)</script>") || strings.Contains(shown.text, "<img src=x") {
			t.Errorf("%s takes the name for markup: %s", path, shown.text)
		}
	}
	list := root.do("GET", "/v1/admin/accounts?email=ada", "").is(http.StatusOK)
	if got := list.at("accounts").([]any)[0].(map[string]any)["name"]; got != name {
		t.Errorf("the list has the name %v", got)
	}
	for header, want := range map[string]string{"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"} {
		if got := list.header.Get(header); got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
}

// TestABodyOfAnotherMediaTypeIsRefusedEverywhere, before anything else is asked
// about it, and nothing is done.
func TestABodyOfAnotherMediaTypeIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.newCast("it")
	before := s.everything()
	kinds := [][]string{
		nil, {""}, {"text/plain"}, {"application/x-www-form-urlencoded"}, {"multipart/form-data; boundary=x"}, {"text/json"}, {"*/*"},
		{"application/json; charset=latin1"}, {"application/json; charset=utf-8; x=y"}, {"application/json, text/plain"},
		{"application/jsonp"}, {"application/ld+json"}, {"application json"}, {"application/json", "application/json"},
	}
	for _, d := range theOperations(t) {
		if d.body == nil {
			continue
		}
		for _, kind := range kinds {
			c.carryOut(d, set("Content-Type", kind...)).problem(http.StatusUnsupportedMediaType, "media-type")
		}
		c.carryOut(d, set("Content-Type", "text/plain"), set("Content-Encoding", "gzip")).problem(http.StatusUnsupportedMediaType, "media-type")
	}
	if after := s.everything(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}
