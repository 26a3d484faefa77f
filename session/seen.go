package session

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"cloakroom/session/internal/cache"
)

const (
	seenEvery = time.Minute // how often a session's last use is written, at most
	seenBatch = 1000        // in one statement
	maxOwed   = 1 << 16     // beyond it a use is forgotten, which only shortens
	lastWrite = 5 * time.Second
)

// seen is what is known of the use of sessions and not yet written. Most of it
// is kept by the cache: marks in its records, which a hit sets without writing
// anything else, and those of records that it has evicted. owed is the rest:
// uses that no record could take, and uses collected from the cache whose write
// has not succeeded yet.
type seen struct {
	mu   sync.Mutex // guards owed; held while a use moves there from the cache
	owed map[cache.ShortKey]Touch
}

func (s *seen) init() { s.owed = make(map[cache.ShortKey]Touch) }

// add notes a use that no record in the cache could take.
func (s *seen) add(key Hash, id ID, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owe(cache.Short((*cache.Key)(&key)), Touch{ID: id, Seen: at})
}

func (s *seen) owe(key cache.ShortKey, t Touch) {
	old, there := s.owed[key]
	if !there && len(s.owed) >= maxOwed {
		return
	}
	if t.Seen.After(old.Seen) {
		s.owed[key] = t
	}
}

// writeSeen visits the cache's shards one after the other, all of them in
// seenEvery, so that the writes are spread and none comes sooner than that.
func (m *Manager) writeSeen(ctx context.Context) {
	for shard := 0; sleep(ctx, seenEvery/cache.Shards); shard = (shard + 1) % cache.Shards {
		m.collectSeen(shard)
		if err := m.writeOwed(ctx); err != nil && ctx.Err() == nil {
			m.cfg.Logger.Warn("session: last uses could not be written; they are kept", "error", err)
		}
	}
}

// writeAllSeen writes what is owed when the node stops.
func (m *Manager) writeAllSeen(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrite)
	defer cancel()
	for shard := range cache.Shards {
		m.collectSeen(shard)
	}
	if err := m.writeOwed(ctx); err != nil {
		m.cfg.Logger.Warn("session: last uses could not be written; some sessions will expire up to a minute early", "error", err)
	}
}

// collectSeen moves what a shard knows of uses to what is owed.
func (m *Manager) collectSeen(shard int) {
	m.seen.mu.Lock()
	defer m.seen.mu.Unlock()
	jumped := m.jumped()
	m.cache.TakeTouches(shard, seconds(m.mono()), func(key cache.ShortKey, id [16]byte, at int32) {
		m.seen.owe(key, Touch{ID: id, Seen: m.wallAt(at).Add(jumped)})
	})
}

// writeOwed writes all that is owed. What could not be written stays owed.
func (m *Manager) writeOwed(ctx context.Context) error {
	m.seen.mu.Lock()
	owed := maps.Clone(m.seen.owed)
	m.seen.mu.Unlock()
	keys := slices.Collect(maps.Keys(owed))
	for batch := range slices.Chunk(keys, seenBatch) {
		touches := make([]Touch, len(batch))
		for i, key := range batch {
			touches[i] = owed[key]
		}
		if err := m.store.Touch(ctx, m.now(), touches); err != nil {
			return err
		}
		m.settleSeen(batch, owed)
	}
	return nil
}

func (m *Manager) settleSeen(keys []cache.ShortKey, written map[cache.ShortKey]Touch) {
	m.seen.mu.Lock()
	defer m.seen.mu.Unlock()
	for _, key := range keys {
		if m.seen.owed[key] == written[key] {
			delete(m.seen.owed, key)
		}
	}
}

// settleIdle writes down the last use of one session before an idle limit is
// held against it, and reports whether there was any to write.
func (m *Manager) settleIdle(ctx context.Context, key Hash) (bool, error) {
	k := (*cache.Key)(&key)
	m.seen.mu.Lock()
	if id, at, ok := m.cache.TakeTouch(k); ok {
		m.seen.owe(cache.Short(k), Touch{ID: id, Seen: m.wallAt(at).Add(m.jumped())})
	}
	touch, owed := m.seen.owed[cache.Short(k)]
	m.seen.mu.Unlock()
	if !owed {
		return false, nil
	}
	return true, m.store.Touch(ctx, m.now(), []Touch{touch})
}
