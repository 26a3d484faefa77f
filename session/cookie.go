package session

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// presentedToken reads the session cookie by hand: the exact name, no quotes,
// exactly one. There is none if the cookie is missing, malformed or doubled:
// two cookies of the name are a fault, and no order decides between them
// (RFC 6265, 5.4).
func (m *Manager) presentedToken(r *http.Request) (token string, ok bool) {
	for _, header := range r.Header["Cookie"] {
		for header != "" {
			var pair string
			pair, header, _ = strings.Cut(header, ";")
			name, value, _ := strings.Cut(strings.TrimLeft(pair, " \t"), "=")
			if name != m.cfg.Cookie.Name {
				continue
			}
			if ok {
				return "", false
			}
			token, ok = value, true
		}
	}
	if len(token) != tokenLen {
		return "", false
	}
	return token, ok
}

// hasCookie reports whether the request carries the session cookie at all,
// however malformed.
func (m *Manager) hasCookie(r *http.Request) bool {
	for _, header := range r.Header["Cookie"] {
		if strings.Contains(header, m.cfg.Cookie.Name+"=") {
			return true
		}
	}
	return false
}

// setCookie hands out the token. Without remember the browser forgets it when
// it closes; the store ends the session in any case.
func (m *Manager) setCookie(w http.ResponseWriter, t Token, remember bool) {
	attributes := ""
	if remember {
		attributes = "; Max-Age=" + strconv.Itoa(int(m.cfg.Absolute/time.Second))
	}
	m.writeCookie(w, t.Reveal(), attributes)
}

// clearCookie asks the browser to forget the token.
func (m *Manager) clearCookie(w http.ResponseWriter) {
	m.writeCookie(w, "", "; Max-Age=0")
}

func (m *Manager) writeCookie(w http.ResponseWriter, value, attributes string) {
	sameSite := "Lax"
	if m.cfg.Cookie.SameSite == http.SameSiteStrictMode {
		sameSite = "Strict"
	}
	w.Header().Add("Set-Cookie",
		m.cfg.Cookie.Name+"="+value+"; Path=/"+attributes+"; Secure; HttpOnly; SameSite="+sameSite)
	w.Header().Set("Cache-Control", "no-store")
}

func validCookieName(s string) bool {
	rest, ok := strings.CutPrefix(s, "__Host-")
	if !ok || rest == "" || len(rest) > 64 {
		return false
	}
	for i := range len(rest) {
		c := rest[i]
		if ('a' > c || c > 'z') && ('A' > c || c > 'Z') && ('0' > c || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
