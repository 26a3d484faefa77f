package session

import (
	"net/http"
	"strings"
)

// bearerToken reads the token of a session from the Authorization header (RFC 6750,
// 2.1). present says that one stands there, of which token is "" if it is doubled: any
// other value of the header is the application's, and none of ours.
func bearerToken(r *http.Request) (token string, present bool) {
	for _, value := range r.Header["Authorization"] {
		scheme, rest, _ := strings.Cut(value, " ")
		rest = strings.Trim(rest, " ")
		if !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(rest, accessKind) {
			continue
		}
		if present {
			return "", true
		}
		token, present = rest, true
	}
	return token, present
}

// IsBearer reports whether the token that the request presents stands in the
// Authorization header, where Config.Bearer lets it be read.
func (m *Manager) IsBearer(r *http.Request) bool {
	_, present := m.bearer(r)
	return present
}

func (m *Manager) bearer(r *http.Request) (token string, present bool) {
	if !m.cfg.Bearer {
		return "", false
	}
	return bearerToken(r)
}

// CheckCarrier reports as ErrTwoTokens a request with a token in the Authorization
// header and a session cookie beside it. Whatever looks for the request's session asks
// it; what needs none can ask it as well.
func (m *Manager) CheckCarrier(r *http.Request) error {
	if m.IsBearer(r) && m.hasCookie(r) {
		return ErrTwoTokens
	}
	return nil
}

// presented returns the token that a request presents. None, or none that can be one,
// is ErrNoSession; two are ErrTwoTokens.
func (m *Manager) presented(r *http.Request) (token string, err error) {
	token, ok := m.bearer(r)
	switch {
	case ok && m.hasCookie(r):
		return "", ErrTwoTokens
	case !ok:
		token, ok = m.cookieToken(r)
	}
	if !ok {
		return "", m.rejectMalformed()
	}
	return token, nil
}
