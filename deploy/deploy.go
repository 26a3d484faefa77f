// Package deploy writes the configurations of reverse proxies that put the check
// in front of an application: for nginx, Caddy, Traefik and HAProxy, to paste
// without editing. What they promise stands in docs/proxies, and its tests,
// behind the build tag "proxies", hold the real proxies to it.
package deploy

import (
	"embed"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"text/template"
)

// Values are what a configuration is written for. They are written as they are:
// whoever fills them in has checked them.
type Values struct {
	Address  string   // where the proxy reaches Cloakroom: host:port, or the path of a socket
	BasePath string   // of everything that is Cloakroom's
	Scheme   string   // of the public URLs
	Hosts    []string // of the public URLs, as browsers write them; the first is canonical
	App      string   // host:port where the proxy reaches the application
	Policy   string   // its name, or "" for none
	Cookie   string   // the session cookie's name
	LuaFile  string   // where HAProxy finds its other file

	Unnamed bool     // no public URL is configured
	Trusted []string // proxies.trusted
}

// Identity are the headers in which a check says who asks. What a client sends
// under these names reaches no application.
var Identity = []string{"Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups", "X-Session-Id", "X-Session-Level"}

// deviceCookie tells a browser that has signed in before from others. It is of
// no more concern to applications than the session cookie.
const deviceCookie = "__Host-device"

// refreshCookie goes to Cloakroom alone, and a client that sends it elsewhere is none of
// the browsers: an application gets nothing of it either way.
const refreshCookie = "__Secure-refresh"

// snippets are the files that can be written, by the names that people call them
// by.
var snippets = map[string]string{
	"nginx": "nginx.conf.tmpl", "caddy": "Caddyfile.tmpl", "traefik": "traefik.yaml.tmpl",
	"haproxy": "haproxy.cfg.tmpl", "haproxy-lua": "cloakroom.lua",
}

//go:embed *.tmpl cloakroom.lua
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"join": strings.Join, "quote": regexp.QuoteMeta, "hostname": hostname, "variable": variable, "nginxURL": nginxURL,
	"dotted": func(header string) bool { return strings.Contains(header, ".") },
}).ParseFS(files, "*.tmpl"))

// Write returns the configuration of a proxy: nginx, caddy, traefik or haproxy;
// or, as haproxy-lua, the file that HAProxy's refers to.
func Write(proxy string, v Values) (string, error) {
	name, ok := snippets[proxy]
	switch {
	case !ok:
		return "", fmt.Errorf("there is no configuration for %q", proxy)
	case proxy == "haproxy-lua":
		text, err := files.ReadFile(name)
		return string(text), err
	case proxy == "traefik" && v.Socket():
		return "", errors.New("listen: Traefik cannot ask for a check over a socket; listen on an address, such as 127.0.0.1:8080")
	}
	var text strings.Builder
	err := templates.ExecuteTemplate(&text, name, v)
	return text.String(), err
}

// Socket reports whether Cloakroom listens on a socket.
func (v Values) Socket() bool { return strings.HasPrefix(v.Address, "/") }

// Check is the path of the check that never redirects.
func (v Values) Check() string { return v.ask("/check") }

// Forward is the path of the check whose answer is for the browser.
func (v Values) Forward() string { return v.ask("/forward") }

func (v Values) ask(how string) string {
	if v.Policy == "" {
		return v.BasePath + how
	}
	return v.BasePath + how + "/" + v.Policy
}

// PublicURL is the address that people open.
func (v Values) PublicURL() string { return v.Scheme + "://" + v.Hosts[0] }

// Identity are the headers that the check answers with.
func (v Values) Identity() []string { return Identity }

// Spellings are the other names that an application may read as one of these
// headers: under CGI and WSGI, and in PHP, "-", "_" and "." are one character.
func (v Values) Spellings() []string {
	var all []string
	for _, name := range Identity {
		spelt := []string{""}
		for _, part := range strings.SplitAfter(name, "-") {
			word, more := strings.CutSuffix(part, "-")
			between := []string{""}
			if more {
				between = []string{"-", "_", "."}
			}
			var longer []string
			for _, s := range spelt {
				for _, b := range between {
					longer = append(longer, s+word+b)
				}
			}
			spelt = longer
		}
		all = append(all, spelt[1:]...) // the first is the name itself
	}
	return all
}

// Cookies are those that the application does not get.
func (v Values) Cookies() []string { return []string{v.Cookie, refreshCookie, deviceCookie} }

// hostname is a host without its port.
func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }

// variable is a header's name as nginx writes it within the name of a variable.
func variable(header string) string { return strings.ToLower(strings.ReplaceAll(header, "-", "_")) }

// nginxURL is an address and a path on it, or none, as nginx passes to.
func nginxURL(address, path string) string {
	switch {
	case !strings.HasPrefix(address, "/"):
		return "http://" + address + path
	case path == "":
		return "http://unix:" + address
	}
	return "http://unix:" + address + ":" + path
}
