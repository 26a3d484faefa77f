//go:build proxies

package deploy_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// keepsTheCookie: in what is sent, S stands for the session cookie, D for that
// of the device, and R for the refresh token's, which browsers do not send here.
func keepsTheCookie(t *testing.T, h *house) {
	session, device, ok := strings.Cut(h.ada.cookies, "; ")
	if !ok || strings.HasPrefix(session, "__Host-device") {
		session, device = device, session
	}
	for sent, want := range map[string]string{
		"S": "", "D; S": "", "S; D": "", "S; a=1": "a=1", "a=1; S": "a=1", "a=1; S; b=2": "a=1; b=2", "a=1; S; D; b=2; c=3": "a=1; b=2; c=3",
		"R; S": "", "S; a=1; R; b=2": "a=1; b=2",
		"D; a=1; S; b=2": "a=1; b=2", "a=1;S;b=2": "a=1;b=2", "S;D;a=1": "a=1", "a=1;D;S": "a=1",
		"x__Host-session=1; S; __Host-session2=2; __host-session=3": "x__Host-session=1; __Host-session2=2; __host-session=3",
		"a=__Host-session=1; S; b=\"2 3\"; c":                       "a=__Host-session=1; b=\"2 3\"; c",
	} {
		pairs := strings.NewReplacer("S", session, "D", device, "R", "__Secure-refresh=x")
		a := h.get(t, "/", "Cookie: "+pairs.Replace(sent))
		if a.app == nil {
			t.Errorf("%s: %d", sent, a.status)
			continue
		}
		got := strings.Join(a.app.Header["Cookie"], "; ")
		if !h.kind.oneCookie {
			want = ""
		}
		if strings.ReplaceAll(got, "; ", ";") != strings.ReplaceAll(want, "; ", ";") {
			t.Errorf("%s: the application gets %q, want %q", sent, got, want)
		}
	}
	a := h.get(t, "/", "Cookie: a=1; "+device, "Cookie: "+session, "Cookie: b=2")
	if got := strings.Join(a.app.Header["Cookie"], "; "); strings.Contains(got, "__Host-") || strings.Contains(got, "cks_") {
		t.Errorf("in several headers: %q", got)
	}
}

// keepsTheToken that a phone signs in with, and nothing else that stands in its header.
func keepsTheToken(t *testing.T, h *house) {
	in := h.post(t, "/auth/v1/token", "application/json", `{"email":"ada@example.com","password":"`+secret+`"}`)
	var granted struct {
		Token   string
		Account struct{ ID string }
	}
	if err := json.Unmarshal([]byte(in.body), &granted); err != nil || in.status != http.StatusOK {
		t.Fatalf("%d %s", in.status, in.body)
	}
	for _, value := range []string{"Bearer " + granted.Token, "bearer   " + granted.Token} {
		a := h.get(t, "/", "Authorization: "+value)
		if a.app == nil || a.app.Header.Get("Remote-User") != granted.Account.ID {
			t.Fatalf("%.12s: %d %+v", value, a.status, a.app)
		}
		if got := a.app.Header["Authorization"]; h.kind.oneCookie && len(got) > 0 {
			t.Errorf("%.12s: the application gets it: %.12q", value, got)
		}
	}
	before := h.app.reached.Load()
	for _, headers := range [][]string{
		{"Authorization: Bearer " + granted.Token[:52]}, {"Authorization: Basic " + granted.Token},
		h.ada.as("Authorization: Bearer " + granted.Token), // nothing says which of the two counts
	} {
		if a := h.get(t, "/", append(headers, script...)...); a.status != http.StatusUnauthorized {
			t.Errorf("%.20s: %d", headers[0], a.status)
		}
	}
	refused(t, h, "a token", before)
	for _, own := range []string{"Basic YWRhOmFkYQ==", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"} {
		a := h.get(t, "/", h.ada.as("Authorization: "+own)...)
		if a.app == nil || a.app.Header.Get("Authorization") != own {
			t.Errorf("the application's own: %d %+v", a.status, a.app)
		}
	}
}

func sendsABody(t *testing.T, h *house) {
	body := make([]byte, 3<<20)
	for i := range body {
		body[i] = 'a' + byte(rand.IntN(26))
	}
	sum := sha256.Sum256(body)
	chunked := fmt.Sprintf("POST /upload HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", h.host, h.ada.cookies, len(body), body)
	for name, request := range map[string]string{
		"with its length": lines("POST", "/upload", h.host, string(body), h.ada.as()...), "in chunks": chunked,
	} {
		a := send(t, h.addr, request)
		if a.app == nil || a.app.Bytes != int64(len(body)) || a.app.Sum != hex.EncodeToString(sum[:]) || a.app.Method != "POST" {
			t.Errorf("%s: %d %+v", name, a.status, a.app)
		}
	}
	before := h.app.reached.Load()
	if a := send(t, h.addr, lines("POST", "/upload", h.host, string(body), script...)); a.status != http.StatusUnauthorized && a.status != 0 {
		t.Errorf("without a session: %d", a.status)
	}
	refused(t, h, "a body", before)
}

// opens asks for another protocol and says something in it.
func opens(t *testing.T, h *house, headers ...string) (status int, reply string) {
	t.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, lines("GET", "/live", h.host, "", headers...)); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		return response.StatusCode, ""
	}
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		t.Fatal(err)
	}
	reply, err = reader.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, reply
}

func upgrades(t *testing.T, h *house) {
	handshake := []string{"Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}
	websocket := with(handshake, "Upgrade: websocket")
	if status, reply := opens(t, h, h.ada.as(with(websocket, "Remote-User: forged")...)...); reply != h.ada.id+" said hello\n" {
		t.Errorf("WebSocket: %d %q", status, reply)
	}
	before := h.app.reached.Load()
	if status, _ := opens(t, h, websocket...); status != http.StatusUnauthorized {
		t.Errorf("WebSocket without a session: %d", status)
	}
	refused(t, h, "WebSocket", before)
	for _, other := range [][]string{
		{"Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"}, {"Upgrade: H2C"}, {"Upgrade: websocket, h2c"}, {"Upgrade: h2c, websocket"},
		{"Upgrade: websocket", "Upgrade: h2c"}, {"Upgrade: h2c", "Upgrade: websocket"},
	} {
		a := send(t, h.addr, lines("GET", "/live", h.host, "", h.ada.as(with(handshake, other...)...)...))
		if a.status == http.StatusSwitchingProtocols && !strings.EqualFold(a.header.Get("Upgrade"), "websocket") {
			t.Errorf("%q: the application speaks %s", other, a.header.Get("Upgrade"))
		}
	}
}

// isDown is last: nothing is up after it.
func isDown(t *testing.T, h *house) {
	ask := func(what string, statuses ...int) {
		t.Helper()
		before := h.app.reached.Load()
		var asking sync.WaitGroup
		for _, headers := range [][]string{h.ada.as(page...), script} {
			asking.Go(func() {
				began := time.Now()
				a := h.get(t, "/", headers...)
				if !slices.Contains(statuses, a.status) || a.header["Set-Cookie"] != nil || a.header["Location"] != nil {
					t.Errorf("%s: %d %v after %v", what, a.status, a.header, time.Since(began))
				}
			})
		}
		asking.Wait()
		refused(t, h, what, before)
	}
	h.cloakroom.stop(t)
	ask("Cloakroom hangs", h.kind.down, http.StatusGatewayTimeout)
	if err := h.cloakroom.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	identified(t, h.get(t, "/", h.ada.as(script...)...), h.adaIs())
	if err := h.cloakroom.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-h.cloakroom.done
	ask("Cloakroom is gone", h.kind.down)
}
