// Package config is what an operator can set: one struct with every key once,
// where each value comes from (a flag, before a variable, before the file,
// before the default), and the checks that turn it into something the server
// can be built from.
package config

import (
	"errors"
	"fmt"
	"strings"
)

// Config is the configuration as it is written. Its tags are the one list of
// keys: name is the flag, and a key in the file with "_" for "-"; a key that is
// marked secret may hold a password, and is never shown; one marked reload is taken
// over by a running server. A field is text, or a list of texts; an empty one means
// the default. Errors call a key by its name in the file.
type Config struct {
	Listen    string   `name:"listen" default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where people and proxies reach the server: host:port, or unix:/path of a socket."`
	OpsListen string   `name:"ops.listen" default:"127.0.0.1:8081" placeholder:"ADDRESS" help:"Where /healthz, /readyz and /metrics are served, for nobody outside."`
	PublicURL []string `name:"public-url" placeholder:"URL" help:"The address that people open, such as https://example.com; several with commas between, the first being the one that links lead to. Unless set: http://localhost and http://127.0.0.1 with the port of listen."`
	BasePath  string   `name:"base-path" default:"/auth" placeholder:"PATH" help:"What everything public stands under, so that the rest of the host is the application's."`
	Database  string   `name:"database" default:"sqlite:cloakroom.db" placeholder:"DATABASE" secret:"" help:"Where accounts and sessions are kept: sqlite: and the path of a file."`
	SignUp    string   `name:"sign-up" reload:"" default:"open" placeholder:"WHO" help:"Who makes accounts: open, anybody; invited, administrators, who invite people; closed, nobody."`

	Idle       string `name:"sessions.idle" default:"7d" placeholder:"TIME" help:"Ends a session that is not used for this long: 1m up to sessions.absolute."`
	Absolute   string `name:"sessions.absolute" default:"30d" placeholder:"TIME" help:"Ends a session this long after its sign-in, whatever happens: up to 400d. It cannot be switched off."`
	Token      string `name:"sessions.token-lifetime" default:"24h" placeholder:"TIME" help:"How long a token is worth something until it is renewed, which browsers and programs do by themselves: 5s to 48h."`
	PerAccount string `name:"sessions.per-account" default:"100" placeholder:"N" help:"How many sessions an account has at most; one more ends the one that was unused the longest."`
	Cache      string `name:"sessions.cache" default:"256MiB" placeholder:"SIZE" help:"How much memory the sessions take from which checks are answered: 1MiB and more."`

	ReauthenticateAfter string `name:"reauthenticate-after" reload:"" default:"15m" placeholder:"TIME" help:"How long after a sign-in other sessions may be revoked, and accounts administered, before the password is asked for again: 1m to 24h."`
	CookieName          string `name:"cookie.name" default:"__Host-session" placeholder:"NAME" help:"The session cookie's name. It begins with __Host-."`
	CookieSameSite      string `name:"cookie.same-site" default:"lax" placeholder:"WHICH" help:"lax, or strict: with strict a link from elsewhere arrives signed out."`

	PasswordMinLength string `name:"password.min-length" default:"15" placeholder:"N" help:"How many characters a new password has at least: 15 to 64."`
	PasswordSlots     string `name:"password.slots" default:"auto" placeholder:"N" help:"How many passwords are hashed at a time, each in 19 MiB; auto is one less than there are processors, and at least one."`

	TrustedProxies []string `name:"proxies.trusted" reload:"" placeholder:"NETWORK" help:"Addresses or networks of the proxies in front, whose X-Forwarded-For says who asks. What comes over a socket is trusted."`
	Policies       string   `name:"policies" reload:"" placeholder:"YAML" help:"What /check/NAME and /forward/NAME demand, such as {admin: {roles: [admin], recent: 10m, consistency: fresh}}."`

	LogLevel       string `name:"log.level" reload:"" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error."`
	LogFormat      string `name:"log.format" default:"text" placeholder:"FORMAT" help:"text or json."`
	AuditRetention string `name:"audit.retention" default:"400d" placeholder:"TIME" help:"How long entries of the audit are kept: 1d and more."`
}

// Default is the configuration with nothing set.
func Default() Config { return Config{}.withDefaults() }

func (c Config) withDefaults() Config {
	for _, k := range Keys() {
		if k.get(c) == "" {
			k.set(&c, k.Default)
		}
	}
	return c
}

// Error is what is wrong with the value of one key, and what to do.
type Error struct{ Key, Text string }

func (e *Error) Error() string { return e.Key + ": " + e.Text }

func keyError(key, format string, args ...any) error {
	return &Error{key, fmt.Sprintf(format, args...)}
}

// Check reads every key. It reports all that is wrong, a line for each.
func (c Config) Check() (Settings, error) {
	c = c.withDefaults()
	var s Settings
	var errs []error
	check := func(err error) { errs = append(errs, err) }
	parse(&s.Listen, check, parseAddress, "listen", c.Listen)
	parse(&s.OpsListen, check, parseAddress, "ops.listen", c.OpsListen)
	parse(&s.PublicURLs, check, parsePublicURLs, "public_url", c.PublicURL)
	parse(&s.BasePath, check, parseBasePath, "base_path", c.BasePath)
	parse(&s.SQLitePath, check, parseDatabase, "database", c.Database)
	parse(&s.SignUp, check, oneOf("open", "invited", "closed"), "sign_up", c.SignUp)
	parse(&s.Absolute, check, timeWithin(minIdle, maxAbsolute), "sessions.absolute", c.Absolute)
	parse(&s.Idle, check, timeWithin(minIdle, maxAbsolute), "sessions.idle", c.Idle)
	parse(&s.TokenLifetime, check, timeWithin(minToken, maxToken), "sessions.token_lifetime", c.Token)
	parse(&s.PerAccount, check, numberWithin(1, 10_000), "sessions.per_account", c.PerAccount)
	parse(&s.CacheBytes, check, parseSize, "sessions.cache", c.Cache)
	parse(&s.ReauthenticateAfter, check, timeWithin(minRecent, maxRecent), "reauthenticate_after", c.ReauthenticateAfter)
	parse(&s.CookieName, check, parseCookieName, "cookie.name", c.CookieName)
	parse(&s.CookieSameSite, check, oneOf("lax", "strict"), "cookie.same_site", c.CookieSameSite)
	parse(&s.PasswordMinLength, check, numberWithin(15, 64), "password.min_length", c.PasswordMinLength)
	parse(&s.PasswordSlots, check, parseSlots, "password.slots", c.PasswordSlots)
	parse(&s.TrustedProxies, check, parseNetworks, "proxies.trusted", c.TrustedProxies)
	parse(&s.Policies, check, parsePolicies, "policies", c.Policies)
	parse(&s.LogLevel, check, parseLevel, "log.level", c.LogLevel)
	parse(&s.LogFormat, check, oneOf("text", "json"), "log.format", c.LogFormat)
	parse(&s.AuditRetention, check, timeWithin(minRetention, maxRetention), "audit.retention", c.AuditRetention)
	if err := errors.Join(errs...); err != nil {
		return Settings{}, err
	}
	return s, s.checkTogether()
}

// parse reads one key into to, or reports what is wrong with it.
func parse[T, Text any](to *T, report func(error), read func(key string, text Text) (T, error), key string, text Text) {
	v, err := read(key, text)
	if err != nil {
		report(err)
		return
	}
	*to = v
}

// checkTogether holds the rules between keys.
func (s Settings) checkTogether() error {
	secure := false
	for _, u := range s.PublicURLs {
		secure = secure || u.Secure()
	}
	for _, l := range []struct {
		key string
		Address
	}{{"listen", s.Listen}, {"ops.listen", s.OpsListen}} {
		if !secure && !l.Loopback() {
			return keyError(l.key, "%s can be reached from other machines, and there is no https public URL, "+
				"without which browsers send passwords in the clear and keep no session cookie; "+
				"set public_url to the https:// address that people open, or listen on 127.0.0.1", l)
		}
	}
	switch {
	case s.Listen.Network == "unix" && len(s.PublicURLs) == 0:
		return keyError("public_url", "is needed when listen is a socket; set it to the address that people open")
	case s.Idle > s.Absolute:
		return keyError("sessions.idle", "%s is longer than sessions.absolute, %s; make it shorter", spell(s.Idle), spell(s.Absolute))
	}
	return nil
}

func parseDatabase(key, text string) (string, error) {
	scheme, path, ok := strings.Cut(text, ":")
	switch {
	case !ok || path == "":
		return "", keyError(key, `must be "sqlite:" and the path of a file, such as sqlite:cloakroom.db`)
	case scheme == "postgres" || scheme == "postgresql":
		return "", keyError(key, `PostgreSQL is not supported yet; use "sqlite:" and the path of a file`)
	case scheme != "sqlite":
		return "", keyError(key, `%q is no kind of database that is known; use "sqlite:" and the path of a file`, scheme)
	case path == ":memory:" || strings.ContainsAny(path, "?\x00"):
		return "", keyError(key, "%q is not the path of a file; accounts and sessions have to last", path)
	}
	return path, nil
}
