package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// behindNginx is what a check costs where it is one of the things that happen in
// a request: nginx asks before it sends a small file.
func (b *bench) behindNginx() experiment {
	return experiment{
		name:  "behind nginx",
		needs: findNginx,
		open:  openBehindNginx,
		rows: []row{
			{what: "a file through nginx that asks /check", measured: "check", peer: "same", peerName: "that asks for the same response, unchecked", unit: perSecond, bar: rateAbove(0.9)},
			{what: "a file through nginx that asks /check", measured: "check", peer: "nothing", peerName: "that asks nobody", unit: perSecond, bar: informs(perSecond)},
		},
	}
}

func findNginx() error {
	if _, err := exec.LookPath("nginx"); err != nil {
		return errors.New("the rows behind nginx need nginx: install it (on Debian: apt-get install nginx-light)")
	}
	return findWrk()
}

type behindNginx struct {
	over  *overHTTP
	nginx *exec.Cmd
	doors map[string]welcome
	load  time.Duration
}

func openBehindNginx(ctx context.Context, b *bench) (_ trial, err error) {
	t := &behindNginx{load: b.size.load, doors: map[string]welcome{}}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	over, err := openOverHTTP(ctx, b)
	if err != nil {
		return nil, err
	}
	t.over = over.(*overHTTP)
	dir, err := os.MkdirTemp(b.dir, "nginx-")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("hello\n"), 0o644); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	configuration, err := t.configure(ctx, dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(configuration), 0o644); err != nil {
		return nil, err
	}
	t.nginx = exec.Command("nginx", "-p", dir, "-c", path)
	t.nginx.Stderr = prefixed{"nginx", b.progress}
	if err := t.nginx.Start(); err != nil {
		return nil, err
	}
	for _, door := range t.doors {
		if err := awaitListener(ctx, strings.TrimSuffix(strings.TrimPrefix(door.URL, "http://"), "/index.html")); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// configure writes one server for each that is asked, alike but for the address,
// over connections that are kept.
func (t *behindNginx) configure(ctx context.Context, dir string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "daemon off; user root; worker_processes 1; pid %s/pid; error_log stderr error;\nevents {}\nhttp {\naccess_log off; root %s;\n", dir, dir)
	for _, kind := range []string{"check", "same", "nothing"} {
		address, err := freeAddress(ctx)
		if err != nil {
			return "", err
		}
		ask := ""
		if kind != "nothing" {
			asked := t.over.servers[kind].welcome.URL
			host, path, _ := strings.Cut(strings.TrimPrefix(asked, "http://"), "/")
			fmt.Fprintf(&b, "upstream %s { server %s; keepalive 16; }\n", kind, host)
			ask = fmt.Sprintf(`auth_request /ask;
location = /ask { internal; proxy_pass http://%s/%s; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_set_header Cookie $http_cookie; }`, kind, path)
		}
		fmt.Fprintf(&b, "server { listen %s; keepalive_requests 1000000; %s\n}\n", address, ask)
		t.doors[kind] = welcome{URL: "http://" + address + "/index.html", Header: t.over.servers["check"].welcome.Header}
	}
	b.WriteString("}\n")
	return b.String(), nil
}

func (t *behindNginx) round(ctx context.Context, s samples) error {
	for _, kind := range []string{"check", "same", "nothing"} {
		l, err := wrk(ctx, t.doors[kind], t.load)
		if err != nil {
			return fmt.Errorf("nginx that asks %s: %w", kind, err)
		}
		s.add(kind, l.perSecond)
	}
	return nil
}

func (t *behindNginx) close() {
	if t.nginx != nil && t.nginx.Process != nil {
		_ = t.nginx.Process.Signal(os.Interrupt)
		_ = t.nginx.Wait() // ended by the signal
	}
	if t.over != nil {
		t.over.close()
	}
}
