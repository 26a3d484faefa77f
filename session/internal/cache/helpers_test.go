package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"strings"
	"testing"
)

func never() bool  { return false }
func always() bool { return true }

// keyOf returns the key of token i.
func keyOf(i int) *Key {
	k := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	return &k
}

func subjectName(i int) string { return fmt.Sprintf("subject-%d", i) }

// identityOf is the identity of a subject at a version: its length and text
// follow from both, so that any mixture of two is found out.
func identityOf(subject string, version uint64) string {
	line := fmt.Sprintf("|%s@%d", subject, version)
	return string(byte(len(subject))) + subject + strings.Repeat(line, 1+int(version*7)%20)
}

// versionOf is the inverse of identityOf; it fails if the identity is not whole.
func versionOf(tb testing.TB, subject, identity string) uint64 {
	tb.Helper()
	var version uint64
	if identity == "" || subjectOf(identity) != subject {
		tb.Errorf("identity %.60q is not of %s", identity, subject)
		return 0
	}
	last := identity[strings.LastIndexByte(identity, '|'):]
	_, err := fmt.Sscanf(last, "|"+subject+"@%d", &version)
	if err != nil || identity != identityOf(subject, version) {
		tb.Errorf("identity of %s is torn: %.80q", subject, identity)
	}
	return version
}

// put keeps a record whose Created is the subject's version: a hit must show
// the identity of that version and no other.
func put(c *Cache, i int, subject string, version uint64, now int32, named func() bool) bool {
	rec := Record{Created: int32(version), Idle: 1 << 30, Absolute: 1 << 30, Ends: 1 << 30, Level: 1, Methods: 1}
	binary.BigEndian.PutUint64(rec.ID[:], uint64(i))
	return c.Put(keyOf(i), rec, subject, version, identityOf(subject, version), now, named)
}

// get is Get with what a hit shows as a result.
func get(c *Cache, key *Key, now int32, touch bool) (hit Hit, state State) {
	state = c.Get(key, now, touch, &hit)
	return hit, state
}

// recordOf returns the record of token i, which is there.
func recordOf(c *Cache, i int) (r record) {
	k := nameOf(keyOf(i))
	find(c.shard(k).slots, k).load(&r)
	return r
}

// peek returns the state of token i and, if it is live, the version it shows.
func peek(tb testing.TB, c *Cache, i int, subject string, now int32) (State, uint64) {
	tb.Helper()
	hit, state := get(c, keyOf(i), now, false)
	if state != Live {
		return state, 0
	}
	version := versionOf(tb, subject, hit.Identity)
	if int32(version) != hit.Created || binary.BigEndian.Uint64(hit.ID[:]) != uint64(i) {
		tb.Errorf("token %d, put with version %d, shows version %d", i, hit.Created, version)
	}
	return Live, version
}

func want(tb testing.TB, c *Cache, i int, subject string, now int32, state State) {
	tb.Helper()
	got, _ := peek(tb, c, i, subject, now)
	invariant := "I8" // a valid session is not found
	switch {
	case got == Live:
		invariant = "I10"
	case state == Dead:
		invariant = "I5"
	}
	if got != state {
		tb.Errorf("%s: token %d: state %d, want %d", invariant, i, got, state)
	}
}

// check stops the cache and looks at all of it. inFlight is how many Puts may
// be between their two steps.
func check(tb testing.TB, c *Cache, inFlight int) {
	tb.Helper()
	for i := range c.shards {
		c.shards[i].mu.Lock()
		defer c.shards[i].mu.Unlock()
	}
	c.subjects.mu.Lock()
	defer c.subjects.mu.Unlock()

	refs := make(map[uint32]uint32)
	var bytes int64
	for i := range c.shards {
		checkShard(tb, c, i, refs)
		bytes += int64(len(c.shards[i].slots)) * slotBytes
	}
	checkCells(tb, &c.subjects, refs, inFlight)
	checkArena(tb, &c.subjects)
	bytes += int64(len(*c.subjects.blocks.Load())) * blockBytes
	for i := range c.subjects.index {
		bytes += int64(len(c.subjects.index[i].entries)) * entryBytes
	}
	for _, chunk := range c.subjects.arena.current.Load().list {
		bytes += int64(len(chunk))
	}
	if used := c.budget.used.Load(); used != bytes {
		tb.Errorf("budget counts %d bytes of %d", used, bytes)
	}
}

func checkShard(tb testing.TB, c *Cache, index int, refs map[uint32]uint32) {
	tb.Helper()
	s := &c.shards[index]
	if len(s.left) > c.budget.shardTouches() {
		tb.Errorf("shard %d keeps %d touches of records that are gone", index, len(s.left))
	}
	count, markers := 0, 0
	for i := range s.slots {
		p := &s.slots[i]
		var r record
		p.load(&r)
		if p.empty() {
			if r != (record{}) {
				tb.Errorf("an empty slot is not zero: %+v", r)
			}
			continue
		}
		count++
		if find(s.slots, r.name) != p || c.shard(r.name) != s {
			tb.Errorf("record in slot %d of shard %d is doubled or not to be found", i, index)
		}
		if !p.dead() {
			refs[r.cell]++
			continue
		}
		markers++
		if r.cell != 0 || r.meta != deadBit || r.created < s.oldest || r.created > s.now {
			tb.Errorf("bad marker: %+v, oldest %d, now %d", r, s.oldest, s.now)
		}
	}
	if count != s.count || markers != s.markers || count*5 > len(s.slots)*4 {
		tb.Errorf("shard %d counts %d and %d of %d and %d in %d slots",
			index, s.count, s.markers, count, markers, len(s.slots))
	}
}

func checkCells(tb testing.TB, s *subjects, refs map[uint32]uint32, inFlight int) {
	tb.Helper()
	free := make(map[uint32]bool)
	for n := s.free; n != 0; n = uint32(s.at(n).hash) {
		if free[n] {
			tb.Fatalf("cell %d is free twice", n)
		}
		free[n] = true
	}
	indexed := 0
	for n := uint32(1); n <= s.made; n++ {
		c := s.at(n)
		if c.refs < refs[n] || c.refs > refs[n]+uint32(inFlight) {
			tb.Errorf("cell %d has %d references, %d records refer to it", n, c.refs, refs[n])
		}
		if c.refs > 0 && (free[n] || s.find(c.hash) != n) {
			tb.Errorf("cell %d has %d references and is free", n, c.refs)
		}
		if c.refs == 0 && (c.filled() || !free[n] && c.generation.Load() < wornOut) {
			tb.Errorf("cell %d has no references and is not free", n)
		}
		if c.refs > 0 {
			indexed++
		}
		if c.filled() {
			text, ok := s.arena.text(blob(c.blob.Load()))
			if !ok || maphash.String(s.seed, subjectOf(text)) != c.hash {
				tb.Errorf("cell %d shows another subject", n)
			}
		}
	}
	entries := 0
	for i := range s.index {
		p, count := &s.index[i], 0
		for _, entry := range p.entries {
			if entry != 0 {
				count++
			}
		}
		if count != p.count || count*4 > len(p.entries)*3 {
			tb.Errorf("part %d of the index counts %d of %d in %d entries", i, p.count, count, len(p.entries))
		}
		entries += count
	}
	if indexed != s.used || indexed != entries {
		tb.Errorf("%d cells are in use, counted %d, the index has %d", indexed, s.used, entries)
	}
}

func checkArena(tb testing.TB, s *subjects) {
	tb.Helper()
	list := s.arena.current.Load()
	live, total, held := make([]int, len(list.list)), 0, 0
	for n := uint32(1); n <= s.made; n++ {
		if b := blob(s.at(n).blob.Load()); b != 0 {
			size := headerBytes + b.length()
			live[list.place(b.chunk())] += size
			total += size
		}
	}
	for i, c := range list.list {
		if live[i] != s.arena.live[i] || c == nil && live[i] > 0 {
			tb.Errorf("chunk %d: %d bytes alive, counted %d", i, live[i], s.arena.live[i])
		}
		if c != nil {
			held++
		}
	}
	if total != s.arena.total || held != s.arena.held {
		tb.Errorf("arena counts %d bytes in %d chunks of %d in %d", s.arena.total, s.arena.held, total, held)
	}
}

func hashOf(c *Cache, subject string) uint64 { return maphash.String(c.subjects.seed, subject) }
