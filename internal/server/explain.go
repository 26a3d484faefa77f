package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"cloakroom/forwardauth"
	"cloakroom/internal/problem"
	"cloakroom/session"
)

// Requested is the head of a request that somebody wants to know the fate of.
type Requested struct {
	Method string      `json:"method"`
	Target string      `json:"target"` // path and query
	Host   string      `json:"host"`
	Header http.Header `json:"header"`
	From   string      `json:"from"` // the address of who has the connection with the server; "" if nobody says
}

// Refusal is an answer that a request gets before anybody looks at its session.
type Refusal struct {
	Status int    `json:"status"`
	Rule   string `json:"rule"` // that refused it
}

// request makes the request again. It is never served. Its errors do not hold what
// was given: there may be a secret in it.
func (q Requested) request(ctx context.Context) (*http.Request, error) {
	at, err := url.ParseRequestURI(q.Target)
	if err != nil || !strings.HasPrefix(at.Path, "/") {
		return nil, problem.Malformed("target", "The request asks for no path.")
	}
	r, err := http.NewRequestWithContext(ctx, q.Method, "/", nil)
	if err != nil {
		return nil, problem.Malformed("method", "The request has no method.")
	}
	r.URL, r.Host = at, q.Host
	for name, values := range q.Header {
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
	if q.From == "" {
		return r, nil
	}
	ip, err := netip.ParseAddr(q.From)
	if peer, bad := netip.ParseAddrPort(q.From); bad == nil {
		ip, err = peer.Addr(), nil
	}
	if err != nil {
		return nil, problem.Malformed("from", "From whom the request came has to be an IP address.")
	}
	r.RemoteAddr = net.JoinHostPort(ip.String(), "0")
	return r, nil
}

// door is what answers at the moment, under the settings of the latest Reload.
func (s *Server) door() *public { return (*s.handler.Load()).(*public) }

// unmet says what a session lacks for the check at a path, or "".
func (p *public) unmet(path string, found session.Session) string {
	check, ok := p.checks[path].(forwardauth.Handler)
	if !ok {
		return ""
	}
	err := check.Policy.Admits(found)
	if err == nil {
		return ""
	}
	return fmt.Sprintf("%v; the session is of level %d, its roles are %q, and who it is was confirmed %v ago",
		err, found.Level(), slices.Collect(found.Roles()), found.Age().Round(time.Second))
}

// cookieFault says why a header has no session cookie that could count, or "".
func cookieFault(h http.Header, name string) string {
	found := 0
	for _, line := range h["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			if n, _, _ := strings.Cut(strings.TrimLeft(pair, " \t"), "="); n == name {
				found++
			}
		}
	}
	switch found {
	case 0:
		return "; there is no cookie " + name
	case 1:
		return ""
	}
	return fmt.Sprintf("; the cookie %s stands there %d times, and none of them counts", name, found)
}

// look goes with a request to where its session would be looked at, and adds to the
// explanation what happens on the way.
func (s *Server) look(ctx context.Context, q Requested, e *Explanation) error {
	r, err := q.request(ctx)
	if err != nil {
		return err
	}
	p := s.door()
	note := func(format string, args ...any) { e.Notes = append(e.Notes, fmt.Sprintf(format, args...)) }
	own := make([]string, len(p.urls))
	for i, u := range p.urls {
		own[i] = u.String()
	}
	where := strings.Join(own, ", ")
	at := r.URL.Path
	check := p.checks[at] != nil || p.isCheck(at)
	switch e.Refused, err = s.refusal(p, r, where); {
	case err != nil:
		return err
	case e.Refused != nil && e.Refused.Status == http.StatusForbidden:
		note("Sec-Fetch-Site is %q, Origin is %q, and the public URLs are %s", r.Header["Sec-Fetch-Site"], r.Header["Origin"], where)
	case e.Refused != nil:
	case !check && strings.HasPrefix(at, p.base+"/"):
		note("the path is this server's own: what else it asks of a session is not looked at")
	case !check:
		note("the path is the application's: this is the check that its proxy asks for, and what the application itself refuses is not known here")
	}
	if !check && e.Refused == nil && !p.ownName(r.Host) {
		note("Host is %q, which is no public URL's (%s): browsers send the session cookie to those only", r.Host, where)
	}
	p.whose(r, e, note)
	return nil
}

// refusal is what refuses a request under the base path, or leads it elsewhere, before
// its session counts; nil if nothing does. It follows public.ServeHTTP.
func (s *Server) refusal(p *public, r *http.Request, where string) (*Refusal, error) {
	at := r.URL.Path
	switch {
	case p.checks[at] != nil || p.isCheck(at) || !strings.HasPrefix(at, p.base+"/"):
		return nil, nil
	case !clean(at):
		return &Refusal{http.StatusNotFound, "the path has empty, . or .. elements, and nothing stands at such a path"}, nil
	case !p.isAPI(at) && isRead(r) && !p.ownHost(r.Host):
		return &Refusal{http.StatusSeeOther, fmt.Sprintf("Host is %q, which is no public URL's (%s): a page is shown under those only, and the browser is led there", r.Host, where)}, nil
	}
	err := s.sessions.CheckOrigin(r)
	if errors.Is(err, session.ErrOrigin) {
		return &Refusal{http.StatusForbidden, err.Error()}, nil
	}
	return nil, err
}

// ownName is ownHost whatever the port, which no cookie looks at.
func (p *public) ownName(host string) bool {
	name := (&url.URL{Host: host}).Hostname()
	for _, u := range p.urls {
		if strings.EqualFold((&url.URL{Host: u.Host()}).Hostname(), name) {
			return true
		}
	}
	return false
}

// whose says whom the request is taken for, and whose word that is.
func (p *public) whose(r *http.Request, e *Explanation, note func(string, ...any)) {
	forwarded := r.Header["X-Forwarded-For"] != nil
	if r.Header["Forwarded"] != nil {
		note("the header Forwarded is not read; X-Forwarded-For is")
	}
	if r.RemoteAddr == "" {
		if forwarded {
			note("whether X-Forwarded-For is believed depends on who has the connection with the server: say --from ADDRESS; it is, over a socket")
		}
		return
	}
	peer, _, _ := net.SplitHostPort(r.RemoteAddr)
	if trusted := p.proxies.trusts(r.RemoteAddr); forwarded && !trusted {
		note("X-Forwarded-For is not believed, because %s is not in proxies.trusted: the request counts as its own, and everybody behind it shares its limits", peer)
	} else if !forwarded && trusted {
		note("%s is in proxies.trusted and sends no X-Forwarded-For: everybody behind it shares its limits", peer)
	}
	p.proxies.unwrap(r)
	e.Client, _, _ = net.SplitHostPort(r.RemoteAddr)
}
