//go:build proxies

package deploy_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// house is the built server and an application, with a proxy in front of both.
type house struct {
	kind      kind
	addr      string // of the proxy
	demanding string // of a second one, before whose application the policy "staff" stands
	host      string // that people open
	app       *application
	cloakroom *process
	ada       person // somebody
	grace     person // the administrator, whom the policy lets in
}

// person is somebody who is signed in.
type person struct {
	cookies   string // as a browser sends them
	id, email string
	session   string
}

const (
	secret   = "correct horse battery staple"
	policies = "{staff: {roles: [admin]}, strict: {level: 2}}"
)

var setupCode = regexp.MustCompile(`\b[0-9A-Z]{4}(-[0-9A-Z]{4}){4}\b`)

// newHouse starts everything, and has two people sign up through the proxy.
func newHouse(t *testing.T, k kind) *house {
	t.Helper()
	h := &house{kind: k, app: startApplication(t)}
	h.addr, h.demanding = "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	h.host = strings.Replace(h.addr, "127.0.0.1", "localhost", 1)
	listen := "127.0.0.1:" + freePort(t)
	config := []string{"--listen=" + listen, "--public-url=http://" + h.host, "--proxies.trusted=127.0.0.1", "--policies=" + policies}
	dir := t.TempDir()
	h.cloakroom = start(t, dir, binary, append([]string{"serve", "--ops.listen=127.0.0.1:0"}, config...)...).listening(t, listen)
	config = append(config, "--app="+h.app.addr())
	k.start(t, h.addr, config)
	k.start(t, h.demanding, append(config, "--policy=staff"))
	h.ada = h.signUp(t)
	h.grace = h.setUp(t)
	return h
}

// printed is what the command prints: nothing in it is edited.
func printed(t *testing.T, proxy string, config []string) string {
	t.Helper()
	text, err := exec.Command(binary, append([]string{"proxy-snippet", proxy}, config...)...).Output()
	if err != nil {
		t.Fatalf("proxy-snippet %s: %v", proxy, err)
	}
	return string(text)
}

// post sends what a page of the house sends.
func (h *house) post(t *testing.T, path, contentType, body string, headers ...string) answer {
	t.Helper()
	headers = append(headers, "Origin: http://"+h.host, "Content-Type: "+contentType)
	return send(t, h.addr, lines(http.MethodPost, path, h.host, body, headers...))
}

func cookiesOf(a answer) string {
	var pairs []string
	for _, line := range a.header["Set-Cookie"] {
		pair, attributes, _ := strings.Cut(line, ";")
		if strings.HasPrefix(attributes, " Path=/;") { // as browsers send them everywhere
			pairs = append(pairs, pair)
		}
	}
	return strings.Join(pairs, "; ")
}

// signedIn is an answer of the API that signs in.
type signedIn struct {
	Session struct{ ID string }
	Account struct{ ID, Email string }
}

func (h *house) api(t *testing.T, path, body string, status int) person {
	t.Helper()
	a := h.post(t, path, "application/json", body)
	var in signedIn
	if err := json.Unmarshal([]byte(a.body), &in); err != nil || a.status != status {
		t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	return person{cookiesOf(a), in.Account.ID, in.Account.Email, in.Session.ID}
}

func (h *house) signUp(t *testing.T) person {
	t.Helper()
	return h.api(t, "/auth/v1/sign-up", `{"email":"ada@example.com","password":"`+secret+`","name":"Zoë Ünal"}`, http.StatusCreated)
}

// signIn signs in on one more device.
func (h *house) signIn(t *testing.T, email string) person {
	t.Helper()
	return h.api(t, "/auth/v1/sign-in", `{"email":"`+email+`","password":"`+secret+`"}`, http.StatusOK)
}

// setUp makes the first administrator.
func (h *house) setUp(t *testing.T) person {
	t.Helper()
	code := ""
	for deadline := time.Now().Add(10 * time.Second); code == "" && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		code = setupCode.FindString(h.cloakroom.text())
	}
	form := url.Values{"code": {code}, "email": {"grace@example.com"}, "password": {secret}}
	if a := h.post(t, "/auth/setup", "application/x-www-form-urlencoded", form.Encode()); a.status != http.StatusSeeOther {
		t.Fatalf("setup: %d %s", a.status, a.body)
	}
	return h.signIn(t, "grace@example.com")
}

// as are the headers of a request of this person's.
func (p person) as(headers ...string) []string { return append(headers, "Cookie: "+p.cookies) }
