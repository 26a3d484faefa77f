package server

import (
	"net"
	"net/http"
	"net/netip"

	"github.com/realclientip/realclientip-go"
)

// proxies are those in front of the server whose word counts.
type proxies struct {
	trusted []netip.Prefix
	client  realclientip.RightmostTrustedRangeStrategy
}

func newProxies(trusted []netip.Prefix) (proxies, error) {
	ranges := make([]net.IPNet, len(trusted))
	for i, p := range trusted {
		ranges[i] = net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
	}
	client, err := realclientip.NewRightmostTrustedRangeStrategy("X-Forwarded-For", ranges)
	return proxies{trusted, client}, err
}

// unwrap gives a request that came through a trusted proxy the address of the
// client that the proxy names: the last in X-Forwarded-For that is not itself a
// trusted proxy's. Of anybody else the header is ignored: whoever could choose
// an address would be another stranger to the throttle with each guess.
func (p proxies) unwrap(r *http.Request) {
	if r.Header["X-Forwarded-For"] == nil || !p.trusts(r.RemoteAddr) {
		return
	}
	if ip := p.client.ClientIP(r.Header, r.RemoteAddr); ip != "" {
		r.RemoteAddr = net.JoinHostPort(ip, "0")
	}
}

// trusts reports whether the peer is a trusted proxy. One without an address is
// on a socket of this machine.
func (p proxies) trusts(remote string) bool {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return true
	}
	ip := peer.Addr().Unmap()
	for _, network := range p.trusted {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}
