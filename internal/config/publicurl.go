package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// PublicURL is an address that people open: scheme, host and port, as browsers
// write them in the header Origin.
type PublicURL struct{ scheme, host string }

// String returns the address without a slash at its end.
func (u PublicURL) String() string { return u.scheme + "://" + u.host }

// Host returns the host, with the port unless it is the scheme's own: what
// browsers write in the header Host.
func (u PublicURL) Host() string { return u.host }

// Secure reports whether it is https.
func (u PublicURL) Secure() bool { return u.scheme == "https" }

func parsePublicURLs(_ string, texts []string) ([]PublicURL, error) {
	var urls []PublicURL
	for _, text := range texts {
		u, err := ParsePublicURL(text)
		if err != nil {
			return nil, err
		}
		if slices.Contains(urls, u) {
			return nil, keyError("public_url", "%s stands twice", u)
		}
		urls = append(urls, u)
	}
	return urls, nil
}

// ParsePublicURL reads one address and brings it into the form that browsers
// use: lower case, without the scheme's own port.
func ParsePublicURL(text string) (PublicURL, error) {
	const remedy = "write it like https://example.com"
	u, err := url.Parse(text)
	if err != nil { // its text may hold a password
		return PublicURL{}, keyError("public_url", "is not an address; %s", remedy)
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch {
	case scheme != "https" && scheme != "http" || u.Opaque != "":
		return PublicURL{}, keyError("public_url", "must begin with https:// or http://; %s", remedy)
	case u.User != nil:
		return PublicURL{}, keyError("public_url", "must not hold a name or password; %s", remedy)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return PublicURL{}, keyError("public_url", "must end after host and port: the paths are the server's; %s", remedy)
	case !validHost(u):
		return PublicURL{}, keyError("public_url", "has no host that can be used; %s, and a host in other letters than a-z in Punycode (xn--...)", remedy)
	}
	if port := u.Port(); port == "443" && scheme == "https" || port == "80" && scheme == "http" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	if scheme == "http" && !loopbackName(strings.ToLower(u.Hostname())) {
		return PublicURL{}, keyError("public_url", "%s://%s: without https browsers keep no session cookie, except on localhost; use https://", scheme, host)
	}
	return PublicURL{scheme, host}, nil
}

// validHost accepts host names in ASCII and IP addresses, with or without a port.
func validHost(u *url.URL) bool {
	name := u.Hostname()
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	if strings.HasPrefix(u.Host, "[") {
		ip, err := netip.ParseAddr(name)
		return err == nil && ip.Is6() && ip.Zone() == "" && ip.String() == strings.ToLower(name)
	}
	if port := u.Port(); port != "" && (port[0] == '0' || len(port) > 5 || len(port) == 5 && port > "65535") {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || strings.ContainsFunc(label, notHostname) {
			return false
		}
	}
	return len(name) <= 253
}

func notHostname(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// loopbackName reports whether browsers take the host for this machine.
func loopbackName(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}
