// Package config is what an operator can set, in one struct, and the checks
// that turn it into something the server can be built from.
package config

import (
	"errors"
	"fmt"
	"strings"
)

// Config is the configuration as it is written: every key, once. Its tags name
// the flag and the variable; a flag counts before the variable, and that before
// the default. Errors call a key by its one name, such as ops.listen.
type Config struct {
	Listen    string   `name:"listen" env:"CLOAKROOM_LISTEN" default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where people and proxies reach the server: host:port, or unix:/path of a socket."`
	OpsListen string   `name:"ops.listen" env:"CLOAKROOM_OPS_LISTEN" default:"127.0.0.1:8081" placeholder:"ADDRESS" help:"Where /healthz and /readyz are served, for nobody outside."`
	PublicURL []string `name:"public-url" env:"CLOAKROOM_PUBLIC_URL" placeholder:"URL" help:"The address that people open, such as https://example.com; several with commas between, the first being the one that links lead to. Unless set: http://localhost and http://127.0.0.1 with the port of listen."`
	Database  string   `name:"database" env:"CLOAKROOM_DATABASE" default:"sqlite:cloakroom.db" placeholder:"DATABASE" help:"Where accounts and sessions are kept: sqlite: and the path of a file."`
}

// Default is the configuration with nothing set.
func Default() Config {
	return Config{Listen: "127.0.0.1:8080", OpsListen: "127.0.0.1:8081", Database: "sqlite:cloakroom.db"}
}

// Settings are a Config that was checked.
type Settings struct {
	Listen     Address
	OpsListen  Address
	PublicURLs []PublicURL // none: the address that is listened on decides
	SQLitePath string
}

// keyError names the key that is at fault, what is wrong and what to do.
func keyError(key, format string, args ...any) error {
	return fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...))
}

// Check reads every key. It reports all that is wrong, a line for each.
func (c Config) Check() (Settings, error) {
	var s Settings
	var errs [4]error
	s.Listen, errs[0] = parseAddress("listen", c.Listen)
	s.OpsListen, errs[1] = parseAddress("ops.listen", c.OpsListen)
	s.PublicURLs, errs[2] = parsePublicURLs(c.PublicURL)
	s.SQLitePath, errs[3] = parseDatabase(c.Database)
	if err := errors.Join(errs[:]...); err != nil {
		return Settings{}, err
	}
	return s, s.checkTogether()
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
	if s.Listen.Network == "unix" && len(s.PublicURLs) == 0 {
		return keyError("public_url", "is needed when listen is a socket; set it to the address that people open")
	}
	return nil
}

func parseDatabase(text string) (string, error) {
	scheme, path, ok := strings.Cut(text, ":")
	switch {
	case !ok || path == "":
		return "", keyError("database", `must be "sqlite:" and the path of a file, such as sqlite:cloakroom.db`)
	case scheme == "postgres" || scheme == "postgresql":
		return "", keyError("database", `PostgreSQL is not supported yet; use "sqlite:" and the path of a file`)
	case scheme != "sqlite":
		return "", keyError("database", `%q is no kind of database that is known; use "sqlite:" and the path of a file`, scheme)
	case path == ":memory:" || strings.ContainsAny(path, "?\x00"):
		return "", keyError("database", "%q is not the path of a file; accounts and sessions have to last", path)
	}
	return path, nil
}
