package throttle

import (
	"crypto/sha256"
	"net/netip"
)

// keyOf names a bucket of a kind by the hash of what it counts, so that nobody
// who reads the table finds there who tried to sign in, or from where, and an
// address that no account has is kept like one that has. The hash has no secret:
// whoever has a guess can confirm it.
func keyOf(kind, value string) Key {
	sum := sha256.Sum256([]byte(kind + "\x00" + value))
	return Key(sum[:len(Key{})])
}

// network is the part of an IP address that one customer holds. That is all of
// an IPv4 address: a shorter prefix would let strangers at the same provider
// lock each other out, and there are too few addresses to go through many. Of an
// IPv6 address it is the first 64 bits, since the other 64 are one device's to
// choose, one for each guess; see wideNetwork for what else a customer holds.
//
// An IPv4 address has one form, also where a socket of both families reports it
// as ::ffff:192.0.2.1, and the zone of a link-local address counts for nothing.
func network(a netip.Addr) string {
	a = a.Unmap()
	if !a.Is6() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String() // a prefix has no zone
}

// wideNetwork is what one customer may hold of IPv6: a /48. Of IPv4 there is none.
func wideNetwork(a netip.Addr) (string, bool) {
	a = a.Unmap()
	if !a.Is6() {
		return "", false
	}
	return netip.PrefixFrom(a, 48).Masked().String(), true
}
