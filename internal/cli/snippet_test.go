package cli

import (
	"strings"
	"testing"
)

func TestAProxysConfigurationIsPrintedForWhatIsConfigured(t *testing.T) {
	const policies = "--policies={staff: {roles: [staff]}, admin: {roles: [admin]}}"
	for want, args := range map[string][]string{
		"http://127.0.0.1:8080/auth/check;":              {"nginx"},
		"http://127.0.0.1:9000/auth/check/staff;":        {"nginx", "--listen=:9000", "--public-url=https://example.com", "--policy=staff", policies},
		"http://[::1]:9000/auth/check;":                  {"nginx", "--listen=[::1]:9000"},
		"reverse_proxy [::1]:3001":                       {"caddy", "--app=[::1]:3001"},
		"Host(`localhost`)":                              {"traefik", "--listen=localhost:9000"},
		"/auth/forward __Host-mine":                      {"haproxy", "--cookie.name=__Host-mine"},
		"lua-load-per-thread /srv/c.lua":                 {"haproxy", "--lua=/srv/c.lua"},
		`core.register_action("cloakroom"`:               {"haproxy-lua"},
		"unix:/run/c.sock:/auth/check":                   {"nginx", "--listen=unix:/run/c.sock", "--public-url=https://example.com"},
		"from 10.0.0.0/8, 192.0.2.7/32":                  {"caddy", "--proxies.trusted=10.0.0.0/8,192.0.2.7"},
		"public_url is not set":                          {"nginx"},
		"X-Forwarded-Proto https":                        {"haproxy", "--public-url=https://example.com"},
		"Host(`a.example.com`) || Host(`b.example.com`)": {"traefik", "--public-url=https://a.example.com,https://b.example.com"},
	} {
		if code, out, errOut := run(t, append([]string{"proxy-snippet"}, args...)...); code != 0 || errOut != "" || !strings.Contains(out, want) {
			t.Errorf("%v: %d %s, no %s in:\n%s", args, code, errOut, want, out)
		}
	}
}

func TestAConfigurationThatCouldNotWorkIsNotPrinted(t *testing.T) {
	const policies = "--policies={staff: {roles: [staff]}, admin: {roles: [admin]}}"
	for _, c := range []struct {
		want string
		args []string
	}{
		{`there is no policy "editors"; those that there are: admin, staff`, []string{"nginx", "--policy=editors", policies}},
		{`there is no policy "editors"; those that there are: none`, []string{"nginx", "--policy=editors"}},
		{"is another port each time", []string{"nginx", "--listen=127.0.0.1:0"}},
		{"is not an address", []string{"nginx", "--app=3000"}},
		{"is not an address", []string{"nginx", "--app=app:3000; evil"}},
		{"is not an address", []string{"nginx", "--app=app:3000\nevil"}},
		{"is not a path", []string{"haproxy", "--lua=/a b"}},
		{"Traefik cannot ask", []string{"traefik", "--listen=unix:/run/c.sock", "--public-url=https://example.com"}},
		{"characters that mean something else", []string{"nginx", "--listen=unix:/run/c;d", "--public-url=https://example.com"}},
		{"base_path", []string{"nginx", "--base-path=auth"}},
	} {
		fails(t, append([]string{"proxy-snippet"}, c.args...), c.want)
	}
	if code, _, errOut := run(t, "proxy-snippet", "apache"); code != 2 || !strings.Contains(errOut, "nginx") {
		t.Errorf("%d %s", code, errOut)
	}
}
