package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"cloakroom/internal/control"
)

// TestMain makes the test binary the program itself, where a script runs it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cloakroom": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}})
}

// TestScripts runs each command as people do, most of them against a server that
// holds the file and is under load.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			for _, name := range []string{"CLOAKROOM_LISTEN", "CLOAKROOM_OPS_LISTEN", "PROXY"} {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					return err
				}
				e.Setenv(name, l.Addr().String())
				e.Setenv(strings.TrimPrefix(name, "CLOAKROOM_")+"_PORT", fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
				if err := l.Close(); err != nil {
					return err
				}
			}
			e.Setenv("TZ", "UTC")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": await, "load": load, "signin": signIn, "check": check, "proxy": proxy,
			"incarnation": incarnation, "spoil": spoil, "take": take, "until": until,
		},
	})
}

// await waits until a server listens for the command line.
func await(ts *testscript.TestScript, _ bool, _ []string) {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := control.Dial(context.Background(), ts.MkAbs("cloakroom.db"))
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("no server: %v", err)
		}
	}
}

// load keeps the server busy until the script ends, and the next one that takes
// its place.
func load(ts *testscript.TestScript, _ bool, _ []string) {
	ctx, stop := context.WithCancel(context.Background())
	at := ts.Getenv("CLOAKROOM_LISTEN") // the script sets variables meanwhile
	var busy sync.WaitGroup
	for i := range 4 {
		busy.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if i == 0 && n%20 == 0 { // hashing is most of what there is to do, and the script has to get on, too
					body := fmt.Sprintf(`{"email":"load%d@example.com","password":"correct horse battery staple"}`, n)
					_, _ = post(ctx, at, "/auth/v1/sign-up", body) // who is refused made load, too
				}
				time.Sleep(10 * time.Millisecond) // which may have stopped the server
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at+"/auth/check", nil)
				if err != nil {
					return
				}
				if a, err := http.DefaultClient.Do(r); err == nil {
					_ = a.Body.Close()
				}
			}
		})
	}
	ts.Defer(func() { stop(); busy.Wait() })
}

func post(ctx context.Context, at, path, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+at+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	if err == nil {
		_ = a.Body.Close()
	}
	return a, err
}

// signIn signs in to an address with a password, and keeps the cookie's value in
// a file. With ! the sign-in must be refused.
func signIn(ts *testscript.TestScript, neg bool, args []string) {
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, args[0], args[1])
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		a, err := post(context.Background(), ts.Getenv("CLOAKROOM_LISTEN"), "/auth/v1/sign-in", body)
		ts.Check(err)
		if a.StatusCode == http.StatusServiceUnavailable && time.Now().Before(deadline) {
			continue // the load has the hashing
		}
		if (a.StatusCode == http.StatusOK) == neg {
			ts.Fatalf("the sign-in is answered %s", a.Status)
		}
		for _, c := range a.Cookies() {
			if c.Name == "__Host-session" {
				ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(c.Value+"\n"), 0o600))
			}
		}
		return
	}
}

// proxy stands in front of the server until the script ends, and says so. What it
// spoils, of what it passes on, stands in the file spoils.
func proxy(ts *testscript.TestScript, _ bool, _ []string) {
	to := &url.URL{Scheme: "http", Host: ts.Getenv("CLOAKROOM_LISTEN")}
	l, err := net.Listen("tcp", ts.Getenv("PROXY"))
	ts.Check(err)
	spoils := func() string {
		text, _ := os.ReadFile(ts.MkAbs("spoils")) // nothing, as long as there is none
		return string(text)
	}
	passing := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
			switch spoils() {
			case "host":
				r.Out.Host = to.Host
			case "scheme":
				r.Out.Header.Set("X-Forwarded-Proto", "https")
			case "cookie":
				r.Out.Header.Del("Cookie")
			}
		},
		ModifyResponse: func(a *http.Response) error {
			set := a.Header.Get("Set-Cookie")
			switch spoils() {
			case "set-cookie":
				a.Header.Del("Set-Cookie")
			case "attributes":
				a.Header.Set("Set-Cookie", strings.ReplaceAll(strings.Replace(set, "; Secure; HttpOnly", "", 1), "Path=/", "Path=/auth"))
			case "spelling":
				a.Header.Set("Set-Cookie", strings.Replace(set, "; Path=/", "", 1)+"; path=/")
			case "date":
				a.Header.Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
			case "no date":
				a.Header.Del("Date")
			}
			return nil
		},
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if spoils() == "no date" {
			w.Header()["Date"] = nil // nor one of its own
		}
		passing.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(l) }()
	ts.Defer(func() { _ = server.Close() })
}

// spoil says what the proxy does wrong from here on.
func spoil(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs("spoils"), []byte(args[0]), 0o600))
}

// check fails unless a proxy is told this status about the cookie in a file.
func check(ts *testscript.TestScript, _ bool, args []string) {
	r, err := http.NewRequest(http.MethodGet, "http://"+ts.Getenv("CLOAKROOM_LISTEN")+"/auth/check", nil)
	ts.Check(err)
	r.Header.Set("Cookie", "__Host-session="+strings.TrimSpace(ts.ReadFile(args[0])))
	a, err := http.DefaultClient.Do(r)
	ts.Check(err)
	_ = a.Body.Close()
	if fmt.Sprint(a.StatusCode) != args[1] {
		ts.Fatalf("the check says %s of %s", a.Status, filepath.Base(args[0]))
	}
}

// incarnation revokes what other sessions there are of the one in a file, and keeps
// which incarnation of the store is vouched for: the beginning of the position.
func incarnation(ts *testscript.TestScript, _ bool, args []string) {
	r, err := http.NewRequest(http.MethodDelete, "http://"+ts.Getenv("CLOAKROOM_LISTEN")+"/auth/v1/sessions?strict=true", nil)
	ts.Check(err)
	r.Header.Set("Cookie", "__Host-session="+strings.TrimSpace(ts.ReadFile(args[0])))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	a, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer a.Body.Close()
	var told struct{ Position string }
	ts.Check(json.NewDecoder(a.Body).Decode(&told))
	position, err := base64.RawURLEncoding.DecodeString(told.Position)
	if err != nil || len(position) != 32 || a.StatusCode != http.StatusOK {
		ts.Fatalf("the revocation is answered %s with the position %q", a.Status, told.Position)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), fmt.Appendf(nil, "%x\n", position[:16]), 0o600))
}

// take sets a variable to what an expression finds in the latest output.
func take(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) != 2 {
		ts.Fatalf("there is no %s in the output", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// until waits until an expression is found in a file that is being written.
func until(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[1])
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text, _ := os.ReadFile(ts.MkAbs(args[0])) // it may not be there yet
		if want.Match(text) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not appear in %s: %s", args[1], args[0], text)
		}
	}
}
