//go:build proxies

package deploy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// traefik stands in for Traefik, which Debian does not package. It reads the
// whole of a file for Traefik's file provider, knows no key but those that are
// used here, and does what Traefik 3 does with each.
type traefik struct {
	HTTP struct {
		Routers     map[string]traefikRouter
		Middlewares map[string]traefikMiddleware
		Services    map[string]struct {
			LoadBalancer struct {
				Servers []struct{ URL string }
			} `yaml:"loadBalancer"`
		}
	}
	client http.Client
}

type traefikRouter struct {
	Rule, Service string
	Priority      int
	Middlewares   []string
	TLS           map[string]string
}

type traefikMiddleware struct {
	Headers struct {
		CustomRequestHeaders map[string]string `yaml:"customRequestHeaders"`
	}
	ForwardAuth struct {
		Address             string
		AuthRequestHeaders  []string `yaml:"authRequestHeaders"`
		AuthResponseHeaders []string `yaml:"authResponseHeaders"`
	} `yaml:"forwardAuth"`
}

func startTraefik(t *testing.T, addr string, config []string) {
	t.Helper()
	stand := &traefik{client: http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       3 * time.Second, // Traefik's are 30
	}}
	if err := yaml.UnmarshalWithOptions([]byte(printed(t, "traefik", config)), stand, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: stand, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(l) }() // until it is closed
	t.Cleanup(func() { _ = server.Close() })
}

// ServeHTTP is the entry point: it drops what clients say about forwarding, and
// what they name in Connection.
func (s *traefik) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name := range r.Header {
		if strings.HasPrefix(folded(name), "x-forwarded-") {
			delete(r.Header, name)
		}
	}
	upgrade := ""
	for _, line := range r.Header["Connection"] {
		for token := range strings.SplitSeq(line, ",") {
			token = http.CanonicalHeaderKey(strings.TrimSpace(token))
			if token == "Upgrade" {
				upgrade = r.Header.Get("Upgrade")
			}
			delete(r.Header, token)
		}
	}
	delete(r.Header, "Connection")
	if upgrade != "" {
		r.Header.Set("Upgrade", upgrade)
		r.Header.Set("Connection", "Upgrade")
	}
	var chosen *traefikRouter
	for _, router := range s.HTTP.Routers {
		if matches(router.Rule, r) && (chosen == nil || router.Priority > chosen.Priority) {
			chosen = &router
		}
	}
	if chosen == nil {
		http.NotFound(w, r)
		return
	}
	for _, name := range chosen.Middlewares {
		m := s.HTTP.Middlewares[name]
		for header := range m.Headers.CustomRequestHeaders {
			r.Header.Del(header) // all of them are empty
		}
		if m.ForwardAuth.Address != "" && !s.asks(w, r, m) {
			return
		}
	}
	target, err := url.Parse(s.HTTP.Services[chosen.Service].LoadBalancer.Servers[0].URL)
	if err != nil {
		panic(err)
	}
	proxy := httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(p *httputil.ProxyRequest) {
		p.Out.URL.Scheme, p.Out.URL.Host = target.Scheme, target.Host
		p.SetXForwarded()
	}}
	proxy.ServeHTTP(w, r)
}

// asks is the middleware forwardAuth. It reports whether the request goes on.
func (s *traefik) asks(w http.ResponseWriter, r *http.Request, m traefikMiddleware) bool {
	question, err := http.NewRequestWithContext(r.Context(), http.MethodGet, m.ForwardAuth.Address, nil)
	if err != nil {
		panic(err)
	}
	for _, name := range m.ForwardAuth.AuthRequestHeaders {
		if values := r.Header.Values(name); len(values) > 0 {
			question.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
		}
	}
	client, _, _ := net.SplitHostPort(r.RemoteAddr)
	for name, value := range map[string]string{
		"X-Forwarded-For": client, "X-Forwarded-Method": r.Method, "X-Forwarded-Proto": "http",
		"X-Forwarded-Host": r.Host, "X-Forwarded-Uri": r.URL.RequestURI(),
	} {
		question.Header.Set(name, value)
	}
	answer, err := s.client.Do(question)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return false
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return false
	}
	if answer.StatusCode < 200 || answer.StatusCode >= 300 {
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		if to, err := answer.Location(); err == nil {
			w.Header().Set("Location", to.String())
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(body) // the client may be gone
		return false
	}
	for _, name := range m.ForwardAuth.AuthResponseHeaders {
		name = http.CanonicalHeaderKey(name)
		r.Header.Del(name)
		if values := answer.Header[name]; len(values) > 0 {
			r.Header[name] = slices.Clone(values)
		}
	}
	return true
}

// matches evaluates a router's rule, which is written like an expression of Go.
func matches(rule string, r *http.Request) bool {
	e, err := parser.ParseExpr(rule)
	if err != nil {
		panic(err)
	}
	return holds(e, r)
}

func holds(e ast.Expr, r *http.Request) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return holds(e.X, r)
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			return !holds(e.X, r)
		}
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LAND:
			return holds(e.X, r) && holds(e.Y, r)
		case token.LOR:
			return holds(e.X, r) || holds(e.Y, r)
		}
	case *ast.CallExpr:
		return calls(e, r)
	}
	panic("no rule of Traefik's")
}

func calls(e *ast.CallExpr, r *http.Request) bool {
	var args []string
	for _, arg := range e.Args {
		text, err := strconv.Unquote(arg.(*ast.BasicLit).Value)
		if err != nil {
			panic(err)
		}
		args = append(args, text)
	}
	switch name := e.Fun.(*ast.Ident).Name; name {
	case "Host":
		return strings.EqualFold((&url.URL{Host: r.Host}).Hostname(), args[0])
	case "Path":
		return r.URL.Path == args[0]
	case "PathPrefix":
		return strings.HasPrefix(r.URL.Path, args[0])
	case "HeaderRegexp":
		return slices.ContainsFunc(r.Header.Values(args[0]), regexp.MustCompile(args[1]).MatchString)
	default:
		panic("no matcher of Traefik's: " + name)
	}
}
