package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeFile keeps a configuration file and returns its path.
func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cloakroom.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const wholeFile = `
# Where it is reached.
listen: 127.0.0.1:9000
ops:
  listen: 127.0.0.1:9001
public_url: [https://example.com, https://www.example.com]
base_path: /login
database: sqlite:/var/lib/cloakroom/cloakroom.db
sign_up: invited
sessions:
  idle: 36h
  absolute: 14d
  token_lifetime: 1h
  per_account: 20
sessions.cache: 1GiB
reauthenticate_after: 5m
cookie: {name: __Host-s, same_site: strict}
password:
  min_length: 16
  slots: 3
proxies.trusted:
  - 10.0.0.2
  - fd00::/8
policies:
  admin: {roles: [admin], level: 2, recent: 10m, consistency: fresh}
  staff:
    roles:
      - staff
      - admin
log: {level: debug, format: json}
audit.retention: 30d
`

func TestAFileSetsEveryKey(t *testing.T) {
	l, err := Load(writeFile(t, wholeFile), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Settings()
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Sources) != len(Keys()) {
		t.Errorf("%d of %d keys are set by the file", len(l.Sources), len(Keys()))
	}
	admin, staff := s.Policies["admin"], s.Policies["staff"]
	for name, right := range map[string]bool{
		"addresses":  s.Listen.Text == "127.0.0.1:9000" && s.OpsListen.Text == "127.0.0.1:9001",
		"URLs":       len(s.PublicURLs) == 2 && s.PublicURLs[0].String() == "https://example.com",
		"base path":  s.BasePath == "/login" && s.SQLitePath == "/var/lib/cloakroom/cloakroom.db" && s.SignUp == "invited",
		"sessions":   s.Idle == 36*time.Hour && s.Absolute == 14*day && s.PerAccount == 20 && s.CacheBytes == 1<<30,
		"recency":    s.ReauthenticateAfter == 5*time.Minute,
		"cookie":     s.CookieName == "__Host-s" && s.CookieSameSite == "strict",
		"passwords":  s.PasswordMinLength == 16 && s.PasswordSlots == 3,
		"proxies":    len(s.TrustedProxies) == 2 && s.TrustedProxies[0].String() == "10.0.0.2/32",
		"admin":      len(s.Policies) == 2 && admin.Level == 2 && admin.Recent == 10*time.Minute && admin.Fresh && admin.Roles[0] == "admin",
		"staff":      len(staff.Roles) == 2 && staff.Level == 0 && staff.Recent == 0 && !staff.Fresh,
		"log, audit": s.LogLevel == -4 && s.LogFormat == "json" && s.AuditRetention == 30*day,
	} {
		if !right {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestAFlagCountsBeforeAVariableBeforeTheFile(t *testing.T) {
	path := writeFile(t, "sign_up: closed\nlisten: 127.0.0.1:1\nbase_path: /file\n")
	environ := []string{"CLOAKROOM_SIGN_UP=invited", "CLOAKROOM_LISTEN=127.0.0.1:2", "CLOAKROOM_OPS_LISTEN=", "CLOAKROOM_LISTN=x", "PATH=/bin"}
	l, err := Load(path, map[string]string{"sign-up": "open"}, environ)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ key, value, from string }{
		{"sign_up", "open", "--sign-up"}, {"listen", "127.0.0.1:2", "CLOAKROOM_LISTEN"},
		{"base_path", "/file", path + ", line 3"}, {"ops.listen", "127.0.0.1:8081", "default"},
	} {
		for _, v := range l.Values() {
			if v.Key.Name == c.key && (v.Text != c.value || v.From != c.from) {
				t.Errorf("%s is %q from %s, want %q from %s", c.key, v.Text, v.From, c.value, c.from)
			}
		}
	}
	if strings.Join(l.Unknown, " ") != "CLOAKROOM_LISTN" {
		t.Errorf("unknown: %v", l.Unknown)
	}
}

func TestWhatIsWrongInAFileIsShownWithItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"a misspelled key":          {"listen: 127.0.0.1:1\nlisten_ops: x\n", []string{"line 2", `no key "listen_ops"`, "> ", "^"}},
		"a misspelled key below":    {"sessions:\n  idel: 1h\n", []string{"line 2", `no key "sessions.idel"`, "> ", "^"}},
		"capitals":                  {"Listen: 127.0.0.1:1\n", []string{"line 1", `no key "Listen"`}},
		"a key twice":               {"sign_up: open\nsign_up: closed\n", []string{"sign_up", "> ", "2 |"}},
		"a key twice, spelt apart":  {"ops: {listen: 127.0.0.1:1}\nops.listen: 127.0.0.1:2\n", []string{"line 2", "ops.listen stands twice"}},
		"a list for one":            {"listen: [127.0.0.1:1]\n", []string{"line 1", "listen must be a single value"}},
		"a mapping for one":         {"database:\n  path: x\n", []string{"line 2", "database must be a single value"}},
		"one for a mapping":         {"sessions: 7d\n", []string{"line 1", "there must be keys here, such as sessions.idle"}},
		"a list of mappings":        {"public_url:\n  - url: x\n", []string{"public_url must be a text, or a list of texts"}},
		"nothing":                   {"listen:\nsign_up: open\n", []string{"listen has no value"}},
		"a list":                    {"- listen\n", []string{"line 1", "there must be keys here"}},
		"a word":                    {"listen\n", []string{"there must be keys here"}},
		"two documents":             {"listen: 127.0.0.1:1\n---\nlisten: 127.0.0.1:2\n", []string{"second document"}},
		"no YAML":                   {"listen: [\n", []string{"cannot be read as YAML"}},
		"a tab":                     {"sessions:\n\tidle: 1h\n", []string{"cannot be read as YAML"}},
		"a policy's misspelled key": {"policies:\n  admin:\n    role: [admin]\n", []string{"policies", "role", "3 |"}},
		"a policy's wrong type":     {"policies:\n  admin:\n    level: high\n", []string{"policies", "3 |"}},
		"policies in a list":        {"policies: [admin]\n", []string{"policies"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, c.text)
			_, err := Load(path, nil, nil)
			if err == nil {
				t.Fatal("it is accepted")
			}
			for _, want := range append(c.want, path) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "config.") || strings.Contains(err.Error(), "ast.") {
				t.Errorf("a Go type in: %v", err)
			}
		})
	}
}

// TestAWrongValueIsShownWhereItStands: the same check for all sources, which
// names the one that is at fault.
func TestAWrongValueIsShownWhereItStands(t *testing.T) {
	path := writeFile(t, "sign_up: everybody\nsessions:\n  idle: 60d\n  absolute: a while\npolicies:\n  a b: {}\n")
	l, err := Load(path, map[string]string{"listen": "nowhere"}, []string{"CLOAKROOM_PASSWORD_MIN_LENGTH=8"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Settings()
	if err == nil {
		t.Fatal("it is accepted")
	}
	for _, want := range []string{
		`listen: "nowhere"`, "(set by --listen)", "password.min_length: ", "15 to 64 (set by CLOAKROOM_PASSWORD_MIN_LENGTH)",
		"sign_up: ", path + ", line 1", ">  1 | sign_up: everybody", "sessions.absolute: ", ">  4 |   absolute: a while", `"a b" is no name`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	l, err = Load(writeFile(t, "sessions:\n  idle: 60d\n"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = l.Settings(); err == nil || !strings.Contains(err.Error(), "60d is longer than sessions.absolute, 30d") || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
}

func TestASecretStandsInAFileThatOnlyItsOwnerReads(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "database")
	load := func(environ ...string) (Loaded, error) { return Load("", nil, environ) }
	if err := os.WriteFile(secret, []byte("sqlite:/a/b.db\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := load("CLOAKROOM_DATABASE_FILE=" + secret)
	if err != nil || l.Database != "sqlite:/a/b.db" {
		t.Fatalf("%q, %v", l.Database, err)
	}
	for _, mode := range []os.FileMode{0o604, 0o602, 0o644} {
		if err := os.Chmod(secret, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := load("CLOAKROOM_DATABASE_FILE=" + secret); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("%v: %v", mode, err)
		}
	}
	if _, err := load("CLOAKROOM_DATABASE_FILE="+secret, "CLOAKROOM_DATABASE=sqlite:x"); err == nil || !strings.Contains(err.Error(), "both set") {
		t.Errorf("%v", err)
	}
	if _, err := load("CLOAKROOM_DATABASE_FILE=" + secret + "x"); err == nil || !strings.Contains(err.Error(), "there is no file") {
		t.Errorf("%v", err)
	}
	if _, err := load("CLOAKROOM_LISTEN_FILE=" + secret); err != nil {
		t.Error(err) // it is no secret, so this is a variable that sets nothing
	}
	l, err = load("CLOAKROOM_DATABASE=postgres://u:hunter2@h/d")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range l.Values() {
		if strings.Contains(v.Text, "hunter2") {
			t.Errorf("%s shows %s", v.Key.Name, v.Text)
		}
	}
}

func TestAFileThatIsNotThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yaml")
	if _, err := Load(path, nil, nil); err == nil || !strings.Contains(err.Error(), "there is no file "+path) {
		t.Error(err)
	}
	for _, text := range []string{"", "# nothing yet\n", "---\n", "null\n"} {
		if l, err := Load(writeFile(t, text), nil, nil); err != nil || l.Listen != Default().Listen {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What a running server takes over is not among what needs a restart.
func TestWhatNeedsARestart(t *testing.T) {
	one, err := Load("", map[string]string{"sign-up": "open", "log.level": "info", "sessions.idle": "1h"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Load("", map[string]string{"sign-up": "closed", "log.level": "debug", "policies": "{a: {level: 1}}", "sessions.idle": "2h", "base-path": "/x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(one.NeedRestart(two), " "); got != "base_path sessions.idle" {
		t.Error(got)
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(wholeFile))
	f.Add([]byte("policies: {a: {roles: [x]}}\n"))
	f.Add([]byte("a: &a [*a]\n? b\n: !!binary x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		values, err := parseFile("f.yaml", text)
		if err != nil {
			return
		}
		for name, v := range values {
			if v.line < 1 || v.excerpt == "" {
				t.Errorf("%s: %+v", name, v)
			}
		}
	})
}
