package session

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// refreshCookie is the name of the cookie with the refresh token. Unlike __Host-, its
// prefix lets it have a path.
const refreshCookie = "__Secure-refresh"

// cookieToken reads the session cookie. A token of another kind has no place there.
func (m *Manager) cookieToken(r *http.Request) (token string, ok bool) {
	token, ok = readCookie(r, m.cfg.Cookie.Name)
	return token, ok && strings.HasPrefix(token, sessionKind)
}

// readCookie reads a cookie by hand: the exact name, no quotes,
// exactly one. There is none if the cookie is missing, malformed or doubled:
// two cookies of the name are a fault, and no order decides between them
// (RFC 6265, 5.4).
func readCookie(r *http.Request, wanted string) (token string, ok bool) {
	for _, header := range r.Header["Cookie"] {
		for header != "" {
			var pair string
			pair, header, _ = strings.Cut(header, ";")
			name, value, _ := strings.Cut(strings.TrimLeft(pair, " \t"), "=")
			if name != wanted {
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
func (m *Manager) hasCookie(r *http.Request) bool { return hasCookie(r, m.cfg.Cookie.Name) }

func hasCookie(r *http.Request, name string) bool {
	for _, header := range r.Header["Cookie"] {
		if strings.Contains(header, name+"=") {
			return true
		}
	}
	return false
}

// setCookie hands out the token, and the refresh token with it, if there is one. With
// remember browsers keep both for as long as the session may last; otherwise they
// forget them when they close. The store ends the session in any case.
func (m *Manager) setCookie(w http.ResponseWriter, t Token, remember bool, left time.Duration) {
	attributes := ""
	if remember {
		attributes = "; Max-Age=" + strconv.Itoa(int(left/time.Second))
	}
	m.writeCookie(w, t.Reveal(), attributes)
	if refresh := t.Refresh(); refresh != (Token{}) {
		m.writeRefreshCookie(w, refresh.Reveal(), attributes)
	}
}

// clearCookie asks the browser to forget the tokens.
func (m *Manager) clearCookie(w http.ResponseWriter) {
	m.writeCookie(w, "", "; Max-Age=0")
	if m.cfg.Cookie.RenewPath != "" {
		m.writeRefreshCookie(w, "", "; Max-Age=0")
	}
}

// writeRefreshCookie is for a cookie that travels to one path, and never from another
// site: no link leads there.
func (m *Manager) writeRefreshCookie(w http.ResponseWriter, value, attributes string) {
	w.Header().Add("Set-Cookie", refreshCookie+"="+value+"; Path="+m.cfg.Cookie.RenewPath+attributes+
		"; Secure; HttpOnly; SameSite=Strict")
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

func validCookiePath(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == ';' || c == ',' || c == '"' || c == '\\' {
			return false
		}
	}
	return s[0] == '/'
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
