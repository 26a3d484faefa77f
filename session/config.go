package session

import (
	"log/slog"
	"net/http"
	"time"
)

// Config is what a Manager is made of. A zero field means the default that
// stands beside it; Store is required.
type Config struct {
	Store Store

	// Idle ends a session that is not used: 7 days. At least a second, at most
	// Absolute; whole seconds, like Absolute.
	Idle time.Duration
	// Absolute ends a session whatever happens: 30 days. It cannot be switched
	// off (NIST SP 800-63B-4, 2.1.3).
	Absolute time.Duration
	// TokenLifetime is how long a renewable session's token lives until it has to be
	// renewed: 24 hours; 5 seconds to 48 hours, whole seconds.
	TokenLifetime time.Duration
	// Delta bounds how long another node may accept a session after its
	// revocation returned: 1 s; at least 250 ms.
	Delta time.Duration
	// PerSubject is how many sessions a subject may have: 100.
	PerSubject int
	// CacheBytes bounds the memory of the cache: 256 MiB.
	CacheBytes int64

	// Cookie is how the token travels.
	Cookie Cookie
	// Bearer has requests be read for a token in the header Authorization: Bearer, too,
	// of sessions that were issued for it (Grant.Bearer).
	Bearer bool
	// Origins are the public URLs' origins ("https://example.com") that may
	// send unsafe requests. Without any, Sec-Fetch-Site alone decides, and a
	// request with a session cookie and without that header is refused; Host
	// is never trusted.
	Origins []string
	// Answer answers a request that Load or Require does not let through. By
	// default a problem document (RFC 9457); see Problem and RedirectTo.
	Answer func(w http.ResponseWriter, r *http.Request, err error)

	// Reused, unless nil, returns what is to be done in the transaction that revokes
	// a session because its refresh token was used twice: to record it, say.
	Reused func(*ReusedError) []Join

	// Now is the wall time for engines without a clock of their own: time.Now.
	Now func() time.Time
	// Logger gets what an operator should know: slog.Default.
	Logger *slog.Logger
}

// Cookie says how the session cookie is named and when browsers send it. It is
// always Secure and HttpOnly, with Path=/ and no Domain.
type Cookie struct {
	// Name is "__Host-session" unless set. A name that does not begin with
	// __Host- is refused: only the prefix keeps sibling hosts from planting it.
	Name string
	// SameSite is Lax unless set to Strict, under which a link from elsewhere
	// arrives signed out.
	SameSite http.SameSite
	// RenewPath is the one path that RenewRequest is served at. Browsers send the
	// refresh token of a renewable session, the cookie "__Secure-refresh", nowhere
	// else. Without it SignIn issues no renewable session.
	RenewPath string
}

const (
	defaultIdle       = 7 * 24 * time.Hour
	defaultAbsolute   = 30 * 24 * time.Hour
	defaultToken      = 24 * time.Hour
	minToken          = 5 * time.Second
	maxToken          = 48 * time.Hour
	defaultDelta      = time.Second
	minDelta          = 250 * time.Millisecond
	defaultPerSubject = 100
	defaultCacheBytes = 256 << 20
	defaultCookie     = "__Host-session"
)

// withDefaults fills in what is zero and refuses what breaks a limit.
func (c Config) withDefaults() (Config, error) {
	c.Idle = orDefault(c.Idle, min(defaultIdle, orDefault(c.Absolute, defaultAbsolute)))
	c.Absolute = orDefault(c.Absolute, defaultAbsolute)
	c.TokenLifetime = orDefault(c.TokenLifetime, defaultToken)
	c.Delta = orDefault(c.Delta, defaultDelta)
	c.PerSubject = orDefault(c.PerSubject, defaultPerSubject)
	c.CacheBytes = orDefault(c.CacheBytes, defaultCacheBytes)
	c.Cookie.Name = orDefault(c.Cookie.Name, defaultCookie)
	c.Cookie.SameSite = orDefault(c.Cookie.SameSite, http.SameSiteLaxMode)
	if c.Answer == nil {
		c.Answer = Problem
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, c.check()
}

func (c Config) check() error {
	switch {
	case c.Store == nil:
		return invalid("Config.Store is required")
	case c.Idle < time.Second || c.Idle > c.Absolute || c.Idle%time.Second != 0:
		return invalid("Config.Idle must be whole seconds, at least one and at most Config.Absolute")
	case c.Absolute%time.Second != 0:
		return invalid("Config.Absolute must be whole seconds")
	case c.TokenLifetime < minToken || c.TokenLifetime > maxToken || c.TokenLifetime%time.Second != 0:
		return invalid("Config.TokenLifetime must be whole seconds, %v to %v", minToken, maxToken)
	case c.Delta < minDelta:
		return invalid("Config.Delta must be at least %v", minDelta)
	case c.PerSubject < 1:
		return invalid("Config.PerSubject must be at least 1")
	case c.CacheBytes < 1<<20:
		return invalid("Config.CacheBytes must be at least 1 MiB")
	case !validCookieName(c.Cookie.Name):
		return invalid(`Config.Cookie.Name must begin with "__Host-" and be a token`)
	case c.Cookie.SameSite != http.SameSiteLaxMode && c.Cookie.SameSite != http.SameSiteStrictMode:
		return invalid("Config.Cookie.SameSite must be Lax or Strict")
	}
	if p := c.Cookie.RenewPath; p != "" && !validCookiePath(p) {
		return invalid("Config.Cookie.RenewPath must begin with a slash, and be plain")
	}
	for _, o := range c.Origins {
		if !validOrigin(o) {
			return invalid("Config.Origins must be origins such as https://example.com, without a path")
		}
	}
	return nil
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
