package sessiontest

import (
	"strings"
	"time"

	"cloakroom/session"
)

func listing() []promise {
	return []promise{
		{"only the subject's live sessions are listed", listLive},
		{"a session is listed as it was issued", listDetails},
		{"newest first, in pages that neither skip nor repeat", listPages},
		{"a page that ends the list has no cursor", func(f *fixture) {
			minutely(f, 4)
			_, next, err := f.Store.List(f.Context(), f.now(), "ann", "", 4)
			f.ok(err)
			equal(f, "cursor", next, "")
		}},
		{"cursors hold while sessions come and go", listWhileChanging},
		{"a cursor of another shape is refused", hostileCursors},
		{"a subject without a row has no sessions", func(f *fixture) {
			equal(f, "sessions", len(f.list("nobody")), 0)
		}},
	}
}

func listLive(f *fixture) {
	a := f.signIn("ann")
	revoked := f.signIn("ann")
	short := f.signIn("ann", func(c *session.Creation) { c.Idle = time.Minute })
	f.signIn("bob")
	f.apply(session.Revoke("ann", revoked.id))
	f.reach(f.load(short).Session.IdleEnds)
	all := f.list("ann")
	equal(f, "sessions", len(all), 1)
	equal(f, "session", all[0].ID, a.id)
	f.apply(session.RevokeEverything())
	equal(f, "sessions", len(f.list("ann")), 0)
}

func listDetails(f *fixture) {
	client := session.Client{UserAgent: "Mozilla/5.0 (ä)", Address: "2001:db8::1", Label: "kitchen"}
	t := f.signIn("ann", atLevel(2), func(c *session.Creation) {
		c.Client, c.Methods = client, session.Password|session.TOTP
	})
	d, l := f.list("ann")[0], f.load(t)
	equal(f, "id", d.ID, t.id)
	equal(f, "client", d.Client, client)
	equal(f, "level", d.Level, 2)
	equal(f, "methods", d.Methods, session.Password|session.TOTP)
	f.sameTime("created", d.CreatedAt, l.Session.Created)
	f.sameTime("authenticated", d.AuthenticatedAt, l.Session.Authenticated)
	f.sameTime("last seen", d.LastSeenAt, l.Session.LastSeen)
	f.sameTime("idle limit", d.IdleExpiresAt, l.Session.IdleEnds)
	f.sameTime("absolute limit", d.ExpiresAt, l.Session.Absolute)
}

// pages reads the list in pages of n, calling between before each but the first.
func pages(f *fixture, n int, between func()) []session.ID {
	f.Helper()
	var ids []session.ID
	cursor := ""
	for {
		page, next, err := f.Store.List(f.Context(), f.now(), "ann", cursor, n)
		f.ok(err)
		if len(page) > n {
			f.Fatalf("a page of %d, asked for %d", len(page), n)
		}
		for _, d := range page {
			ids = append(ids, d.ID)
		}
		if next == "" {
			return ids
		}
		cursor = next
		between()
	}
}

func listPages(f *fixture) {
	// Several of one second, and several seconds.
	issued := make(map[session.ID]bool)
	var newest []time.Time
	for range 4 {
		for range 3 {
			issued[f.signIn("ann").id] = true
		}
		f.advance(time.Second)
	}
	for _, d := range f.list("ann") {
		newest = append(newest, d.CreatedAt)
	}
	for i := range newest[1:] {
		if newest[i].Before(newest[i+1]) {
			f.Fatal("not newest first")
		}
	}
	for _, n := range []int{1, 2, 5, 12, 13} {
		seen := make(map[session.ID]bool)
		for _, id := range pages(f, n, func() {}) {
			if seen[id] || !issued[id] {
				f.Fatal("a session was repeated or is not one of the subject's")
			}
			seen[id] = true
		}
		equal(f, "sessions", len(seen), len(issued))
	}
}

// listWhileChanging: those that were there throughout are listed once, although
// the one that a cursor was made from goes, and new ones come.
func listWhileChanging(f *fixture) {
	old := minutely(f, 6)
	count := make(map[session.ID]int)
	gone := map[session.ID]bool{}
	page := 0
	ids := pages(f, 2, func() {
		last := old[len(old)-2*(page+1)] // the last of the page just read
		page++
		f.apply(session.Revoke("ann", last.id))
		gone[last.id] = true
		f.signIn("ann")
		f.advance(time.Minute)
	})
	for _, id := range ids {
		count[id]++
	}
	equal(f, "sessions", len(ids), len(old)) // new ones stand before the first page
	for _, t := range old {
		equal(f, "times listed", count[t.id], 1)
	}
	equal(f, "cursors that lost their session", len(gone), 2)
}

func hostileCursors(f *fixture) {
	minutely(f, 3)
	_, next, err := f.Store.List(f.Context(), f.now(), "ann", "", 2)
	f.ok(err)
	for _, cursor := range []string{
		"x", " ", "0", "\x00", "null", "' or 1=1 --", "%", "=", "==",
		next + "x", next + "=", next + "\n", " " + next, next[:len(next)-1],
		strings.Repeat("A", 10_000), strings.Repeat("é", 16),
	} {
		if _, _, err := f.Store.List(f.Context(), f.now(), "ann", cursor, 2); err == nil {
			f.Fatalf("cursor %q was accepted", cursor)
		} else {
			f.is(err, session.ErrInvalid)
		}
	}
}
