package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloakroom/internal/config"
	"cloakroom/internal/control"
	"cloakroom/internal/server"
)

// ahead runs a server whose clock is ahead by so much, on a database in a folder,
// until it is stopped.
func ahead(t *testing.T, database string, by time.Duration) (url string, stop func()) {
	t.Helper()
	s, err := server.New(t.Context(), server.Options{
		Config: config.Config{Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0", Database: database, Policies: "{recent: {recent: 1h}}"},
		Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(by) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return s.URL(), func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// wrong are the lines of what a doctor finds wrong, each with what to do.
func wrong(t *testing.T, database string) (lines []string) {
	t.Helper()
	code, out, errOut := run(t, "doctor", "--database="+database)
	all := strings.Split(out, "\n")
	for i, line := range all {
		if strings.HasPrefix(line, "WRONG") {
			lines = append(lines, line+all[i+1])
		}
	}
	if (code != 0) != (len(lines) > 0) {
		t.Errorf("exit code %d with %d findings: %s", code, len(lines), errOut)
	}
	return lines
}

// only fails unless one line is found for each of want, in its order.
func only(t *testing.T, lines []string, want ...string) {
	t.Helper()
	if len(lines) != len(want) {
		t.Fatalf("%d things are wrong, and not %d:\n%s", len(lines), len(want), strings.Join(lines, "\n"))
	}
	for i, w := range want {
		if !strings.Contains(lines[i], w) {
			t.Errorf("%q is missing in %s", w, lines[i])
		}
	}
}

func TestADoctorSaysWhichClocksAreApart(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "c.db")
	_, stop := ahead(t, database, time.Hour)
	if code, _, errOut := run(t, "account", "create", "ada@example.com", "--database="+database); code != 0 {
		t.Fatal(errOut)
	}
	const entry = "ahead: the clock was wrong then, or is now. Have it set by NTP"
	only(t, wrong(t, database), "they are 1h0m0s apart: have one clock for both", entry)
	stop()
	_, stop = ahead(t, database, 0) // the clock is right again, and the record shows that it was not
	defer stop()
	only(t, wrong(t, database), entry)
}

func TestADoctorSaysThatTheServerIsOfAnotherVersion(t *testing.T) {
	dir := t.TempDir()
	real, front := "sqlite:"+filepath.Join(dir, "c.db"), filepath.Join(dir, "front.db")
	_, stop := ahead(t, real, 0)
	defer stop()
	if code, _, errOut := run(t, "backup", front, "--database="+real); code != 0 {
		t.Fatal(errOut)
	}
	// What answers at the other file is this server, except that it says so.
	l, err := control.Listen(front + ".sock")
	if err != nil {
		t.Fatal(err)
	}
	old := &http.Server{Handler: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "operator"}) },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return control.Dial(ctx, filepath.Join(dir, "c.db"))
		}},
		ModifyResponse: func(a *http.Response) error {
			if a.Request.URL.Path != "/v1/operator/status" {
				return nil
			}
			var st server.Status
			if err := json.NewDecoder(a.Body).Decode(&st); err != nil {
				return err
			}
			st.Version = "v0.0.1"
			text, err := json.Marshal(st)
			a.Body, a.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			a.Header.Del("Content-Length")
			return err
		},
	}}
	go func() { _ = old.Serve(l) }()
	defer func() { _ = old.Close() }()
	only(t, wrong(t, real))
	only(t, wrong(t, "sqlite:"+front), "restart the server, or use its own binary: it is v0.0.1, this is "+server.Version())
}
