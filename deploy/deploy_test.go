package deploy

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var example = Values{
	Address: "127.0.0.1:8080", BasePath: "/sign/on", Scheme: "https", Hosts: []string{"example.com", "www.example.com:8443"},
	App: "app.internal:3000", Policy: "staff", Cookie: "__Host-a.b", LuaFile: "/srv/cloakroom.lua",
}

func written(t *testing.T, proxy string, v Values) string {
	t.Helper()
	text, err := Write(proxy, v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAConfigurationIsForWhatItIsWrittenFor(t *testing.T) {
	for proxy, wants := range map[string][]string{
		"nginx":   {"http://127.0.0.1:8080/sign/on/check/staff;", "location ^~ /sign/on/ {", "proxy_pass http://app.internal:3000;", `__Host-a\.b=`, "X-Forwarded-Proto https;"},
		"caddy":   {"uri /sign/on/forward/staff", "path /sign/on /sign/on/*", "reverse_proxy app.internal:3000 {", `__Host-a\.b|__Secure-refresh|__Host-device`, "https://example.com"},
		"haproxy": {"lua.cloakroom 127.0.0.1:8080 /sign/on/forward/staff __Host-a.b", "server app app.internal:3000", "lua-load-per-thread /srv/cloakroom.lua", "path_beg /sign/on/ "},
		"traefik": {"http://127.0.0.1:8080/sign/on/forward/staff", "Host(`example.com`) || Host(`www.example.com`)", "tls: {}", "http://app.internal:3000"},
	} {
		text := written(t, proxy, example)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s is missing in:\n%s", proxy, want, text)
			}
		}
		if strings.Contains(text, "<no value>") || strings.Contains(text, "{{") {
			t.Errorf("%s: something was left open:\n%s", proxy, text)
		}
		open := example
		open.Policy = ""
		if text := written(t, proxy, open); !regexp.MustCompile(`/sign/on/(check|forward)[";\s]`).MatchString(text) {
			t.Errorf("%s: no check without a policy:\n%s", proxy, text)
		}
	}
}

func TestAConfigurationSaysWhomCloakroomBelieves(t *testing.T) {
	for _, proxy := range []string{"nginx", "caddy", "haproxy", "traefik"} {
		known, unnamed := example, example
		known.Trusted, unnamed.Unnamed = []string{"10.0.0.0/8", "192.0.2.1/32"}, true
		for want, v := range map[string]Values{
			"proxies.trusted: 127.0.0.1": example, "10.0.0.0/8, 192.0.2.1/32": known, "public_url is not set": unnamed,
		} {
			if text := written(t, proxy, v); !strings.Contains(text, want) {
				t.Errorf("%s: %s is missing in:\n%s", proxy, want, text)
			}
		}
		if text := written(t, proxy, known); strings.Contains(text, "127.0.0.1\n# or whatever") || strings.Contains(text, "public_url is not") {
			t.Errorf("%s: asks for what is set:\n%s", proxy, text)
		}
	}
}

func TestASocketIsWrittenAsEachProxyWritesIt(t *testing.T) {
	v := example
	v.Address = "/run/cloakroom.sock"
	for proxy, want := range map[string]string{
		"nginx": "http://unix:/run/cloakroom.sock:/sign/on/check/staff;", "caddy": "forward_auth unix//run/cloakroom.sock {",
		"haproxy": "lua.cloakroom unix@/run/cloakroom.sock /sign/on/forward/staff",
	} {
		if text := written(t, proxy, v); !strings.Contains(text, want) || !strings.Contains(text, "believes what it is told over its socket") {
			t.Errorf("%s: %s is missing in:\n%s", proxy, want, text)
		}
	}
	if _, err := Write("traefik", v); err == nil || !strings.Contains(err.Error(), "listen: Traefik") {
		t.Error(err)
	}
	if _, err := Write("apache", v); err == nil {
		t.Error("a proxy that there is no configuration for")
	}
}

// TestEverySpellingIsAnotherNameForOneHeader holds the list against the rule:
// under CGI each of the three characters becomes "_".
func TestEverySpellingIsAnotherNameForOneHeader(t *testing.T) {
	fold := strings.NewReplacer("_", "-", ".", "-")
	all := Values{}.Spellings()
	count := map[string]int{}
	for _, s := range all {
		if slices.Contains(Identity, s) || !slices.Contains(Identity, fold.Replace(s)) {
			t.Errorf("%s is no other spelling", s)
		}
		count[fold.Replace(s)]++
	}
	for _, name := range Identity {
		want := 2 // of three, without the name itself
		if strings.Count(name, "-") == 2 {
			want = 8
		}
		if count[name] != want {
			t.Errorf("%s: %d spellings, want %d", name, count[name], want)
		}
	}
	if slices.Sort(all); len(slices.Compact(all)) != 4*2+2*8 {
		t.Errorf("%q", all)
	}
}

// TestTheLuaFileNamesTheSameHeaders: it is a file of its own, which no template
// fills in.
func TestTheLuaFileNamesTheSameHeaders(t *testing.T) {
	text := written(t, "haproxy-lua", Values{})
	for _, name := range append([]string{deviceCookie}, Identity...) {
		if !strings.Contains(text, `"`+name+`"`) && !strings.Contains(text, `"`+strings.ToLower(name)+`"`) {
			t.Errorf("%s is missing", name)
		}
	}
}
