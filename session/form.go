package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
)

// FormToken returns what a page's forms carry to show that they were made for
// the session that the request presents, or "" if it presents none: compare it,
// in constant time, with what comes back. It holds as long as the token in the
// cookie, on every node and across restarts, and gives away nothing of it: it is
// an HMAC under the token, of which the server keeps nothing but the hash.
//
// It is a second lock beside CheckOrigin (NIST SP 800-63B-4, 5.1): a request
// that somebody else's page sends cannot know it.
func (m *Manager) FormToken(r *http.Request) string {
	token, ok := m.cookieToken(r)
	if !ok {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(token))
	_, _ = io.WriteString(mac, "cloakroom form")
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
