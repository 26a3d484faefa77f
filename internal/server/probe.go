package server

import (
	"crypto/rand"
	"net/http"
	"sync"
	"sync/atomic"

	"cloakroom/internal/problem"
	"cloakroom/session"
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

	Cookie        string `json:"cookie"`         // the session cookie's name; the request sends the probe as its value
	CookieArrived bool   `json:"cookie_arrived"` // just so
	SetCookie     string `json:"set_cookie"`     // what the answer's Set-Cookie was when it left: it empties the cookie
}

// probe waits for one request. One without sessions waits for none.
type probe struct {
	sessions *session.Manager
	cookie   string // its name

	waiting atomic.Bool // so that requests cost nothing while none is waited for

	mu     sync.Mutex // guards latest
	latest Arrival
}

// expect begins to wait, for another request than before.
func (p *probe) expect() Arrival {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest = Arrival{Probe: rand.Text(), Cookie: p.cookie}
	p.waiting.Store(true)
	return p.latest
}

// arrived returns what has come of it.
func (p *probe) arrived() Arrival {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latest
}

// look keeps how a request arrived, if it is the one that is waited for, and has
// its answer empty the session cookie, as a sign-out does: it is seen on the other
// side what has become of that. Of other requests it looks at nothing but that they
// are not the one.
func (p *probe) look(w http.ResponseWriter, r *http.Request, known proxies) {
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
	cookie, err := r.Cookie(p.cookie)
	p.latest = Arrival{
		Cookie: p.cookie, CookieArrived: err == nil && cookie.Value == p.latest.Probe, SetCookie: p.emptyCookie(w),
		Probe: p.latest.Probe, Arrived: true, Peer: r.RemoteAddr, Trusted: known.trusts(r.RemoteAddr), Host: r.Host,
		ForwardedFor: r.Header.Get("X-Forwarded-For"), Proto: r.Header.Get("X-Forwarded-Proto"), Client: seen.RemoteAddr,
	}
}

// emptyCookie adds to an answer what empties the session cookie, and returns it. It
// is of a sign-out of nobody, so that the attributes are those of every day.
func (p *probe) emptyCookie(w http.ResponseWriter) string {
	out := answerHeader{}
	if err := p.sessions.SignOut(out, &http.Request{Method: http.MethodGet}); err != nil {
		return ""
	}
	set := http.Header(out).Get("Set-Cookie")
	w.Header().Add("Set-Cookie", set)
	return set
}

// answerHeader is an answer of which only the header is wanted.
type answerHeader http.Header

func (h answerHeader) Header() http.Header         { return http.Header(h) }
func (h answerHeader) Write(b []byte) (int, error) { return len(b), nil }
func (h answerHeader) WriteHeader(int)             {}

func (s *Server) beginProbe(w http.ResponseWriter, _ *http.Request) error {
	if s.listener == nil {
		return problem.NotFound() // nobody is served
	}
	return answerJSON(w, s.probe.expect())
}

func (s *Server) readProbe(w http.ResponseWriter, _ *http.Request) error {
	return answerJSON(w, s.probe.arrived())
}
