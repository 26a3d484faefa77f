//go:build proxies

package deploy_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"cloakroom/deploy"
)

// forgeries are all the ways to write an identity header that some application
// may read as that header: for each of its dashes, three characters.
func forgeries() []string {
	var all []string
	for _, name := range deploy.Identity {
		spelt := []string{name}
		for _, other := range []string{"_", "."} {
			for _, s := range spelt {
				for i := range s {
					if s[i] == '-' {
						spelt = append(spelt, s[:i]+other+s[i+1:])
					}
				}
			}
		}
		for _, s := range spelt {
			all = append(all, s, strings.ToLower(s), strings.ToUpper(s))
		}
	}
	return all
}

func forgesIdentity(t *testing.T, h *house) {
	var all []string
	for _, name := range forgeries() {
		all = append(all, name+": forged", name+": forged too")
	}
	for some := range slices.Chunk(all, 60) { // HAProxy takes no more than a hundred
		identified(t, h.get(t, "/", h.ada.as(some...)...), h.adaIs())
		before := h.app.reached.Load()
		if a := h.get(t, "/", some...); a.status != http.StatusUnauthorized {
			t.Errorf("forged headers without a session: %d", a.status)
		}
		refused(t, h, "forged headers", before)
	}
	for _, forged := range forgeries() { // one at a time: another does not hide it
		identified(t, h.get(t, "/", h.ada.as(forged+": forged")...), h.adaIs())
	}

	// A client that names headers in Connection has a proxy leave them away.
	for _, connection := range []string{
		strings.Join(deploy.Identity, ", "), "close, " + strings.ToLower(strings.Join(deploy.Identity, ",")), "keep-alive, Remote-User",
	} {
		identified(t, h.get(t, "/", h.ada.as("Remote-User: forged", "Connection: "+connection)...), h.adaIs())
	}
	// What is no header at all is refused, or dropped.
	for _, odd := range []string{
		"Remote-User : forged", "X: y\r\n Remote-User: forged", "X: y\nRemote-User: forged", "X: y\rRemote-User: forged",
		"\x00Remote-User: forged", "Remote\xadUser: forged", "X: \x00\r\nRemote-User: forged", "Remote User: forged", ": forged",
	} {
		a := h.get(t, "/", h.ada.as(odd)...)
		if a.app != nil {
			identified(t, a, h.adaIs())
		} else if a.status >= 200 && a.status < 400 {
			t.Errorf("%q: %d", odd, a.status)
		}
	}
}

// paths are ways to say "past the check" that some proxy, or some application,
// has read differently from the other.
var paths = []string{
	"/", "//", "/./", "/private", "//private", "/./private", "/private/..;/", "/auth", "/auth/", "/auth//", "/auth/../private",
	"/auth/%2e%2e/private", "/auth/%2E%2E%2Fprivate", "/auth/..%2fprivate", "/auth%2f..%2fprivate", "/auth/..;/private", "/auth;/private",
	"/auth;/../private", "/auth/.;/../private", "/%61uth/../private", "/AUTH/../private", "/AUTH/check", "/auth//../private", "//auth/check", "//auth/../private",
	"/auth/check/../../private", "/auth/check/..%2f..%2fprivate", "/auth/check%00/private", "/auth/check-for-nginx", "/auth/check-for-nginx/../../private",
	`/auth/\../private`, `/auth\..\private`, "/auth/..%5cprivate", "/auth/%252e%252e/private", "/auth/..%c0%af/private", "/auth/../auth/../private",
	"/private#/auth/", "/private?/auth/", "/private;/auth/sign-in", "/auth/forward/staff/../../../private", "/@cloakroom_401", "/private%23/auth/", "/auth/ /private", "*",
}

func walksAround(t *testing.T, h *house) {
	before := h.app.reached.Load()
	targets := append([]string{"http://" + h.host + "/private", "http://evil.example/private", "http://" + h.host + "/auth/../private"}, paths...)
	for _, target := range targets {
		for _, headers := range [][]string{script, page, {"X-Original-URL: /auth/sign-in", "X-Rewrite-URL: /auth/sign-in"}} {
			send(t, h.addr, lines("GET", target, h.host, "", headers...))
		}
		refused(t, h, "GET "+target, before)
		// Who is signed in and not admitted goes around the policy as little.
		send(t, h.demanding, lines("GET", target, h.host, "", h.ada.as(script...)...))
		refused(t, h, "the policy, GET "+target, before)
	}
	for _, method := range []string{"get", "POST", "PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND", "PURGE", "HEAD", "X-A", "GET_"} {
		send(t, h.addr, lines(method, "/private", h.host, "", script...))
		send(t, h.addr, lines(method, "/private", h.host, "", with(script, "X-HTTP-Method-Override: GET", "X-Forwarded-Method: HEAD")...))
		refused(t, h, method, before)
	}
	for _, request := range []string{
		"GET /private\r\n\r\n", "GET /private HTTP/1.0\r\n\r\n", "GET  /private HTTP/1.1\r\nHost: " + h.host + "\r\n\r\n",
		"GET /private HTTP/1.1\r\nHost: " + h.host + "\r\nHost: evil.example\r\n\r\n", "GET /private HTTP/1.1\r\n\r\n",
		"POST /private HTTP/1.1\r\nHost: " + h.host + "\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /private HTTP/1.1\r\n\r\n",
		"POST /auth/check HTTP/1.1\r\nHost: " + h.host + "\r\nContent-Length: 0\r\nTransfer-Encoding: \tchunked\r\n\r\n0\r\n\r\nGET /private HTTP/1.1\r\n\r\n",
	} {
		send(t, h.addr, request)
		refused(t, h, fmt.Sprintf("%q", request), before)
	}
	var http2 http.Protocols
	http2.SetUnencryptedHTTP2(true)
	client := http.Client{Timeout: patience, Transport: &http.Transport{Protocols: &http2}}
	if response, err := client.Get("http://" + h.addr + "/private"); err == nil {
		_ = response.Body.Close()
	}
	refused(t, h, "HTTP/2", before)
}

func forgesForwarding(t *testing.T, h *house) {
	lies := []string{
		"X-Forwarded-Host: evil.example", "X-Forwarded-Uri: //evil.example/", "X-Forwarded-Method: POST", "X-Forwarded-Proto: https",
		"X-Forwarded-For: 203.0.113.9", "X-Original-URL: http://evil.example/auth/sign-in", "X-Original-Method: POST", "X-Original-URI: /auth/",
		"X-Forwarded-User: admin", "Forwarded: for=203.0.113.9;host=evil.example", "X-Rewrite-URL: /auth/sign-in",
	}
	want := "http://" + h.host + "/auth/sign-in?return_to=%2Freports"
	if got := h.get(t, "/reports", with(page, lies...)...).header.Get("Location"); got != want {
		t.Errorf("led to %s, want %s", got, want)
	}
	a := h.get(t, "/reports?a=b", h.ada.as(with(page, lies...)...)...)
	identified(t, a, h.adaIs())
	if a.app.URI != "/reports?a=b" {
		t.Errorf("the application was asked for %s", a.app.URI)
	}
	for name, want := range map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": h.host, "X-Forwarded-Proto": "http"} {
		if got := strings.Join(a.app.Header[name], " and "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// asksTheCheck: whoever asks under the public paths is told about themselves.
func asksTheCheck(t *testing.T, h *house) {
	before := h.app.reached.Load()
	for path, want := range map[string]int{
		"/auth/check": 200, "/auth/forward": 200, "/auth/check?user=admin": 200, "/auth/check/staff": 403, "/auth/forward/staff": 403, "/auth/check/none": 403,
	} {
		a := h.get(t, path, h.ada.as("Remote-User: "+h.grace.id, "X-Forwarded-Uri: /private")...)
		if a.status != want || want == 200 && a.header.Get("Remote-User") != h.ada.id || a.header["Set-Cookie"] != nil {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
		if a := h.get(t, path, "Remote-User: "+h.grace.id, "X-Forwarded-Uri: /private"); path != "/auth/check/none" && a.status != http.StatusUnauthorized {
			t.Errorf("%s without a session: %d", path, a.status)
		}
	}
	if a := h.get(t, "/auth/check-for-nginx", h.ada.as()...); a.status == http.StatusOK {
		t.Errorf("the inner question: %d", a.status)
	}
	refused(t, h, "the check", before)
}
