package server

import (
	"crypto/rand"
	"net/http"
	"sync"
	"sync/atomic"

	"cloakroom/internal/problem"
)

// probeHeader marks the one request by which the command line finds out how
// requests reach this server.
const probeHeader = "X-Cloakroom-Probe"

// Arrival is a request of the command line's as it reached the server through
// the public URL.
type Arrival struct {
	Probe        string `json:"probe"`
	Arrived      bool   `json:"arrived"`
	Peer         string `json:"peer"`    // whose connection it came on
	Trusted      bool   `json:"trusted"` // by proxies.trusted
	Host         string `json:"host"`
	ForwardedFor string `json:"forwarded_for"`
	Proto        string `json:"forwarded_proto"`
	Client       string `json:"client"` // whose request it is taken for
}

// probe waits for one request. The zero probe waits for none.
type probe struct {
	waiting atomic.Bool // so that requests cost nothing while none is waited for

	mu     sync.Mutex // guards latest
	latest Arrival
}

// expect begins to wait, for another request than before.
func (p *probe) expect() Arrival {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest = Arrival{Probe: rand.Text()}
	p.waiting.Store(true)
	return p.latest
}

// arrived returns what has come of it.
func (p *probe) arrived() Arrival {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latest
}

// look keeps how a request arrived, if it is the one that is waited for. Of
// others it looks at nothing but that they are not.
func (p *probe) look(r *http.Request, known proxies) {
	if !p.waiting.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.latest.Arrived || r.Header.Get(probeHeader) != p.latest.Probe {
		return
	}
	p.waiting.Store(false)
	seen := &http.Request{RemoteAddr: r.RemoteAddr, Header: r.Header}
	known.unwrap(seen)
	p.latest = Arrival{
		Probe: p.latest.Probe, Arrived: true, Peer: r.RemoteAddr, Trusted: known.trusts(r.RemoteAddr), Host: r.Host,
		ForwardedFor: r.Header.Get("X-Forwarded-For"), Proto: r.Header.Get("X-Forwarded-Proto"), Client: seen.RemoteAddr,
	}
}

func (s *Server) beginProbe(w http.ResponseWriter, _ *http.Request) error {
	if s.listener == nil {
		return problem.NotFound() // nobody is served
	}
	return answerJSON(w, s.probe.expect())
}

func (s *Server) readProbe(w http.ResponseWriter, _ *http.Request) error {
	return answerJSON(w, s.probe.arrived())
}
