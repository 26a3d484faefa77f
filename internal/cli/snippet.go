package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cloakroom/deploy"
	"cloakroom/internal/config"
)

// snippet is the command that writes a reverse proxy's configuration.
type snippet struct {
	Proxy  string `arg:"" enum:"nginx,caddy,traefik,haproxy,haproxy-lua" help:"nginx, caddy, traefik or haproxy; haproxy-lua is the file that HAProxy's loads."`
	App    string `name:"app" default:"127.0.0.1:3000" placeholder:"ADDRESS" help:"Where the application listens, seen from the proxy. Unless set: 127.0.0.1:3000."`
	Policy string `name:"policy" placeholder:"NAME" help:"What the application demands beyond a session: one of the configured policies."`
	Lua    string `name:"lua" default:"/etc/haproxy/cloakroom.lua" placeholder:"FILE" help:"Where the proxy finds what haproxy-lua prints. Unless set: /etc/haproxy/cloakroom.lua."`
}

// Run prints the configuration for what is configured.
func (c snippet) Run(s streams, load loader) error {
	loaded, err := load()
	if err != nil {
		return err
	}
	settings, err := loaded.Settings()
	if err != nil {
		return err
	}
	values, err := c.values(settings)
	if err != nil {
		return err
	}
	text, err := deploy.Write(c.Proxy, values)
	if err != nil {
		return err
	}
	_, err = io.WriteString(s.out, text)
	return err
}

// values checks what would not stand in a configuration as it is meant.
func (c snippet) values(set config.Settings) (deploy.Values, error) {
	none := deploy.Values{}
	address, err := reachable(set.Listen)
	if err != nil {
		return none, err
	}
	if !appAddress.MatchString(c.App) {
		return none, fmt.Errorf("--app: %q is not an address; write host:port, such as 127.0.0.1:3000", c.App)
	}
	if !plainPath.MatchString(c.Lua) {
		return none, fmt.Errorf("--lua: %q is not a path of letters and digits; write it like /etc/haproxy/cloakroom.lua", c.Lua)
	}
	if _, ok := set.Policies[c.Policy]; c.Policy != "" && !ok {
		return none, noPolicy(c.Policy, set.Policies)
	}
	v := deploy.Values{
		Address: address, BasePath: set.BasePath, Scheme: "http", App: c.App, Policy: c.Policy,
		Cookie: set.CookieName, LuaFile: c.Lua, Unnamed: len(set.PublicURLs) == 0,
	}
	for _, u := range set.PublicURLs {
		v.Hosts = append(v.Hosts, u.Host())
	}
	if v.Unnamed {
		_, port, _ := net.SplitHostPort(address)
		v.Hosts = []string{"localhost:" + port}
	} else if set.PublicURLs[0].Secure() {
		v.Scheme = "https"
	}
	for _, network := range set.TrustedProxies {
		v.Trusted = append(v.Trusted, network.String())
	}
	return v, nil
}

var (
	appAddress = regexp.MustCompile(`^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):[1-9][0-9]{0,4}$`)
	plainPath  = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)
)

// reachable is what a proxy on this machine connects to.
func reachable(listen config.Address) (string, error) {
	if listen.Network == "unix" {
		if !plainPath.MatchString(listen.Text) {
			return "", fmt.Errorf("listen: %s has characters that mean something else to a proxy; choose a path of letters and digits", listen)
		}
		return listen.Text, nil
	}
	host, port, err := net.SplitHostPort(listen.Text)
	if n, _ := strconv.Atoi(port); err != nil || n == 0 {
		return "", fmt.Errorf("listen: %s is another port each time, which cannot be written down; choose one", listen)
	}
	if ip, err := netip.ParseAddr(host); err != nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

func noPolicy(name string, policies map[string]config.Policy) error {
	names := slices.Sorted(maps.Keys(policies))
	return fmt.Errorf("--policy: there is no policy %q; those that there are: %s", name, cmp.Or(strings.Join(names, ", "), "none (see the key policies)"))
}
