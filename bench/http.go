package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// overHTTP is what a check costs where it is asked for over HTTP: of a reverse
// proxy (/check, answered by the whole product) and in an application's
// middleware. Each server is a process of its own, with one processor's worth
// of wrk beside it.
//
// What authentication adds to a request is the difference of two processor
// times, and what a session adds is small: the ratio of the last row is taken
// as if it added a tenth of a microsecond at least.
func (b *bench) overHTTP() experiment {
	rate := func(what, measured, peer, peerName string, bar bar) row {
		return row{what: what, measured: measured, peer: peer, peerName: peerName, unit: perSecond, bar: bar}
	}
	return experiment{
		name:  "over HTTP",
		needs: findWrk,
		open:  openOverHTTP,
		rows: []row{
			rate("/check over HTTP", "check", "same", "same response, unchecked", rateAbove(0.9)),
			rate("/check over HTTP", "check", "empty", "empty handler", rateAbove(0.75)),
			rate("session middleware over HTTP", "session", "empty", "empty handler", rateAbove(0.8)),
			rate("session middleware over HTTP", "session", "jwt", "golang-jwt middleware", rateAbove(1.4)),
			{what: "processor time of a request, empty handler", measured: "empty cpu", unit: microseconds, bar: informs(microseconds)},
			{what: "added to a request by /check", measured: "check added", peer: "same added", peerName: "same response, unchecked", unit: microseconds, bar: informs(microseconds)},
			{what: "added to a request by the session middleware", measured: "session added", peer: "jwt added", peerName: "golang-jwt middleware", unit: microseconds, bar: addsLess(4)},
		},
	}
}

// addsLess wants the peer to add at least n times as much.
func addsLess(n float64) bar {
	const least = 0.1
	b := fasterThan(n)
	b.value = func(m, p float64) float64 { return p / max(m, least) }
	return b
}

// kinds are the servers in the order in which they have their turns.
func kinds() []string { return []string{"empty", "same", "check", "session", "jwt"} }

type overHTTP struct {
	dir     string
	load    time.Duration
	servers map[string]*child
}

func openOverHTTP(ctx context.Context, b *bench) (trial, error) {
	t := &overHTTP{load: b.size.load, servers: make(map[string]*child)}
	if err := t.start(ctx, b); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// start starts the product first, for "same" sends what that answers.
func (t *overHTTP) start(ctx context.Context, b *bench) error {
	dir, err := os.MkdirTemp(b.dir, "http-") // for files that are new
	if err != nil {
		return err
	}
	t.dir = dir
	response := "{}"
	for _, kind := range []string{"check", "empty", "same", "session", "jwt"} {
		c, err := startChild(ctx, kind, dir, response, b.progress)
		if err != nil {
			return fmt.Errorf("server %q: %w", kind, err)
		}
		t.servers[kind] = c
		if kind == "check" {
			if response, err = responseOf(ctx, c.welcome); err != nil {
				return err
			}
		}
	}
	// Those that look at nothing are sent the same as the product.
	for _, kind := range []string{"empty", "same"} {
		t.servers[kind].welcome.Header = t.servers["check"].welcome.Header
	}
	return nil
}

func (t *overHTTP) round(ctx context.Context, s samples) error {
	cpu := make(map[string]float64)
	for _, kind := range kinds() {
		rate, each, err := t.servers[kind].under(ctx, t.load)
		if err != nil {
			return fmt.Errorf("server %q: %w", kind, err)
		}
		cpu[kind] = each
		s.add(kind, rate)
		s.add(kind+" cpu", each)
	}
	for _, kind := range kinds() {
		s.add(kind+" added", cpu[kind]-cpu["empty"])
	}
	return nil
}

func (t *overHTTP) close() {
	for _, c := range t.servers {
		c.end()
	}
	_ = os.RemoveAll(t.dir)
}

// child is a server in a process of its own.
type child struct {
	welcome welcome
	process *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
}

func startChild(ctx context.Context, kind, dir, response string, log io.Writer) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{process: exec.CommandContext(ctx, self, serveCommand, kind, dir, response)}
	c.process.Stderr = prefixed{kind, log}
	c.process.WaitDelay = 5 * time.Second
	if c.in, err = c.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.process.Start(); err != nil {
		return nil, err
	}
	c.answers = json.NewDecoder(out)
	if err := c.answers.Decode(&c.welcome); err != nil {
		c.end()
		return nil, fmt.Errorf("did not start: %w", err)
	}
	return c, nil
}

// under puts the server under load and returns the requests a second and the
// processor time of each, in microseconds.
func (c *child) under(ctx context.Context, d time.Duration) (perSecond, cpu float64, err error) {
	before, err := c.used()
	if err != nil {
		return 0, 0, err
	}
	l, err := wrk(ctx, c.welcome, d)
	if err != nil {
		return 0, 0, err
	}
	after, err := c.used()
	return l.perSecond, float64(after-before) / float64(l.requests), err
}

func (c *child) used() (int64, error) {
	if _, err := io.WriteString(c.in, "usage\n"); err != nil {
		return 0, err
	}
	var u usage
	err := c.answers.Decode(&u)
	return u.CPU, err
}

// end closes the server's input, which ends it, and kills it if it does not.
func (c *child) end() {
	_ = c.in.Close()
	timer := time.AfterFunc(10*time.Second, func() { _ = c.process.Process.Kill() })
	defer timer.Stop()
	_ = c.process.Wait() // what it had to say went to its error output
}

// responseOf is the header of the response, in JSON, without what net/http
// adds to every response.
func responseOf(ctx context.Context, w welcome) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.URL, nil)
	if err != nil {
		return "", err
	}
	name, value, _ := strings.Cut(w.Header, ": ")
	r.Header.Set(name, value)
	answer, err := (&http.Transport{}).RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("/check answers %s", answer.Status)
	}
	answer.Header.Del("Date")
	answer.Header.Del("Content-Length")
	text, err := json.Marshal(answer.Header)
	return string(text), err
}

// prefixed writes lines with the name of who wrote them.
type prefixed struct {
	name string
	to   io.Writer
}

func (p prefixed) Write(text []byte) (int, error) {
	for line := range bytes.Lines(text) {
		if _, err := fmt.Fprintf(p.to, "  %s: %s\n", p.name, bytes.TrimRight(line, "\n")); err != nil {
			return 0, err
		}
	}
	return len(text), nil
}
