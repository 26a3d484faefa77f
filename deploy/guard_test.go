//go:build proxies

package deploy_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestAnApplicationBehindAProxyIsGuarded holds each proxy, with what the command
// prints for it, to the promises of docs/proxies.
func TestAnApplicationBehindAProxyIsGuarded(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, k)
			for _, p := range []struct {
				promise string
				holds   func(*testing.T, *house)
			}{
				{"who is signed in arrives with who it is", arrivesWithIdentity},
				{"each request of a connection is asked about", sharesAConnection},
				{"people who ask at once are not mistaken for each other", askAtOnce},
				{"a script is told and a page load led to sign in and back", isLedToSignIn},
				{"a policy turns away whom it does not admit", meetsThePolicy},
				{"no name of a header is believed from a client", forgesIdentity},
				{"no spelling of a path or method goes around the check", walksAround},
				{"what a client says about forwarding decides nothing", forgesForwarding},
				{"asking the check oneself is harmless", asksTheCheck},
				{"the application gets its own cookies only", keepsTheCookie},
				{"the application does not get the token of a phone", keepsTheToken},
				{"a large body arrives", sendsABody},
				{"WebSocket passes and no other protocol", upgrades},
				{"a revoked device is turned away on its next request", isRevoked},
				{"nobody is let in while Cloakroom does not answer", isDown},
			} {
				t.Run(p.promise, func(t *testing.T) { p.holds(t, h) })
			}
		})
	}
}

// refused checks that the application was not reached.
func refused(t *testing.T, h *house, what string, before int64) {
	t.Helper()
	if h.app.reached.Load() != before {
		t.Errorf("%s: the application was reached", what)
	}
}

// identified checks that the application is told who asks, in one voice.
func identified(t *testing.T, a answer, want map[string]string) {
	t.Helper()
	if a.status != http.StatusOK || a.app == nil {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for name, value := range want {
		said := a.app.says(name)
		if value == "" && len(said) > 0 || value != "" && !slices.Equal(said, []string{value}) {
			t.Errorf("%s: the application reads %q, want %q", name, said, value)
		}
	}
}

func (p person) identity(name, email, groups string) map[string]string {
	return map[string]string{
		"Remote-User": p.id, "Remote-Name": name, "Remote-Email": email, "Remote-Groups": groups,
		"X-Session-Id": p.session, "X-Session-Level": "1",
	}
}

// adaIs is all that the application is told of Ada: she has no role, and her
// address is not verified.
func (h *house) adaIs() map[string]string { return h.ada.identity("Zoë Ünal", "", "") }

func arrivesWithIdentity(t *testing.T, h *house) {
	identified(t, h.get(t, "/a?b=c", h.ada.as(script...)...), h.adaIs())
	a := h.get(t, "/a%20b//c?d=%2F", h.grace.as(page...)...)
	identified(t, a, h.grace.identity("", "grace@example.com", "admin"))
	if a.app.URI != "/a%20b//c?d=%2F" || a.app.Host != h.host {
		t.Errorf("the application was asked for %s on %s", a.app.URI, a.app.Host)
	}
}

// sharesAConnection: as the clients of one more proxy in front of this one do.
func sharesAConnection(t *testing.T, h *house) {
	as := func(headers ...string) string { return lines("GET", "/", h.host, "", with(script, headers...)...) }
	before := h.app.reached.Load()
	head := lines("HEAD", "/", h.host, "", script...)
	answers := converse(t, h.addr, as(h.ada.as()...), as(), as(h.grace.as()...), as("Remote-User: forged"), head, as(h.ada.as()...))
	for i, want := range []map[string]string{h.adaIs(), nil, h.grace.identity("", "grace@example.com", "admin"), nil, nil, h.adaIs()} {
		if want != nil {
			identified(t, answers[i], want)
		} else if answers[i].status != http.StatusUnauthorized {
			t.Errorf("request %d: %d", i+1, answers[i].status)
		}
	}
	refused(t, h, "who is not signed in", before+3)
}

func askAtOnce(t *testing.T, h *house) {
	var asking sync.WaitGroup
	for i := range 8 {
		who, as := h.ada.id, h.ada.as(script...)
		if i%2 == 1 {
			who, as = h.grace.id, h.grace.as(script...)
		}
		asking.Go(func() {
			for range 5 {
				request := lines("GET", "/", h.host, "", as...)
				for _, a := range converse(t, h.addr, slices.Repeat([]string{request}, 10)...) {
					if a.app == nil || !slices.Equal(a.app.says("Remote-User"), []string{who}) {
						t.Errorf("%s is answered %d %+v", who, a.status, a.app)
					}
				}
			}
		})
	}
	asking.Wait()
}

func isLedToSignIn(t *testing.T, h *house) {
	before := h.app.reached.Load()
	for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "OPTIONS"} {
		a := send(t, h.addr, lines(method, "/api", h.host, "", script...))
		if a.status != http.StatusUnauthorized || a.header["Set-Cookie"] != nil {
			t.Errorf("a script's %s: %d %v", method, a.status, a.header)
		}
	}
	if a := h.get(t, "/api"); a.status != http.StatusUnauthorized {
		t.Errorf("curl: %d", a.status)
	}
	const target = "/reports/7?a=b&c=d"
	signIn := "http://" + h.host + "/auth/sign-in"
	for _, headers := range [][]string{page, {"Accept: text/html"}} {
		a := h.get(t, target, headers...)
		if a.status != http.StatusFound && a.status != http.StatusSeeOther ||
			a.header.Get("Location") != signIn+"?return_to="+url.QueryEscape(target) || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("a page load: %d %v", a.status, a.header)
		}
	}
	form := send(t, h.addr, lines("POST", target, h.host, "a=b", page...))
	if form.status != http.StatusSeeOther || form.header.Get("Location") != signIn {
		t.Errorf("a form: %d %v", form.status, form.header)
	}
	refused(t, h, "without a session", before)
	followToSignIn(t, h, h.get(t, target, page...).header.Get("Location"), target)
}

// followToSignIn does what a browser does with the way to the sign-in page.
func followToSignIn(t *testing.T, h *house, location, target string) {
	t.Helper()
	a := h.get(t, strings.TrimPrefix(location, "http://"+h.host), page...)
	if a.status != http.StatusOK || !strings.Contains(a.body, `name="return_to"`) {
		t.Fatalf("%s: %d %s", location, a.status, a.body)
	}
	fields := url.Values{"email": {"ada@example.com"}, "password": {secret}, "return_to": {target}}
	in := h.post(t, "/auth/sign-in", "application/x-www-form-urlencoded", fields.Encode())
	if in.status != http.StatusSeeOther || in.header.Get("Location") != target {
		t.Fatalf("sign-in: %d %v", in.status, in.header)
	}
	there := h.get(t, target, with(page, "Cookie: "+cookiesOf(in))...)
	if there.status != http.StatusOK || there.app == nil || there.app.URI != target {
		t.Errorf("%s: %d %s", target, there.status, there.body)
	}
}

func meetsThePolicy(t *testing.T, h *house) {
	before := h.app.reached.Load()
	for _, headers := range [][]string{page, script} {
		a := send(t, h.demanding, lines("GET", "/admin", h.host, "", h.ada.as(headers...)...))
		if a.status != http.StatusForbidden || a.header["Set-Cookie"] != nil {
			t.Errorf("who has not the role: %d %v", a.status, a.header)
		}
		a = send(t, h.demanding, lines("GET", "/admin", h.host, "", headers...))
		if (a.status == http.StatusUnauthorized) != (headers[0] == script[0]) {
			t.Errorf("who is not signed in: %d %v", a.status, a.header)
		}
	}
	refused(t, h, "the policy", before)
	identified(t, send(t, h.demanding, lines("GET", "/admin", h.host, "", h.grace.as(page...)...)), map[string]string{"Remote-Groups": "admin"})
}

func isRevoked(t *testing.T, h *house) {
	stolen := h.signIn(t, "ada@example.com")
	identified(t, h.get(t, "/", stolen.as(script...)...), map[string]string{"Remote-User": h.ada.id})
	end := h.ada.as("Sec-Fetch-Site: same-origin")
	if a := send(t, h.addr, lines("DELETE", "/auth/v1/sessions/"+stolen.session, h.host, "", end...)); a.status != http.StatusNoContent {
		t.Fatalf("revocation: %d %s", a.status, a.body)
	}
	before := h.app.reached.Load()
	if a := h.get(t, "/", stolen.as(script...)...); a.status != http.StatusUnauthorized {
		t.Errorf("a revoked session: %d", a.status)
	}
	refused(t, h, "a revoked session", before)
	identified(t, h.get(t, "/", h.ada.as(script...)...), map[string]string{"Remote-User": h.ada.id})
}
