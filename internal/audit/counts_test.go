package audit

import (
	"fmt"
	"testing"
	"time"
)

func TestCountsDoNotGrowWithTheFlood(t *testing.T) {
	now := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	c := newCounts(now)
	flood := func(from int) {
		for n := range 20 * maxFresh {
			e, err := Entry{Event: refusals[n%len(refusals)], Subject: fmt.Sprint(from + n)}.Prepare(now)
			if err != nil {
				t.Fatal(err)
			}
			c.add(e)
		}
	}
	flood(0)
	if n := len(c.pending); n != maxFresh+len(refusals) {
		t.Errorf("%d kinds before the first flush", n)
	}
	if n := len(c.take(now, false)); n != maxFresh+len(refusals) {
		t.Errorf("%d entries in the first flush", n)
	}
	flood(0) // the thousand that are quiet keep their place, beside others
	if n := len(c.pending); n != 2*maxFresh+len(refusals) {
		t.Errorf("%d kinds after it", n)
	}
	if c.pending[kind{event: refusals[0], subject: "0"}] == nil {
		t.Error("a kind that was written lately has lost its place")
	}
	flood(1 << 20) // nothing is taken out meanwhile
	if n := len(c.pending); n != 2*maxFresh+len(refusals) {
		t.Errorf("%d kinds while nothing is taken out", n)
	}
	if n := len(c.take(now, false)); n != 0 {
		t.Errorf("%d entries without room", n)
	}
}

func TestANetworkIsWhatOneCustomerHolds(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1",
		"::ffff:192.0.2.1":     "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
		"2001:db8:1:2::/64":    "2001:db8:1:2::/64",
		"@":                    "@",
		"":                     "",
	} {
		if got := network(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
