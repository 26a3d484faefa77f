//go:build proxies

package deploy_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   string
	app    *seen // what reached the application, if anything did
}

// patience is longer than any proxy waits for a check.
const patience = 20 * time.Second

// send writes a request as it stands, which no HTTP client would, and reads the
// answer. A server that ends the connection has answered nothing: the status 0.
func send(t *testing.T, addr, request string) answer {
	t.Helper()
	return converse(t, addr, request)[0]
}

// converse sends requests one after the other on one connection.
func converse(t *testing.T, addr string, requests ...string) []answer {
	t.Helper()
	answers := make([]answer, len(requests))
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		defer conn.Close()
		err = conn.SetDeadline(time.Now().Add(patience))
	}
	if err != nil {
		t.Error(err)
		return answers
	}
	reader := bufio.NewReader(conn)
	for i, request := range requests {
		go func() { _, _ = io.WriteString(conn, request) }() // a server may answer before it has all
		answers[i] = receive(t, reader, request)
	}
	return answers
}

func receive(t *testing.T, from *bufio.Reader, request string) answer {
	t.Helper()
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(from, &http.Request{Method: method})
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Errorf("no answer within %v to:\n%.400s", patience, request)
	}
	if err != nil {
		return answer{}
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusSwitchingProtocols {
		return answer{status: response.StatusCode, header: response.Header}
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Errorf("%v in the answer to:\n%.400s", err, request)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	if response.Header.Get("X-Application") != "" {
		a.app = &seen{}
		if err := json.Unmarshal(body, a.app); err != nil && method != http.MethodHead {
			t.Errorf("%v: %s", err, body)
		}
	}
	return a
}

// lines are the head of a request with these headers, each with its name, and
// the body.
func lines(method, target, host, body string, headers ...string) string {
	text := method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n"
	if body != "" {
		text += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	for _, h := range headers {
		text += h + "\r\n"
	}
	return text + "\r\n" + body
}

// get asks through the proxy, with what a browser or a script sends.
func (h *house) get(t *testing.T, target string, headers ...string) answer {
	t.Helper()
	return send(t, h.addr, lines(http.MethodGet, target, h.host, "", headers...))
}

// page are the headers of a browser that goes to a page, and script those of a
// page's script.
var (
	page   = []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: none", "Accept: text/html,application/xhtml+xml"}
	script = []string{"Sec-Fetch-Mode: cors", "Sec-Fetch-Site: same-origin", "Accept: */*"}
)

// with adds headers to others.
func with(headers []string, more ...string) []string {
	return append(append([]string{}, headers...), more...)
}

// folded is a header's name as applications read it that know no difference
// between the characters that are neither letters nor digits.
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
}

// says returns the values that an application may take for those of the header,
// without empty ones.
func (s *seen) says(name string) []string {
	var said []string
	for key, values := range s.Header {
		for _, v := range values {
			if folded(key) == folded(name) && v != "" {
				said = append(said, v)
			}
		}
	}
	return said
}
