package server

import (
	"encoding/json"
	"net/http"
	"testing"

	"cloakroom/internal/control"
)

// probing asks the operator's side about the probe.
func (s *site) probing(method string) (a Arrival) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "/v1/operator/probe", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := control.Direct{Handler: s.operator()}.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&a); err != nil {
		s.t.Fatal(err)
	}
	return a
}

// TestAProbeEmptiesTheCookieOfItsOwnAnswerAndOfNoOther, and ends no session.
func TestAProbeEmptiesTheCookieOfItsOwnAnswerAndOfNoOther(t *testing.T) {
	s := newSite(t)
	ada := s.browser().signUp("ada@example.com")
	a := s.probing("POST")
	if a.Arrived || a.Cookie != cookieName {
		t.Fatalf("%+v", a)
	}
	ask := func(word string) []string {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.Addr().String()+"/auth/v1/session", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(probeHeader, word)
		r.AddCookie(&http.Cookie{Name: cookieName, Value: ada.cookie})
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.Header["Set-Cookie"]
	}
	for _, word := range []string{"", "x", a.Probe + "x"} {
		if set := ask(word); set != nil || s.probing("GET").Arrived {
			t.Errorf("%q is taken for the probe: %s", word, set)
		}
	}
	set := ask(a.Probe) // with a session of somebody's, which no command sends
	a = s.probing("GET")
	if len(set) != 1 || set[0] != a.SetCookie || !a.Arrived || a.CookieArrived {
		t.Errorf("%s comes back, and %+v arrived", set, a)
	}
	if set := ask(a.Probe); set != nil {
		t.Errorf("it works a second time: %s", set)
	}
	ada.do("GET", "/check", "").is(http.StatusOK)
}
