package control

import (
	"io"
	"net/http"
	"strconv"
)

// Direct answers requests by a handler in this process, which reads a body as it
// is written.
type Direct struct{ Handler http.Handler }

// RoundTrip never fails: the handler answers.
func (d Direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	in, out := io.Pipe()
	w := &response{header: http.Header{}, body: out, begun: make(chan struct{})}
	go func() {
		d.Handler.ServeHTTP(w, r)
		w.WriteHeader(http.StatusOK)
		_ = out.Close()
	}()
	<-w.begun
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status, Header: w.sent, Body: in, Request: r, ContentLength: -1,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// response is what a handler writes to, of one goroutine.
type response struct {
	header, sent http.Header
	status       int
	body         *io.PipeWriter
	begun        chan struct{} // closed with the header
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
		close(w.begun)
	}
}

func (w *response) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Flush does nothing: what is written has been read.
func (w *response) Flush() {}
