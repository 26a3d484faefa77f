//go:build proxies

package deploy_test

import (
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// application stands behind a proxy and answers what reached it.
type application struct {
	*httptest.Server
	reached atomic.Int64 // requests
}

// seen is a request as it reached the application.
type seen struct {
	Method, URI, Host string
	Header            http.Header
	Bytes             int64
	Sum               string // of the body
}

func startApplication(t *testing.T) *application {
	a := &application{}
	a.Server = httptest.NewServer(http.HandlerFunc(a.answer))
	t.Cleanup(a.CloseClientConnections) // proxies keep some
	t.Cleanup(a.Close)
	return a
}

// addr is where the proxy reaches it.
func (a *application) addr() string { return strings.TrimPrefix(a.URL, "http://") }

func (a *application) answer(w http.ResponseWriter, r *http.Request) {
	a.reached.Add(1)
	w.Header().Set("X-Application", "reached")
	if r.Header.Get("Upgrade") != "" {
		upgrade(w, r)
		return
	}
	sum := sha256.New()
	n, err := io.Copy(sum, r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	text, err := json.Marshal(seen{r.Method, r.RequestURI, r.Host, r.Header, n, hex.EncodeToString(sum.Sum(nil))})
	if err != nil {
		panic(err)
	}
	if _, err := w.Write(text); err != nil {
		return
	}
}

// upgrade speaks whatever protocol is asked for: it repeats a line.
func upgrade(w http.ResponseWriter, r *http.Request) {
	conn, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	accept := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	head := "HTTP/1.1 101 Switching Protocols\r\nX-Application: reached\r\nConnection: Upgrade\r\nUpgrade: " + r.Header.Get("Upgrade") +
		"\r\nSec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(accept[:]) + "\r\n\r\n"
	if _, err := io.WriteString(conn, head); err != nil {
		return
	}
	line, err := bufio.NewReader(both).ReadString('\n')
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, r.Header.Get("Remote-User")+" said "+line) // the client may be gone
}
