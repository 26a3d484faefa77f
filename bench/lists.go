package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
)

// lists is how long a page of a list takes that somebody waits for, where there
// are many: people's own sessions, and what an administrator looks through. The
// file was written just before, so it is in the system's cache. The row shows
// the 99th percentile of a round, each time of another account where that can be.
func (b *bench) lists() experiment {
	of := fmt.Sprintf(", %s accounts with 3 sessions each: p99", count(b.size.accounts))
	var rows []row
	for _, l := range append(listings(), adminListings()...) {
		rows = append(rows, row{
			what: l.what + of, measured: l.what, peer: "median of " + l.what, peerName: "median",
			unit: milliseconds, bar: limit(50, milliseconds),
		})
	}
	return experiment{name: "lists", open: openLists, rows: rows}
}

// listing is a list, and the address of a page of it.
type listing struct {
	what string
	page func(*lists) string
}

func listings() []listing {
	return []listing{
		{"one's own sessions", func(*lists) string { return "/v1/sessions" }},
		{"one's own sessions, second page", func(t *lists) string { return "/v1/sessions?after=" + t.secondSessions }},
	}
}

type lists struct {
	bench   *bench
	product *product
	client  *http.Client
	admin   administrator

	secondSessions, secondEntries, farAccounts string // cursors
}

func openLists(ctx context.Context, b *bench) (_ trial, err error) {
	path := filepath.Join(b.dir, "lists.db")
	t := &lists{bench: b, client: from("127.0.0.1", 1)}
	if err := b.fillFile(ctx, path); err != nil {
		return nil, fmt.Errorf("fill the file: %w", err)
	}
	if t.admin, err = addAdministrator(ctx, path); err != nil {
		return nil, fmt.Errorf("add an administrator: %w", err)
	}
	if t.product, err = b.startProduct(ctx, path); err != nil {
		return nil, err
	}
	if err := t.findCursors(ctx); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *lists) findCursors(ctx context.Context) (err error) {
	if t.secondSessions, err = t.cursor(ctx, "/v1/sessions"); err != nil {
		return err
	}
	return t.findAdminCursors(ctx)
}

// cursor is where a list goes on after a page, as a query has it.
func (t *lists) cursor(ctx context.Context, page string) (string, error) {
	a, err := t.read(ctx, page)
	if err != nil {
		return "", err
	}
	var list struct{ Next string }
	if err := json.Unmarshal(a.body, &list); err != nil || list.Next == "" {
		return "", fmt.Errorf("%s has no second page: %w", page, err)
	}
	return url.QueryEscape(list.Next), nil
}

func (t *lists) read(ctx context.Context, page string) (answer, error) {
	a, err := get(ctx, t.client, t.product.base+page, sessionCookie+"="+t.admin.token)
	if err == nil {
		err = a.wanted(page)
	}
	return a, err
}

func (t *lists) round(ctx context.Context, s samples) error {
	took := make(map[string][]float64)
	for range t.bench.size.pages {
		for _, l := range append(listings(), adminListings()...) {
			a, err := t.read(ctx, l.page(t))
			if err != nil {
				return err
			}
			took[l.what] = append(took[l.what], inMilliseconds(a.took))
		}
	}
	for what, each := range took {
		s.add(what, percentile(each, 99))
		s.add("median of "+what, median(each))
	}
	return nil
}

func (t *lists) close() {
	t.product.end()
	t.client.CloseIdleConnections()
}
