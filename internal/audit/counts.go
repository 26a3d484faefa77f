package audit

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// kind is what attempts that are counted together have in common.
type kind struct {
	event   Event
	reason  Reason
	subject string
	network string
}

func kindOf(e Entry) kind { return kind{e.Event, e.Reason, e.Subject, network(e.Address)} }

// beyond is the kind of what is too much to be counted by itself.
func beyond(e Event) kind { return kind{event: e, reason: Other} }

// wider is the kind of what is too much for a network by itself, where one
// customer may hold more than that: the subject is the same.
func (k kind) wider() (kind, bool) {
	wide := wideNetwork(k.network)
	ok := wide != k.network
	k.network = wide
	return k, ok
}

// network returns the part of an address that one customer holds: all of IPv4,
// of IPv6 the first 64 bits. What is no address stands for itself.
func network(address string) string { return prefix(address, 64) }

// wideNetwork returns what one customer may hold: of IPv6 the first 48 bits.
func wideNetwork(address string) string { return prefix(address, 48) }

// prefix cuts an IPv6 address, or a longer prefix of it.
func prefix(address string, bits int) string {
	a, err := netip.ParseAddr(address)
	if p, ok := netip.ParsePrefix(address); ok == nil && p.Bits() >= bits {
		a, err = p.Addr(), nil
	}
	if err != nil {
		return address
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, bits).Masked().String()
}

// counts are the attempts that are not written yet, by kind. They know no clock
// and no store.
type counts struct {
	pending map[kind]*Entry
	fresh   int                // kinds in pending that are new, but for those of Other
	wide    int                // those of wider networks, which fresh does not count
	quiet   map[kind]time.Time // when a kind was taken out, for quietFor

	taken  time.Time     // when some were taken out last
	credit time.Duration // by then: one entry for each entryEvery, at most maxAtOnce
}

func newCounts(now time.Time) counts {
	return counts{
		pending: make(map[kind]*Entry), quiet: make(map[kind]time.Time),
		taken: now, credit: maxAtOnce * entryEvery,
	}
}

// add counts an entry in the form of Prepare.
func (c *counts) add(e Entry) {
	k := kindOf(e)
	if !c.admit(k, &c.fresh) {
		wide, ok := k.wider()
		if k = wide; !ok || !c.admit(k, &c.wide) {
			k = beyond(e.Event)
		}
	}
	c.merge(k, e)
}

// admit reports whether a kind is counted by itself, and counts it among the new
// ones if it is one. A kind that was written lately has its place, so that no
// flood of new ones can take it.
func (c *counts) admit(k kind, fresh *int) bool {
	_, counted := c.pending[k]
	_, quiet := c.quiet[k]
	switch {
	case counted || quiet:
	case *fresh < maxFresh:
		*fresh++
	default:
		return false
	}
	return true
}

// merge adds attempts to those of a kind. Of what they do not have in common
// nothing is kept, so that what was true of one is never said of many.
func (c *counts) merge(k kind, e Entry) {
	e.Reason = k.reason
	sum, ok := c.pending[k]
	if !ok {
		c.pending[k] = &e
		return
	}
	sum.Count += e.Count
	if e.At.Before(sum.At) {
		sum.At = e.At
	}
	if e.Until.After(sum.Until) {
		sum.Until = e.Until
	}
	sum.Actor = common(sum.Actor, e.Actor)
	sum.Subject = common(sum.Subject, e.Subject)
	sum.Session = common(sum.Session, e.Session)
	sum.UserAgent = common(sum.UserAgent, e.UserAgent)
	if sum.Address != e.Address {
		sum.Address = cmp.Or(common(network(sum.Address), network(e.Address)),
			common(wideNetwork(sum.Address), wideNetwork(e.Address)))
	}
	if !maps.Equal(sum.Detail, e.Detail) {
		sum.Detail = nil
	}
}

func common(a, b string) string {
	if a != b {
		return ""
	}
	return a
}

// take takes out what is to be written now, the earliest first: kinds that were
// not taken out lately or, if all is set, every kind. When there is not room for
// each, those of the most attempts are written by themselves.
func (c *counts) take(now time.Time, all bool) []Entry {
	room := c.pass(now)
	if all {
		room += maxLast
	}
	var due []kind
	for k := range c.pending {
		if _, quiet := c.quiet[k]; k.reason != Other && (all || !quiet) {
			due = append(due, k)
		}
	}
	slices.SortFunc(due, func(a, b kind) int {
		return cmp.Or(
			cmp.Compare(c.pending[b].Count, c.pending[a].Count),
			c.pending[a].At.Compare(c.pending[b].At),
			cmp.Compare(a.subject, b.subject))
	})
	alone := min(room, len(due))
	for _, k := range due[alone:] {
		other, ok := k.wider()
		if !ok || c.pending[other] == nil {
			other = beyond(k.event)
		}
		c.merge(other, *c.pending[k])
		delete(c.pending, k)
	}
	due = due[:alone]
	c.credit -= time.Duration(alone) * entryEvery
	for _, e := range refusals {
		_, quiet := c.quiet[beyond(e)]
		if c.pending[beyond(e)] != nil && (all || !quiet) {
			due = append(due, beyond(e))
		}
	}
	c.fresh, c.wide = 0, 0
	return c.takeOut(due, now)
}

// pass lets time go by and returns for how many entries there is room. A clock
// that is set back ends every quiet time, and gives no room.
func (c *counts) pass(now time.Time) (room int) {
	maps.DeleteFunc(c.quiet, func(_ kind, t time.Time) bool { return t.After(now) || now.Sub(t) >= quietFor })
	c.credit = min(c.credit+max(now.Sub(c.taken), 0), maxAtOnce*entryEvery)
	c.taken = now
	return int(max(c.credit, 0) / entryEvery)
}

func (c *counts) takeOut(kinds []kind, now time.Time) []Entry {
	entries := make([]Entry, 0, len(kinds))
	for _, k := range kinds {
		entries = append(entries, *c.pending[k])
		delete(c.pending, k)
		c.quiet[k] = now
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.At.Compare(b.At) })
	return entries
}
