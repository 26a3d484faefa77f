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
	for _, a := range []throttle.Attempt{
		{Email: "ada@example.com", Account: id, Address: host(1), Device: device},
		{Email: "ada@example.com", Account: id, Address: host(1), Device: second},
		{Email: "eve@example.com", Account: eve, Address: host(1), Device: device},
		ada(1),
	} {
		d.takes(10, a)
		d.take(time.Minute, a)
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
