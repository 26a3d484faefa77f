package main

import (
	"context"
	"math/rand/v2"
)

// adminListings are what an administrator looks through.
func adminListings() []listing {
	return []listing{
		{"accounts by the beginning of the address", func(*lists) string { return "/v1/admin/accounts?email=" + beginning }},
		{"accounts, far behind", func(t *lists) string { return "/v1/admin/accounts?after=" + t.farAccounts }},
		{"an account's sessions", func(t *lists) string { return "/v1/admin/accounts/" + t.someAccount() + "/sessions" }},
		{"an account's audit", func(t *lists) string { return "/v1/admin/audit?subject=" + t.someAccount() }},
		{"the audit of one event, second page", func(t *lists) string {
			return "/v1/admin/audit?event=session.issued&after=" + t.secondEntries
		}},
	}
}

// beginning is that of every sixteenth address.
const beginning = "pc"

// findAdminCursors: a page of addresses that begin alike says where the list of
// all addresses goes on behind them.
func (t *lists) findAdminCursors(ctx context.Context) (err error) {
	if t.farAccounts, err = t.cursor(ctx, "/v1/admin/accounts?email="+beginning); err != nil {
		return err
	}
	t.secondEntries, err = t.cursor(ctx, "/v1/admin/audit?event=session.issued")
	return err
}

// someAccount is the id of one of the accounts in the file, another each time.
func (t *lists) someAccount() string { return accountID(rand.IntN(t.bench.size.accounts)) }
