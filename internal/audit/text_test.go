package audit

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloakroom/session"
)

func TestAnEntryIsPreparedOnce(t *testing.T) {
	now := time.Date(2031, 5, 6, 7, 8, 9, 10, time.FixedZone("", 3600))
	facts := map[string]string{}
	for _, name := range strings.Split("abcdefghijklmnopqrst", "") {
		facts[strings.Repeat("\""+name, 40)] = strings.Repeat("\"<\x00", 4000)
	}
	e, err := Entry{Event: SignInRefused, Count: -1, Until: now.Add(-time.Hour), Detail: facts}.Prepare(now)
	if err != nil {
		t.Fatal(err)
	}
	whole := time.Date(2031, 5, 6, 6, 8, 9, 0, time.UTC)
	if e.At != whole || e.Until != whole || e.Count != 1 {
		t.Errorf("at %v until %v, %d times", e.At, e.Until, e.Count)
	}
	size := 2
	for name, fact := range e.Detail {
		size += len(name) + len(fact) + len(`"":"",`) + strings.Count(name+fact, `"`) + strings.Count(name+fact, `\`)
	}
	if len(e.Detail) != maxFacts || size > maxDetail+1 || size < maxDetail/4 {
		t.Errorf("%d facts of %d bytes", len(e.Detail), size)
	}
	again, err := e.Prepare(now.Add(time.Hour))
	if err != nil || !reflect.DeepEqual(again, e) {
		t.Errorf("got  %+v\nwant %+v", again, e)
	}
}

func TestOnlyWhatThereIsIsPrepared(t *testing.T) {
	for _, event := range Events() {
		if _, err := (Entry{Event: event}).Prepare(time.Now()); err != nil {
			t.Errorf("%s: %v", event, err)
		}
	}
	for _, e := range []Entry{{}, {Event: "signin"}, {Event: SignInRefused, Reason: "mood"}} {
		if _, err := e.Prepare(time.Now()); !errors.Is(err, session.ErrInvalid) {
			t.Errorf("%+v: %v", e, err)
		}
	}
}
