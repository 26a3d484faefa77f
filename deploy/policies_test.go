//go:build proxies

package deploy_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloakroom/internal/config"
	"cloakroom/internal/factor/password"
	"cloakroom/internal/server"
)

// demands is a house with one more proxy for each policy. Its server runs in this
// process, so that its clock can be set.
type demands struct {
	*house
	strict, recent, fresh string // the proxies' addresses
	server                *server.Server
	later                 atomic.Int64 // how far the server's clock is ahead
}

const demanded = "{strict: {level: 2}, recent: {recent: 1m}, fresh: {consistency: fresh}}"

func newDemands(t *testing.T, k kind) *demands {
	t.Helper()
	d := &demands{house: emptyHouse(t, k)}
	listen := "127.0.0.1:" + freePort(t)
	s, err := server.New(t.Context(), server.Options{
		Config: config.Config{
			Listen: listen, OpsListen: "127.0.0.1:0", Database: "sqlite:" + filepath.Join(t.TempDir(), "c.db"), SignUp: "open",
			PublicURL: []string{"http://" + d.host}, TrustedProxies: []string{"127.0.0.1"}, Policies: demanded,
		},
		Logger:    slog.New(slog.DiscardHandler),
		Passwords: password.Config{Params: password.Params{Memory: 64, Time: 1, Threads: 1}},
		Now:       func() time.Time { return time.Now().Add(time.Duration(d.later.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	d.server = s
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	common := []string{"--listen=" + listen, "--public-url=http://" + d.host, "--policies=" + demanded, "--app=" + d.app.addr()}
	k.start(t, d.addr, common)
	for policy, addr := range map[string]*string{"strict": &d.strict, "recent": &d.recent, "fresh": &d.fresh} {
		*addr = "127.0.0.1:" + freePort(t)
		k.start(t, *addr, append(common[:len(common):len(common)], "--policy="+policy))
	}
	d.ada = d.signUp(t)
	return d
}

// before asks for a page of the application that a policy's proxy stands before.
func (d *demands) before(t *testing.T, addr, target string, headers ...string) answer {
	t.Helper()
	return send(t, addr, lines(http.MethodGet, target, d.host, "", headers...))
}

// TestEachPolicyIsHeldByEachProxy: of roles TestAnApplicationBehindAProxyIsGuarded is
// about.
func TestEachPolicyIsHeldByEachProxy(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			d := newDemands(t, k)
			t.Run("level", func(t *testing.T) { wantsALevel(t, d) })
			t.Run("recent", func(t *testing.T) { wantsARecentSignIn(t, d) })
			t.Run("fresh", func(t *testing.T) { wantsAFreshCheck(t, d) })
		})
	}
}

// wantsALevel: no way leads there, so that nobody is led around in a circle.
func wantsALevel(t *testing.T, d *demands) {
	reached := d.app.reached.Load()
	for _, headers := range [][]string{page, script} {
		a := d.before(t, d.strict, "/vault", d.ada.as(headers...)...)
		if a.status != http.StatusForbidden || a.header["Location"] != nil || a.header["Set-Cookie"] != nil {
			t.Errorf("a session of level 1: %d %v", a.status, a.header)
		}
	}
	if a := d.before(t, d.strict, "/vault", script...); a.status != http.StatusUnauthorized {
		t.Errorf("no session: %d", a.status)
	}
	refused(t, d.house, "a level that is not met", reached)
	identified(t, d.get(t, "/", d.ada.as(script...)...), d.adaIs()) // without the policy
}

var formToken = regexp.MustCompile(`name="form_token" value="([^"]+)"`)

// wantsARecentSignIn: who signed in just now is let in. A while later a script is
// refused, and a page load is led to the password, by that on to where it went.
func wantsARecentSignIn(t *testing.T, d *demands) {
	identified(t, d.before(t, d.recent, "/pay", d.ada.as(script...)...), d.adaIs())
	d.later.Store(int64(2 * time.Minute))
	var a answer
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if a = d.before(t, d.recent, "/pay", d.ada.as(script...)...); a.status != http.StatusOK {
			break // the server notices its clock within a second
		}
	}
	reached := d.app.reached.Load()
	if a.status != http.StatusForbidden || a.header["Set-Cookie"] != nil {
		t.Fatalf("a script, two minutes later: %d %v", a.status, a.header)
	}
	if d.kind.name != "nginx" && !strings.Contains(a.body, "urn:cloakroom:problem:not-recent") { // nginx answers by itself
		t.Errorf("a script is not told why: %s", a.body)
	}
	if a := d.before(t, d.recent, "/pay", page...); !strings.HasPrefix(a.header.Get("Location"), "http://"+d.host+"/auth/sign-in") {
		t.Errorf("who is not signed in: %d %v", a.status, a.header)
	}
	const target = "/pay?order=7"
	way := "http://" + d.host + "/auth/reauthenticate?return_to=" + url.QueryEscape(target)
	a = d.before(t, d.recent, target, d.ada.as(page...)...)
	if a.status != http.StatusFound && a.status != http.StatusSeeOther || a.header.Get("Location") != way || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("a page load: %d %v", a.status, a.header)
	}
	refused(t, d.house, "a sign-in that is not recent", reached)
	identified(t, d.get(t, "/", d.ada.as(script...)...), d.adaIs()) // without the policy

	// What a browser does with it.
	asked := d.get(t, strings.TrimPrefix(way, "http://"+d.host), d.ada.as(page...)...)
	token := formToken.FindStringSubmatch(asked.body)
	if asked.status != http.StatusOK || token == nil {
		t.Fatalf("the page: %d %s", asked.status, asked.body)
	}
	form := url.Values{"form_token": {token[1]}, "password": {secret}, "return_to": {target}}
	confirmed := d.post(t, "/auth/reauthenticate", "application/x-www-form-urlencoded", form.Encode(), d.ada.as()...)
	if confirmed.status != http.StatusSeeOther || confirmed.header.Get("Location") != target {
		t.Fatalf("the password: %d %v", confirmed.status, confirmed.header)
	}
	there := d.before(t, d.recent, target, with(page, "Cookie: "+cookiesOf(confirmed))...)
	identified(t, there, map[string]string{"Remote-User": d.ada.id})
	if there.app.URI != target {
		t.Errorf("led to %s", there.app.URI)
	}
}

// decided is how often the check of the policy has let somebody in.
func (d *demands) decided(t *testing.T, policy string) (n int) {
	t.Helper()
	a, err := http.Get("http://" + d.server.OpsAddr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, " "); strings.HasPrefix(name, "cloakroom_check_decisions_total{") && strings.Contains(name, `policy="`+policy+`"`) {
			one := 0
			if _, err := fmt.Sscan(value, &one); err != nil {
				t.Fatal(err)
			}
			n += one
		}
	}
	return n
}

// wantsAFreshCheck: the check of this policy is asked about each request, whoever is
// revoked is refused from the next one on, and where nothing can be fresh nobody is
// let in. What a fresh check waits for the tests of the session manager are about.
func wantsAFreshCheck(t *testing.T, d *demands) {
	const rounds = 5
	before := d.decided(t, "fresh")
	for range rounds {
		stolen := d.signIn(t, "ada@example.com")
		for range 3 { // from memory, unless it is fresh
			identified(t, d.before(t, d.fresh, "/", stolen.as(script...)...), map[string]string{"Remote-User": d.ada.id})
		}
		if a := send(t, d.addr, lines("POST", "/auth/v1/sign-out", d.host, "", stolen.as("Sec-Fetch-Site: same-origin")...)); a.status != http.StatusNoContent {
			t.Fatalf("sign-out: %d %s", a.status, a.body)
		}
		reached := d.app.reached.Load()
		if a := d.before(t, d.fresh, "/", stolen.as(script...)...); a.status != http.StatusUnauthorized {
			t.Errorf("a revoked session: %d", a.status)
		}
		refused(t, d.house, "a revoked session", reached)
	}
	if n := d.decided(t, "fresh") - before; n != rounds*4 {
		t.Errorf("the check of the policy was asked %d times about %d requests", n, rounds*4)
	}
	other := d.signIn(t, "ada@example.com")
	if err := os.Rename(d.server.Database(), d.server.Database()+".elsewhere"); err != nil {
		t.Fatal(err)
	}
	var a answer
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if a = d.before(t, d.fresh, "/", other.as(script...)...); a.status != http.StatusOK {
			break // it notices within a second
		}
	}
	reached := d.app.reached.Load()
	for _, headers := range [][]string{page, script} {
		if a = d.before(t, d.fresh, "/", other.as(headers...)...); a.status != http.StatusServiceUnavailable || a.header["Location"] != nil || a.header["Set-Cookie"] != nil {
			t.Errorf("without the database: %d %v", a.status, a.header)
		}
	}
	refused(t, d.house, "without the database", reached)
	if err := os.Rename(d.server.Database()+".elsewhere", d.server.Database()); err != nil {
		t.Fatal(err)
	}
}
