//go:build proxies

package deploy_test

import (
	"os"
	"path/filepath"
	"testing"
)

// kind is a proxy that a configuration is printed for.
type kind struct {
	name string
	// start runs it on addr with the configuration that the command prints, and
	// with what of a proxy's configuration is the operator's.
	start func(t *testing.T, addr string, config []string)

	oneCookie bool // it can keep one cookie from the application
	down      int  // what it answers while nobody answers its question
}

var kinds = []kind{
	{"nginx", startNginx, true, 503},
	{"caddy", startCaddy, true, 503},
	{"haproxy", startHAProxy, true, 503},
	{"traefik", startTraefik, false, 500},
}

// write puts a file into a folder.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// startNginx has a server around it that lets through which names nginx would
// drop unless told otherwise.
func startNginx(t *testing.T, addr string, config []string) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "cloakroom.conf", printed(t, "nginx", config))
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // whose folder this is
	}
	write(t, dir, "nginx.conf", user+`
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	underscores_in_headers on;
	ignore_invalid_headers off;
	server {
		listen `+addr+`;
		server_name localhost;
		client_max_body_size 64m;
		include cloakroom.conf;
	}
}
`)
	start(t, dir, "nginx", "-p", dir, "-c", "nginx.conf", "-e", "stderr").listening(t, addr)
}

func startCaddy(t *testing.T, addr string, config []string) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "cloakroom.caddy", printed(t, "caddy", config))
	write(t, dir, "Caddyfile", `{
	admin off
	auto_https off
}
http://`+addr+`, http://localhost`+addr[len("127.0.0.1"):]+` {
	bind 127.0.0.1
	import cloakroom.caddy
}
`)
	start(t, dir, "caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile").listening(t, addr)
}

func startHAProxy(t *testing.T, addr string, config []string) {
	t.Helper()
	dir := t.TempDir()
	lua := filepath.Join(dir, "cloakroom.lua")
	write(t, dir, "cloakroom.lua", printed(t, "haproxy-lua", config))
	write(t, dir, "haproxy.cfg", `
global
	stats timeout 1s
defaults
	timeout connect 2s
	timeout client 30s
	timeout server 30s
	timeout tunnel 30s
`+printed(t, "haproxy", append(config, "--lua="+lua))+`
	bind `+addr+`
`)
	start(t, dir, "haproxy", "-db", "-f", "haproxy.cfg").listening(t, addr)
}
