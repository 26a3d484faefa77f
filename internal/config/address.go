package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Address is where to listen.
type Address struct {
	Network string // "tcp" or "unix"
	Text    string // host:port, or a path
}

// String returns the address as it is configured.
func (a Address) String() string {
	if a.Network == "unix" {
		return "unix:" + a.Text
	}
	return a.Text
}

// Loopback reports whether only this machine reaches the address.
func (a Address) Loopback() bool {
	if a.Network == "unix" {
		return true
	}
	host, _, _ := net.SplitHostPort(a.Text)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// parseAddress accepts a host that needs no look-up: what a name stands for can
// change, and with it who reaches the server.
func parseAddress(key, text string) (Address, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		if !strings.HasPrefix(path, "/") {
			return Address{}, keyError(key, "the path of a socket must begin with a slash; write unix:/run/cloakroom.sock")
		}
		return Address{"unix", path}, nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return Address{}, keyError(key, "%q is not an address; write host:port, such as 127.0.0.1:8080, or unix:/path", text)
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		return Address{}, keyError(key, "the host %q must be an IP address or localhost; write 127.0.0.1:%s", host, port)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return Address{}, keyError(key, "the port %q must be a number from 0 to 65535; 0 takes any that is free", port)
	}
	return Address{"tcp", text}, nil
}
