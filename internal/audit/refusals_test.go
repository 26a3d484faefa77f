package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cloakroom/internal/audit"
)

func refused(subject, address string) audit.Entry {
	return audit.Entry{Event: audit.SignInRefused, Reason: audit.Credentials, Subject: subject, Address: address}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestTheFirstOfAKindIsWrittenSoonAndTheRestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		r := audit.NewRefusals(audit.RefusalsConfig{Store: f})
		stop := start(r.Run)
		begin := time.Now()
		r.Add(refused("ann", "192.0.2.1"))
		r.Add(refused("ann", "192.0.2.1"))
		if f.calls.Load() != 0 {
			t.Error("Add has called the store")
		}
		time.Sleep(11 * time.Second)
		if got := f.all(audit.Filter{}); len(got) != 1 || got[0].Count != 2 {
			t.Fatalf("soon after: %+v", got)
		}
		for range 5 {
			r.Add(refused("ann", "192.0.2.1"))
			time.Sleep(100 * time.Second)
		}
		if got := f.all(audit.Filter{}); len(got) != 1 {
			t.Errorf("in the quiet time: %+v", got)
		}
		r.Add(refused("ann", "192.0.2.2"))
		time.Sleep(100 * time.Second)
		got := f.all(audit.Filter{})
		if len(got) != 3 || attempts(got) != 8 {
			t.Fatalf("after it: %+v", got)
		}
		if e := got[1]; e.Count != 5 || !e.At.Equal(begin.Add(11*time.Second)) || !e.Until.Equal(begin.Add(411*time.Second)) {
			t.Errorf("the five: %+v", e)
		}
		r.Add(refused("ann", "192.0.2.1"))
		r.Add(refused("bob", ""))
		if err := stop(); err != nil {
			t.Error(err)
		}
		if got := f.all(audit.Filter{}); attempts(got) != 10 {
			t.Errorf("in the end: %+v", got)
		}
	})
}

func TestOfManyNothingIsSaidThatWasTrueOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		r := audit.NewRefusals(audit.RefusalsConfig{Store: f})
		stop := start(r.Run)
		e := audit.Entry{
			Event: audit.AdminRefused, Subject: "ann", Actor: "eve", Session: "s", UserAgent: "curl",
			Address: "2001:db8::1", Detail: map[string]string{"path": "/a"},
		}
		other := e
		other.Actor, other.Address, other.Detail = "bob", "2001:db8::2", map[string]string{"path": "/b"}
		r.Add(e)
		r.Add(other)
		r.Add(e)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		got := f.all(audit.Filter{})
		want := audit.Entry{
			Seq: 1, At: time.Now().UTC(), Until: time.Now().UTC(), Event: audit.AdminRefused, Subject: "ann",
			Session: "s", UserAgent: "curl", Address: "2001:db8::/64", Count: 3,
		}
		if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

// Two hundred thousand attempts in an hour, each from a network of its own and against a
// subject of its own, and among them one account that is attacked in earnest.
func TestAFloodHasABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		r := audit.NewRefusals(audit.RefusalsConfig{Store: f})
		stop := start(r.Run)
		events := []audit.Event{
			audit.SignInRefused, audit.ReauthenticationRefused, audit.PasswordChangeRefused,
			audit.LinkRefused, audit.SetupRefused, audit.AdminRefused,
		}
		const flood, step = 200_000, 200
		for n := range flood {
			if n%step == 0 {
				r.Add(refused("target", "198.51.100.7"))
				time.Sleep(time.Hour * step / flood)
			}
			e := refused(fmt.Sprint("subject ", n), fmt.Sprintf("2001:db8:%x:%x::1", n>>16, n&0xffff))
			e.Event = events[n%len(events)]
			r.Add(e)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		all := f.all(audit.Filter{})
		t.Logf("%d entries", len(all))
		// 2,000, and for each event one in ten minutes, and the last ones.
		if most := 2000 + len(events)*7 + 100 + len(events); len(all) > most {
			t.Errorf("%d entries, more than %d", len(all), most)
		}
		if got := attempts(all); got != flood+flood/step {
			t.Errorf("%d attempts in the record", got)
		}
		if got := attempts(f.all(audit.Filter{Subject: "target"})); got != flood/step {
			t.Errorf("%d attempts against the target in its own entries", got)
		}
	})
}

// TestAWideFloodHidesNoSubject is the attack: one customer's IPv6 /48 has many
// networks, more than are counted by themselves.
func TestAWideFloodHidesNoSubject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		r := audit.NewRefusals(audit.RefusalsConfig{Store: f})
		stop := start(r.Run)
		const flood = 5000
		for n := range flood {
			r.Add(refused("target", fmt.Sprintf("2001:db8:1:%x::1", n)))
		}
		r.Add(refused("another", "192.0.2.1"))
		time.Sleep(11 * time.Second)
		for n := range flood {
			r.Add(refused("target", fmt.Sprintf("2001:db8:1:%x::2", flood+n)))
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		most := audit.Entry{}
		for _, e := range f.all(audit.Filter{Subject: "target"}) {
			if e.Count > most.Count {
				most = e
			}
		}
		if got := attempts(f.all(audit.Filter{Subject: "target"})); got != 2*flood || most.Address != "2001:db8:1::/48" {
			t.Errorf("%d of %d attempts name their target; the most, %d, came from %q", got, 2*flood, most.Count, most.Address)
		}
		if got := attempts(f.all(audit.Filter{})); got != 2*flood+1 {
			t.Errorf("%d attempts in the record", got)
		}
	})
}

func TestWhatCouldNotBeWrittenIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var log bytes.Buffer
		r := audit.NewRefusals(audit.RefusalsConfig{Store: f, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		stop := start(r.Run)
		f.fail.Store(true)
		const hours = 3
		for n := range 300 * hours {
			r.Add(refused(fmt.Sprint("subject ", n%450), "192.0.2.1"))
			time.Sleep(time.Hour / 300)
		}
		synctest.Wait() // the logger has the buffer
		if got := f.all(audit.Filter{}); len(got) != 0 || !strings.Contains(log.String(), errDisk.Error()) {
			t.Errorf("%d entries; %s", len(got), log.String())
		}
		f.fail.Store(false)
		time.Sleep(11 * time.Second)
		if got := attempts(f.all(audit.Filter{})); got != 300*hours {
			t.Errorf("%d attempts in the record", got)
		}

		f.fail.Store(true)
		for range 5 {
			r.Add(refused("late", "192.0.2.1"))
			r.Add(refused("later", "192.0.2.1"))
			time.Sleep(11 * time.Second) // some are owed, and some counted
		}
		if err := stop(); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), " 10 refused") {
			t.Errorf("the loss of 10 is told as: %v", err)
		}
	})
}

func TestOnlyRefusalsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		r := audit.NewRefusals(audit.RefusalsConfig{Store: f, Logger: quiet()})
		stop := start(r.Run)
		r.Add(audit.Entry{Event: audit.SessionIssued})
		r.Add(audit.Entry{Event: "signin"})
		r.Add(audit.Entry{Event: audit.SignInRefused, Reason: "mood"})
		if err := stop(); err != nil {
			t.Error(err)
		}
		if got := f.all(audit.Filter{}); len(got) != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestAClockThatIsSetBackHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var back atomic.Int64 // seconds
		r := audit.NewRefusals(audit.RefusalsConfig{Store: f, Now: func() time.Time {
			return time.Now().Add(-time.Duration(back.Load()) * time.Second).Round(0)
		}})
		stop := start(r.Run)
		r.Add(refused("ann", "192.0.2.1"))
		time.Sleep(11 * time.Second)
		back.Store(24 * 60 * 60)
		r.Add(refused("ann", "192.0.2.1"))
		time.Sleep(11 * time.Second)
		if got := f.all(audit.Filter{}); attempts(got) != 2 {
			t.Errorf("%+v", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestManyAddWhileItIsWritten(t *testing.T) {
	f := newFixture(t)
	r := audit.NewRefusals(audit.RefusalsConfig{Store: f})
	stop := start(r.Run)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for range 500 {
				r.Add(refused(fmt.Sprint(n%3), "192.0.2.1"))
			}
		})
	}
	all.Wait()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := f.all(audit.Filter{}); len(got) != 3 || attempts(got) != 4000 {
		t.Errorf("%+v", got)
	}
}
