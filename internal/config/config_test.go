package config

import (
	"strings"
	"testing"
)

func TestTheDefaultsAreAccepted(t *testing.T) {
	s, err := Default().Check()
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen.String() != "127.0.0.1:8080" || s.OpsListen.String() != "127.0.0.1:8081" || s.SQLitePath != "cloakroom.db" || s.SignUp != "open" || len(s.PublicURLs) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAnErrorNamesTheKeyAndTheRemedy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   []string
	}{
		"no port":               {func(c *Config) { c.Listen = "127.0.0.1" }, []string{"listen: ", "127.0.0.1:8080"}},
		"a port that is none":   {func(c *Config) { c.Listen = "127.0.0.1:http" }, []string{"listen: ", "0 to 65535"}},
		"a port too high":       {func(c *Config) { c.OpsListen = "127.0.0.1:65536" }, []string{"ops.listen: ", "0 to 65535"}},
		"a name":                {func(c *Config) { c.Listen = "example.com:80" }, []string{"listen: ", "IP address or localhost"}},
		"a socket of no path":   {func(c *Config) { c.Listen = "unix:sock" }, []string{"listen: ", "unix:/"}},
		"a socket without URL":  {func(c *Config) { c.Listen = "unix:/run/c.sock" }, []string{"public_url: ", "set it to"}},
		"all interfaces":        {func(c *Config) { c.Listen = ":8080" }, []string{"listen: ", "https", "127.0.0.1"}},
		"operations for all":    {func(c *Config) { c.OpsListen = "0.0.0.0:8081" }, []string{"ops.listen: ", "https", "127.0.0.1"}},
		"open with an http URL": {func(c *Config) { c.Listen, c.PublicURL = "[::]:80", []string{"http://localhost"} }, []string{"listen: ", "https"}},
		"a database of no kind": {func(c *Config) { c.Database = "cloakroom.db" }, []string{"database: ", "sqlite:cloakroom.db"}},
		"PostgreSQL":            {func(c *Config) { c.Database = "postgres://u:secret@h/d" }, []string{"database: ", "not supported yet"}},
		"another database":      {func(c *Config) { c.Database = "mysql:x" }, []string{"database: ", "mysql", "sqlite:"}},
		"a database in memory":  {func(c *Config) { c.Database = "sqlite::memory:" }, []string{"database: ", "have to last"}},
		"a cookie with a dot":   {func(c *Config) { c.CookieName = "__Host-a.b" }, []string{"cookie.name: ", "__Host-session"}},
		"a sibling's cookie":    {func(c *Config) { c.CookieName = "session" }, []string{"cookie.name: ", "neighbouring host"}},
		"the device's cookie":   {func(c *Config) { c.CookieName = "__Host-device" }, []string{"cookie.name: ", "of its own"}},
		"everybody's proxy":     {func(c *Config) { c.TrustedProxies = []string{"0.0.0.0/0"} }, []string{"proxies.trusted: ", "everybody"}},
		"no network":            {func(c *Config) { c.TrustedProxies = []string{"10.0.0.1/8"} }, []string{"proxies.trusted: ", "10.0.0.0/8"}},
		"a name for a proxy":    {func(c *Config) { c.TrustedProxies = []string{"proxy"} }, []string{"proxies.trusted: ", "10.0.0.2"}},
		"a short password":      {func(c *Config) { c.PasswordMinLength = "8" }, []string{"password.min_length: ", "15 to 64"}},
		"never":                 {func(c *Config) { c.Absolute = "never" }, []string{"sessions.absolute: ", "7d"}},
		"no absolute limit":     {func(c *Config) { c.Absolute = "0s" }, []string{"sessions.absolute: ", "from 1m to 400d"}},
		"half a second":         {func(c *Config) { c.Idle = "90.5s" }, []string{"sessions.idle: ", "whole seconds"}},
		"a base that is none":   {func(c *Config) { c.BasePath = "/" }, []string{"base_path: ", "/auth"}},
		"a base of dots":        {func(c *Config) { c.BasePath = "/a/.." }, []string{"base_path: ", "/auth"}},
		"memory without a unit": {func(c *Config) { c.Cache = "100" }, []string{"sessions.cache: ", "256MiB"}},
		"a level of no kind":    {func(c *Config) { c.LogLevel = "loud" }, []string{"log.level: ", "debug, info, warn or error"}},
		"a policy of no role":   {func(c *Config) { c.Policies = "{a: {roles: []}}" }, []string{"policies.a.roles: ", "nobody could meet"}},
		"a policy too high":     {func(c *Config) { c.Policies = "{a: {level: 3}}" }, []string{"policies.a.level: ", "1 or 2"}},
		"a policy too recent":   {func(c *Config) { c.Policies = "{a: {recent: 1s}}" }, []string{"policies.a.recent: ", "from 1m"}},
		"a policy of no kind":   {func(c *Config) { c.SignUp = "Open" }, []string{"sign_up: ", "open, invited or closed"}},
		"a URL without scheme":  {func(c *Config) { c.PublicURL = []string{"example.com"} }, []string{"public_url: ", "https://example.com"}},
		"the same URL twice":    {func(c *Config) { c.PublicURL = []string{"https://a.b", "https://A.b:443/"} }, []string{"public_url: ", "twice"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := Default()
			c.change(&config)
			_, err := config.Check()
			if err == nil {
				t.Fatal("it is accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("a password is repeated in: %v", err)
			}
		})
	}
}

func TestAllThatIsWrongIsReportedAtOnce(t *testing.T) {
	_, err := Config{Listen: "x", OpsListen: "y", PublicURL: []string{"z"}, Database: "w", SignUp: "v"}.Check()
	if err == nil || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("%v", err)
	}
}

func TestWithAnHTTPSPublicURLEveryAddressMayBeListenedOn(t *testing.T) {
	c := Default()
	c.Listen, c.OpsListen, c.PublicURL = ":8080", "0.0.0.0:8081", []string{"https://example.com"}
	if _, err := c.Check(); err != nil {
		t.Error(err)
	}
}

func TestAPublicURLIsWrittenAsBrowsersWriteIt(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.com":          "https://example.com",
		"HTTPS://Example.COM:443/":     "https://example.com",
		"https://example.com:8443":     "https://example.com:8443",
		"https://xn--bcher-kva.de":     "https://xn--bcher-kva.de",
		"http://localhost:80":          "http://localhost",
		"http://127.0.0.1:8080":        "http://127.0.0.1:8080",
		"http://[::1]:8080":            "http://[::1]:8080",
		"http://auth.localhost:8080":   "http://auth.localhost:8080",
		"https://10.1.2.3":             "https://10.1.2.3",
		"https://my_host.internal:444": "https://my_host.internal:444",
	} {
		if got, err := ParsePublicURL(text); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestWhatIsNoPublicURLIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "example.com", "//example.com", "ftp://example.com", "https:", "https://", "https:example.com", "https:///x",
		"https://user:secret@example.com", "https://user@example.com", "https://example.com/auth", "https://example.com?",
		"https://example.com/?a=b", "https://example.com#", "https://example.com/#x", "https://example.com:", "https://example.com:0",
		"https://example.com:99999", "https://example.com:080", "https://bücher.de", "https://exa mple.com", "https://example..com",
		"https://-example.com", "https://example.com.", "https://[::1", "https://[fe80::1%25eth0]", "https://[0:0::1]",
		"https://%65xample.com", "http://example.com", "http://localhost.example.com", "https://example.com\n",
	} {
		got, err := ParsePublicURL(text)
		if err == nil {
			t.Errorf("%q is taken for %s", text, got)
			continue
		}
		if !strings.HasPrefix(err.Error(), "public_url: ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzPublicURL(f *testing.F) {
	for _, seed := range []string{"https://example.com", "HTTP://LocalHost:80/", "http://[::1]:8080", "https://a@b", "https://a:443"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParsePublicURL(text)
		if err != nil {
			return
		}
		if again, err := ParsePublicURL(u.String()); again != u || err != nil {
			t.Errorf("%q is %s, and that is %s (%v)", text, u, again, err)
		}
		if strings.ContainsAny(u.Host(), "@/?#\\ %") || u.String() != strings.ToLower(u.String()) {
			t.Errorf("%q is taken for %s", text, u)
		}
	})
}
