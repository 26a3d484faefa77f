package throttle_test

import (
	"net/netip"
	"testing"
	"time"

	"cloakroom/internal/throttle"
)

func TestOneCustomerIsOneNetwork(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"the same IPv4 address":               {"192.0.2.1", "192.0.2.1", true},
		"neighbours in IPv4":                  {"192.0.2.1", "192.0.2.2", false},
		"IPv4 on a socket of both":            {"192.0.2.1", "::ffff:192.0.2.1", true},
		"neighbours on a socket of both":      {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		"one /64":                             {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		"the next /64":                        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		"zones":                               {"fe80::1%eth0", "fe80::2%eth1", true},
		"a zone or none":                      {"fe80::1%eth0", "fe80::1", true},
		"IPv4 is not what looks like it":      {"192.0.2.1", "::192.0.2.1", false},
		"no address is one of its own":        {"", "", true},
		"no address is not the first of IPv6": {"", "::", false},
		"no address is not the first of IPv4": {"", "0.0.0.0", false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			d.cfg.Network = throttle.Limit{Burst: 1, Every: time.Second}
			d.Throttle = throttle.New(d.cfg)
			parse := func(s string) throttle.Attempt {
				if s == "" {
					return throttle.Attempt{}
				}
				return throttle.Attempt{Address: netip.MustParseAddr(s)}
			}
			d.take(0, parse(c.a))
			if c.same {
				d.take(time.Second, parse(c.b))
			} else {
				d.take(0, parse(c.b))
			}
		})
	}
}
