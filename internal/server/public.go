package server

import (
	"net/http"
	"path"
	"strings"

	"cloakroom/internal/config"
	"cloakroom/internal/problem"
)

// public is the public listener's handler. It sends a request to one of three:
// the check for proxies, the API, or the pages.
type public struct {
	check, api, pages http.Handler
	urls              []config.PublicURL // the first is canonical
}

// hsts tells browsers to come by https for two years. Whether hosts below this
// one can be reached that way is not for this server to say.
const hsts = "max-age=63072000"

func (p *public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := r.URL.Path
	if at == basePath+"/check" { // first: it is most of the requests
		p.check.ServeHTTP(w, r)
		return
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if p.urls[0].Secure() {
		h.Set("Strict-Transport-Security", hsts)
	}
	switch {
	case !clean(at):
		problem.Answer(w, r, problem.NotFound())
	case isAPI(at):
		p.api.ServeHTTP(w, r)
	case isRead(r) && !p.ownHost(r.Host):
		redirect(w, p.urls[0].String()+r.URL.RequestURI())
	case isRead(r) && (at == "/" || at == basePath):
		redirect(w, basePath+"/account")
	case strings.HasPrefix(at, basePath+"/"):
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
func isAPI(p string) bool {
	rest, ok := strings.CutPrefix(p, basePath+"/")
	return ok && (strings.HasPrefix(rest, "v1/") || strings.HasPrefix(rest, "openapi.") || strings.HasPrefix(rest, "check/"))
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
