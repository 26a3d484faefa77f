package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// weight is what a page weighs when a browser opens it for the first time: all
// bytes that come over the connection, headers too, of the page and of whatever
// it loads.
func (b *bench) weight() experiment {
	var rows []row
	for _, p := range weighedPages() {
		rows = append(rows, row{
			what: "weight of " + p.path + " with all it loads", measured: p.path,
			unit: kibibytes, bar: limit(60, kibibytes),
		})
	}
	return experiment{name: "weight", open: openWeight, rows: rows}
}

// weighedPage is a page, and whether it is for who is signed in.
type weighedPage struct {
	path   string
	member bool
}

func weighedPages() []weighedPage {
	return []weighedPage{
		{"/sign-in", false}, {"/sign-up", false}, {"/setup", false}, {"/docs", false},
		{"/account", true}, {"/account/sessions", true}, {"/account/password", true}, {"/account/activity", true},
		{"/reauthenticate", true}, {"/sign-out", true},
	}
}

type weight struct {
	product *product
	who     person
}

func openWeight(ctx context.Context, b *bench) (trial, error) {
	p, err := b.freshProduct(ctx)
	if err != nil {
		return nil, err
	}
	c := from("127.0.0.1", 1)
	defer c.CloseIdleConnections()
	t := &weight{product: p}
	if t.who, err = enrol(ctx, c, p.base, userEmail); err != nil {
		p.end()
		return nil, err
	}
	return t, nil
}

func (t *weight) close() { t.product.end() }

func (t *weight) round(ctx context.Context, s samples) error {
	for _, page := range weighedPages() {
		bytes, err := t.weigh(ctx, page)
		if err != nil {
			return fmt.Errorf("%s: %w", page.path, err)
		}
		s.add(page.path, float64(bytes)/1024)
	}
	return nil
}

// loaded finds what a page or a style sheet has a browser load.
var loaded = regexp.MustCompile(`(?:href|src)="(/auth/assets/[^"]+)"|url\(["']?(/auth/assets/[^"')]+)`)

// weigh opens the page, and each thing that it loads once. Like a browser it
// asks for what is compressed if there is such a thing.
func (t *weight) weigh(ctx context.Context, page weighedPage) (int64, error) {
	var received atomic.Int64
	c := &http.Client{
		Transport:     &http.Transport{DialContext: weighing(&received)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       10 * time.Second,
	}
	defer c.CloseIdleConnections()
	cookie := ""
	if page.member {
		cookie = t.who.check()
	}
	paths := []string{basePath + page.path}
	for i := 0; i < len(paths); i++ {
		a, err := get(ctx, c, strings.TrimSuffix(t.product.base, basePath)+paths[i], cookie)
		if err == nil {
			err = a.wanted(paths[i])
		}
		if err != nil {
			return 0, err
		}
		for _, found := range loaded.FindAllSubmatch(a.body, -1) {
			if next := string(found[1]) + string(found[2]); !slices.Contains(paths, next) {
				paths = append(paths, next)
			}
		}
	}
	if len(paths) == 1 {
		return 0, errors.New("the page loads nothing, so something was overlooked")
	}
	return received.Load(), nil
}

// weighing dials connections whose bytes are counted as they come.
func weighing(received *atomic.Int64) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return weighed{conn, received}, err
	}
}

type weighed struct {
	net.Conn
	received *atomic.Int64
}

func (w weighed) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.received.Add(int64(n))
	return n, err
}
