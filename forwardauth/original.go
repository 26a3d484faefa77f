package forwardauth

import (
	"net/http"
	"net/url"
	"strings"

	"cloakroom/session"
)

// asked is what the proxy says of the request that it asks about. It decides
// where a browser is led and nothing else, because a client that comes around
// the proxy can say anything.
type asked struct {
	read bool   // GET or HEAD
	page bool   // a browser goes to a page, as opposed to a script asking
	host string // as the client wrote it, or ""
	uri  string // path and query, or ""
}

// original reads X-Forwarded-Method, -Host and -Uri, as Traefik and Caddy send
// them and the configurations of the others are written to.
func original(r *http.Request) asked {
	method := r.Header.Get("X-Forwarded-Method")
	if method == "" {
		method = r.Method
	}
	q := asked{
		read: method == http.MethodGet || method == http.MethodHead,
		host: r.Header.Get("X-Forwarded-Host"), uri: r.Header.Get("X-Forwarded-Uri"),
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		q.page = mode == "navigate"
	} else {
		q.page = strings.Contains(r.Header.Get("Accept"), "text/html")
	}
	return q
}

// redirect is the status that leads a browser elsewhere: what was sent with
// another method is not sent there.
func (q asked) redirect() int {
	if q.read {
		return http.StatusFound
	}
	return http.StatusSeeOther
}

// wayBackFrom returns the target, with the way back to what was asked for if
// that is a page on the target's own host that can be asked for again.
func (q asked) wayBackFrom(target string) string {
	back := session.ReturnTo(q.uri)
	u, err := url.Parse(target)
	if back == "" || !q.read || !q.page || err != nil || !strings.EqualFold(u.Host, q.host) {
		return target
	}
	return target + "?return_to=" + url.QueryEscape(back)
}
