package throttle_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"cloakroom/internal/throttle"
)

// host is one of many addresses that have no prefix in common.
func host(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}) }

func ada(i int) throttle.Attempt {
	return throttle.Attempt{Email: "ada@example.com", Address: host(i)}
}

func TestAnAccountIsGuessedTenTimesThenOnceAMinuteFromWherever(t *testing.T) {
	d := newDoor(t)
	for i := range 10 {
		d.take(0, ada(i))
	}
	d.take(time.Minute, ada(10))
	d.now = d.now.Add(59 * time.Second)
	d.take(time.Second, ada(11))
	d.now = d.now.Add(time.Second)
	d.take(0, ada(12))
	d.take(time.Minute, ada(13))
	d.now = d.now.Add(10 * time.Minute)
	d.takes(10, ada(14))
}

func TestSprayingManyAccountsFromOneNetworkIsRefused(t *testing.T) {
	d := newDoor(t)
	spray := func(i int) throttle.Attempt {
		return throttle.Attempt{Email: fmt.Sprintf("person-%d@example.com", i), Address: host(1)}
	}
	for i := range 500 {
		if i < 60 {
			d.take(0, spray(i))
		} else {
			d.take(4*time.Second, spray(i))
		}
	}
	d.now = d.now.Add(4 * time.Second)
	d.take(0, spray(500))
	d.take(4*time.Second, spray(501))
	// Those that were refused did the accounts no harm.
	other := spray(499)
	other.Address = host(2)
	d.takes(10, other)
}

func TestAFullAccountDoesNotFillTheNetwork(t *testing.T) {
	d := newDoor(t)
	d.takes(10, ada(1))
	for range 100 {
		d.take(time.Minute, ada(1))
	}
	for i := range 50 {
		d.take(0, throttle.Attempt{Email: fmt.Sprintf("person-%d@example.com", i), Address: host(1)})
	}
	d.take(4*time.Second, throttle.Attempt{Email: "eve@example.com", Address: host(1)})
	d.take(time.Minute, ada(1)) // the longer of the two
}

func TestWithoutAnEmailTheNetworkAloneDecides(t *testing.T) {
	d := newDoor(t)
	for i := range 60 {
		d.take(0, throttle.Attempt{Address: host(1)})
		d.take(0, throttle.Attempt{Address: host(2 + i)})
	}
	d.take(4*time.Second, throttle.Attempt{Address: host(1)})
}

// TestKindsOfBucketsAreApart: what is typed into the form fills nobody's network.
func TestKindsOfBucketsAreApart(t *testing.T) {
	d := newDoor(t)
	d.takes(10, throttle.Attempt{Email: host(1).String(), Address: host(2)})
	d.takes(60, throttle.Attempt{Address: host(1)})
}

// TestNobodyLocksTheOwnerOut is the attack: a stranger knows the address, and
// sits in the same network.
func TestNobodyLocksTheOwnerOut(t *testing.T) {
	d := newDoor(t)
	id, device := d.signedIn("ada@example.com")
	stranger := throttle.Attempt{Email: "ada@example.com", Account: id, Address: host(1), Device: throttle.NewDevice()}
	for i := range 100 {
		_, _ = d.Take(d.Context(), stranger)
		_, _ = d.Take(d.Context(), throttle.Attempt{Email: fmt.Sprintf("person-%d@example.com", i), Address: host(1)})
	}
	d.take(time.Minute, stranger)
	owner := stranger
	owner.Device = device
	d.takes(10, owner)
	d.take(time.Minute, owner)
	d.now = d.now.Add(time.Minute)
	d.take(0, owner)
}

func TestADeviceIsKnownToItsAccountOnly(t *testing.T) {
	d := newDoor(t)
	_, evesDevice := d.signedIn("eve@example.com")
	id, _ := d.signedIn("ada@example.com")
	d.takes(10, ada(1))
	d.take(time.Minute, throttle.Attempt{Email: "ada@example.com", Account: id, Address: host(2), Device: evesDevice})
	d.take(time.Minute, throttle.Attempt{Email: "ada@example.com", Address: host(2), Device: evesDevice})
}

// TestGuessesOnADeviceAreNobodyElses: not those of another device, nor of
// another account on the same, and they leave the shared buckets to those who
// have no other.
func TestGuessesOnADeviceAreNobodyElses(t *testing.T) {
	d := newDoor(t)
	id, device := d.signedIn("ada@example.com")
	second := throttle.NewDevice()
	d.remember(id, second)
	eve := d.signedInOn(device, "eve@example.com")
	all := []throttle.Attempt{
		{Email: "ada@example.com", Account: id, Address: host(1), Device: device},
		{Email: "ada@example.com", Account: id, Address: host(1), Device: second},
		{Email: "eve@example.com", Account: eve, Address: host(1), Device: device},
		ada(1), {Email: "eve@example.com", Account: eve, Address: host(1)},
	}
	for _, a := range all {
		d.takes(10, a)
	}
	for _, a := range all {
		d.take(time.Minute, a)
	}
}

// TestACopiedDeviceLocksNobodyOut is the attack: a thief of the device's cookie
// keeps its bucket full, and the owner, on the same device, still signs in like
// anybody else.
func TestACopiedDeviceLocksNobodyOut(t *testing.T) {
	d := newDoor(t)
	id, device := d.signedIn("ada@example.com")
	thief := throttle.Attempt{Email: "ada@example.com", Account: id, Address: host(1), Device: device}
	d.takes(10, thief)
	owner := thief
	owner.Address = host(2)
	c, err := d.Look(t.Context(), owner)
	if err != nil || c.Standing() != throttle.Stranger {
		t.Fatalf("%v, %v", c.Standing(), err)
	}
	d.take(0, owner)
}

// TestOneCustomersNetworksAreOne: whoever holds an IPv6 /48 has 65,536 networks
// to guess from, and is one flood.
func TestOneCustomersNetworksAreOne(t *testing.T) {
	d := newDoor(t)
	from := func(i int) throttle.Attempt {
		return throttle.Attempt{
			Email:   fmt.Sprintf("person-%d@example.com", i),
			Address: netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 1, byte(i >> 8), byte(i), 15: 1}),
		}
	}
	for i := range 600 {
		d.take(0, from(i))
	}
	d.take(400*time.Millisecond, from(600))
	d.now = d.now.Add(400 * time.Millisecond)
	d.take(0, from(601))
	c, err := d.Look(t.Context(), throttle.Attempt{Email: "x@example.com", Address: netip.MustParseAddr("2001:db8:2::1")})
	if err != nil || c.Standing() != throttle.Stranger {
		t.Errorf("another customer: %v, %v", c.Standing(), err)
	}
	d.now = d.now.Add(time.Second)
	if c, err := d.Look(t.Context(), from(700)); err != nil || c.Standing() != throttle.Charged {
		t.Errorf("a fresh network of the flood: %v, %v", c.Standing(), err)
	}
}

// TestWhoCanMultiplyIsOneInTheQueue: whoever knows a password can make as many
// devices known as they like, and whoever holds an IPv6 /48 has many networks.
func TestWhoCanMultiplyIsOneInTheQueue(t *testing.T) {
	d := newDoor(t)
	id, device := d.signedIn("ada@example.com")
	second := throttle.NewDevice()
	d.remember(id, second)
	eve, evesDevice := d.signedIn("eve@example.com")
	of := func(a throttle.Attempt) string {
		t.Helper()
		c, err := d.Look(t.Context(), a)
		if err != nil || c.Of() == "" {
			t.Fatalf("%q, %v", c.Of(), err)
		}
		return c.Of()
	}
	from := func(address string) throttle.Attempt {
		return throttle.Attempt{Email: "ada@example.com", Account: id, Address: netip.MustParseAddr(address)}
	}
	on := func(id string, device throttle.Device) throttle.Attempt {
		return throttle.Attempt{Account: id, Address: host(1), Device: device}
	}
	for name, c := range map[string]struct {
		a, b throttle.Attempt
		same bool
	}{
		"two devices of one account": {on(id, device), on(id, second), true},
		"devices of two accounts":    {on(id, device), on(eve, evesDevice), false},
		"a device and a stranger":    {on(id, device), from("198.51.100.1"), false},
		"two networks of one /48":    {from("2001:db8:1:2::1"), from("2001:db8:1:3::1"), true},
		"another /48":                {from("2001:db8:1:2::1"), from("2001:db8:2:2::1"), false},
		"neighbours in IPv4":         {from("192.0.2.1"), from("192.0.2.2"), false},
	} {
		if same := of(c.a) == of(c.b); same != c.same {
			t.Errorf("%s are one: %v", name, same)
		}
	}
}

func TestActsOnOnesOwnAccountAreBounded(t *testing.T) {
	d := newDoor(t)
	for range 30 {
		if err := d.Act(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
	}
	if e, ok := errors.AsType[*throttle.Error](d.Act(t.Context(), "ada")); !ok || e.RetryAfter != time.Minute {
		t.Errorf("%v", e)
	}
	if err := d.Act(t.Context(), "eve"); err != nil {
		t.Error(err)
	}
	d.now = d.now.Add(time.Minute)
	if err := d.Act(t.Context(), "ada"); err != nil {
		t.Error(err)
	}
}

func TestAnUnknownAccountIsThrottledLikeAKnownOne(t *testing.T) {
	d := newDoor(t)
	id, _ := d.signedIn("ada@example.com")
	run := func(email, id string, from int) (asked []string, waits []time.Duration) {
		d.asked = nil
		device := throttle.NewDevice()
		for range 12 {
			_, err := d.Take(d.Context(), throttle.Attempt{Email: email, Account: id, Address: host(from), Device: device})
			refusal, _ := errors.AsType[*throttle.Error](err)
			if refusal == nil {
				refusal = &throttle.Error{}
			}
			waits = append(waits, refusal.RetryAfter)
		}
		return d.asked, waits
	}
	asked, waits := run("ada@example.com", id, 1)
	askedUnknown, waitsUnknown := run("nobody@example.com", "", 2)
	if !slices.Equal(asked, askedUnknown) || !slices.Equal(waits, waitsUnknown) || waits[11] == 0 || !slices.Contains(asked, "known") {
		t.Errorf("known: %v %v\nunknown: %v %v", asked, waits, askedUnknown, waitsUnknown)
	}
}

// TestARefusalCostsReadsOnly: a flood of them keeps no writer busy.
func TestARefusalCostsReadsOnly(t *testing.T) {
	d := newDoor(t)
	d.takes(10, ada(1))
	d.asked = nil
	d.take(time.Minute, ada(1))
	if !slices.Equal(d.asked, []string{"look 2"}) {
		t.Errorf("asked: %v", d.asked)
	}
}

// TestLookingCountsNothing, and what others counted since is seen by Count.
func TestLookingCountsNothing(t *testing.T) {
	d := newDoor(t)
	var claims []throttle.Claim
	for range 20 {
		c, err := d.Look(t.Context(), ada(1))
		if err != nil {
			t.Fatal(err)
		}
		claims = append(claims, c)
	}
	for i, c := range claims {
		charge, err := c.Count(t.Context())
		if i < 10 && (charge == nil || err != nil) || i >= 10 && (charge != nil || !errors.Is(err, throttle.ErrThrottled)) {
			t.Errorf("claim %d: charge %v, %v", i, charge, err)
		}
	}
}

// TestAClockSetBackKeepsNobodyOut although a look finds the bucket fuller than
// it can be.
func TestAClockSetBackKeepsNobodyOut(t *testing.T) {
	d := newDoor(t)
	d.takes(10, ada(1))
	d.now = d.now.Add(-24 * time.Hour)
	d.take(time.Minute, ada(1))
	d.now = d.now.Add(time.Minute)
	d.take(0, ada(1))
}

func TestWhoGoesFirst(t *testing.T) {
	d := newDoor(t)
	id, device := d.signedIn("ada@example.com")
	stands := func(want throttle.Standing, a throttle.Attempt) {
		t.Helper()
		c, err := d.Look(t.Context(), a)
		if err != nil || c.Standing() != want {
			t.Errorf("standing %d, %v, want %d", c.Standing(), err, want)
		}
	}
	owner := throttle.Attempt{Email: "ada@example.com", Account: id, Address: host(1), Device: device}
	stands(throttle.Known, owner)
	stands(throttle.Stranger, ada(1))
	stands(throttle.Stranger, throttle.Attempt{Address: host(1)})
	d.take(0, owner)
	stands(throttle.Stranger, ada(1)) // a known device is counted for no network
	d.take(0, throttle.Attempt{Email: "eve@example.com", Address: host(1)})
	stands(throttle.Charged, ada(1)) // whoever was guessed at
	stands(throttle.Charged, throttle.Attempt{Address: host(1)})
	stands(throttle.Stranger, ada(2))
	stands(throttle.Known, owner)
	d.now = d.now.Add(4 * time.Second)
	stands(throttle.Stranger, ada(1))
}

func TestARightGuessIsGivenBackOnce(t *testing.T) {
	d := newDoor(t)
	for range 100 {
		if err := d.take(0, ada(1)).Return(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	d.takes(8, ada(1))
	charge := d.take(0, ada(1))
	for range 3 {
		if err := charge.Return(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	d.takes(2, ada(1))
	d.take(time.Minute, ada(1))
}

// TestAGuessIsGivenBackToWhoHasGone: a client that hangs up ends the context of
// its request, and has the next guess all the same.
func TestAGuessIsGivenBackToWhoHasGone(t *testing.T) {
	d := newDoor(t)
	charge := d.take(0, ada(1))
	d.takes(9, ada(1))
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	if err := charge.Return(gone); err != nil {
		t.Fatal(err)
	}
	d.takes(1, ada(1))
}

// TestAnOutageLetsNobodyPass, and is not taken for too many attempts either.
func TestAnOutageLetsNobodyPass(t *testing.T) {
	d := newDoor(t)
	id, device := d.signedIn("ada@example.com")
	charge := d.take(0, ada(1))
	if err := d.file.Close(); err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]throttle.Attempt{
		"by account and network": ada(1),
		"by device":              {Email: "ada@example.com", Account: id, Address: host(1), Device: device},
	} {
		if c, err := d.Take(t.Context(), a); c != nil || err == nil || errors.Is(err, throttle.ErrThrottled) {
			t.Errorf("%s: charge %v, %v", name, c, err)
		}
	}
	if _, err := d.Sweep(t.Context(), 1); err == nil {
		t.Error("a closed store was swept")
	}
	if err := charge.Return(t.Context()); err == nil {
		t.Error("an attempt was given back to a closed store")
	}
	d = newDoor(t)
	d.cfg.Devices = brokenDevices{}
	d.Throttle = throttle.New(d.cfg)
	if c, err := d.Take(t.Context(), throttle.Attempt{Device: device}); c != nil || !errors.Is(err, errBroken) || len(d.asked) > 0 {
		t.Errorf("devices alone: charge %v, %v, asked %v", c, err, d.asked)
	}
}

func TestASweepIsByTheThrottlesClock(t *testing.T) {
	d := newDoor(t)
	d.take(0, ada(1))
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 0}, {4 * time.Second, 1}, {time.Minute, 1}, {time.Hour, 0}} {
		d.now = d.now.Add(step.after)
		if n, err := d.Sweep(t.Context(), 10); n != step.want || err != nil {
			t.Errorf("after %v: %d, %v, want %d", step.after, n, err, step.want)
		}
	}
}

func TestWhatALimitDoesNotSayIsTheDefault(t *testing.T) {
	d := newDoor(t)
	d.cfg.Account = throttle.Limit{Burst: 2}
	d.cfg.Network = throttle.Limit{Burst: -1, Every: time.Hour}
	d.Throttle = throttle.New(d.cfg)
	d.takes(2, ada(1))
	d.take(time.Minute, ada(1))
	for range 58 {
		d.take(0, throttle.Attempt{Address: host(1)})
	}
	d.take(time.Hour, throttle.Attempt{Address: host(1)})
}
