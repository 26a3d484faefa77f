package server

import (
	"net/http"
	"net/netip"
	"testing"
)

// TestAClientsAddressIsWhatATrustedProxySays, and nobody else.
func TestAClientsAddressIsWhatATrustedProxySays(t *testing.T) {
	const proxy, client = "10.0.0.2:4000", "203.0.113.7"
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		trusted []netip.Prefix
		peer    string
		forward []string // X-Forwarded-For
		want    string
	}{
		"nobody in front":           {trusted, proxy, nil, proxy},
		"a proxy":                   {trusted, proxy, []string{client}, client + ":0"},
		"a client that says so":     {trusted, "203.0.113.9:1", []string{client}, "203.0.113.9:1"},
		"without trust":             {nil, proxy, []string{client}, proxy},
		"what a client put before":  {trusted, proxy, []string{"198.51.100.1, " + client}, client + ":0"},
		"in a header of its own":    {trusted, proxy, []string{"198.51.100.1", client}, client + ":0"},
		"a second proxy":            {trusted, proxy, []string{"198.51.100.1, " + client + ", 10.9.9.9"}, client + ":0"},
		"a client that claims ours": {trusted, proxy, []string{"10.1.1.1, " + client}, client + ":0"},
		"nonsense":                  {trusted, proxy, []string{"unknown"}, proxy},
		"nonsense before the last":  {trusted, proxy, []string{"unknown, " + client}, client + ":0"},
		"nothing":                   {trusted, proxy, []string{""}, proxy},
		"over a socket":             {nil, "@", []string{client}, client + ":0"},
		"IPv6":                      {trusted, "[fd00::2]:1", []string{"2001:db8::7"}, "[2001:db8::7]:0"},
		"IPv4 in IPv6":              {trusted, "[::ffff:10.0.0.2]:1", []string{client}, client + ":0"},
	} {
		p, err := newProxies(c.trusted)
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		if c.forward != nil {
			r.Header["X-Forwarded-For"] = c.forward
		}
		r.Header.Set("X-Real-Ip", "192.0.2.1")
		r.Header.Set("Forwarded", "for=192.0.2.1")
		if p.unwrap(r); r.RemoteAddr != c.want {
			t.Errorf("%s: %s, want %s", name, r.RemoteAddr, c.want)
		}
	}
}

func TestTheAuditHasTheAddressThatATrustedProxySays(t *testing.T) {
	for _, trusted := range [][]string{{"127.0.0.1"}, nil} {
		s := newSite(t, func(o *Options) { o.Config.TrustedProxies = trusted })
		ada := s.browser().signUp("ada@example.com")
		b := s.browser()
		b.do("POST", "/v1/sign-in", credentials("ada@example.com", goodPassword), set("X-Forwarded-For", "198.51.100.1, 203.0.113.7")).is(http.StatusOK)
		want := "203.0.113.7"
		if trusted == nil {
			want = "127.0.0.1"
		}
		found := false
		for _, v := range ada.do("GET", "/v1/sessions", "").is(http.StatusOK).at("sessions").([]any) {
			one := v.(map[string]any)
			found = found || one["id"] == b.sessionID() && one["client"].(map[string]any)["address"] == want
		}
		if !found {
			t.Errorf("trusted %v: no session from %s", trusted, want)
		}
	}
}
