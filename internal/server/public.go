package server

import (
	"context"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"cloakroom/internal/config"
	"cloakroom/internal/problem"
	"cloakroom/internal/visitor"
)

// public is the public listener's handler. It sends a request to one of three:
// the checks for proxies, the API, or the pages.
type public struct {
	checks     map[string]http.Handler // by path
	api, pages http.Handler
	urls       []config.PublicURL // the first is canonical
	base       string             // before every path
	proxies    proxies
	probe      *probe
	patience   time.Duration // of a request that is no check's
}

// hsts tells browsers to come by https for two years. Whether hosts below this
// one can be reached that way is not for this server to say.
const hsts = "max-age=63072000"

func (p *public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := r.URL.Path
	if check, ok := p.checks[at]; ok { // first: it is most of the requests
		check.ServeHTTP(w, r)
		return
	}
	p.probe.look(w, r, p.proxies)
	p.proxies.unwrap(r)
	ctx, cancel := context.WithTimeout(r.Context(), p.patience)
	defer cancel()
	r = r.WithContext(ctx)
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if p.urls[0].Secure() {
		h.Set("Strict-Transport-Security", hsts)
	}
	switch {
	case p.isCheck(at):
		problem.Answer(w, r, problem.UnknownPolicy())
	case !clean(at):
		problem.Answer(w, r, problem.NotFound())
	case p.isAPI(at) && !p.isForm(r):
		p.api.ServeHTTP(w, r)
	case isRead(r) && !p.ownHost(r.Host):
		redirect(w, p.urls[0].String()+r.URL.RequestURI())
	case isRead(r) && (at == "/" || at == p.base):
		redirect(w, p.base+"/account")
	case strings.HasPrefix(at, p.base+"/"):
		r.Header.Del("Authorization") // a page has cookies, and forms that are made for them
		p.pages.ServeHTTP(w, r)
	default:
		problem.Answer(w, r, problem.NotFound())
	}
}

// clean reports whether a path is in its one spelling: without empty, "." and
// ".." elements, from which ServeMux would redirect.
func clean(p string) bool {
	cleaned := path.Clean(p)
	return p == cleaned || p == cleaned+"/"
}

// isAPI reports whether a program is meant to read the answer.
func (p *public) isAPI(at string) bool {
	rest, ok := strings.CutPrefix(at, p.base+"/")
	return ok && (strings.HasPrefix(rest, "v1/") || strings.HasPrefix(rest, "openapi."))
}

// isForm reports whether a page's form has the session renewed, at the one address that
// the refresh token is sent to.
func (p *public) isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.Method == http.MethodPost && r.URL.Path == p.base+visitor.RenewPath &&
		err == nil && kind == "application/x-www-form-urlencoded"
}

// isCheck reports whether a proxy asks. What is not one of the checks names a
// policy that there is not, and nobody is let in by it.
func (p *public) isCheck(at string) bool {
	return strings.HasPrefix(at, p.base+"/check/") || strings.HasPrefix(at, p.base+"/forward/")
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// ownHost reports whether a page was asked for under a public URL. Under any
// other name the session cookie is missing, and forms would be refused.
func (p *public) ownHost(host string) bool {
	for _, u := range p.urls {
		if strings.EqualFold(u.Host(), host) {
			return true
		}
	}
	return false
}

// redirect sends a browser to a page of this server.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
