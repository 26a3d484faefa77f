package session

import (
	"math"
	"time"
)

// Stats is how a Manager is doing, for whoever watches it. Counts are since New.
type Stats struct {
	CachedSessions int   // live ones, also those that have expired and were not evicted
	CachedSubjects int   // whose profiles and epochs are in memory
	CacheBytes     int64 // allocated; Config.CacheBytes bounds them

	Loads          uint64 // checks, or groups of them, that were answered by the store
	LoadsUndecided uint64 // those of them that found out nothing: ErrUnavailable
	LoadsUnderWay  int    // waiting, or asked of the store

	// Behind is how old the news may be that checks are answered by: a
	// revocation that returned longer ago than this, on any node, is known here.
	// 0 where the store is this node's own. It passes Config.Delta while the
	// store does not answer; checks are then answered by the store, or not at all.
	Behind time.Duration
}

// Stats costs about as much as a thousand checks, and does not hold up others.
func (m *Manager) Stats() Stats {
	held := m.cache.Stats()
	m.loads.mu.Lock()
	underWay := len(m.loads.flight)
	m.loads.mu.Unlock()
	return Stats{
		CachedSessions: held.Records, CachedSubjects: held.Cells,
		CacheBytes: held.TableBytes + held.CellBytes + held.ArenaBytes,
		Loads:      m.loads.decided.Load() + m.loads.undecided.Load(), LoadsUndecided: m.loads.undecided.Load(),
		LoadsUnderWay: underWay, Behind: m.behind(),
	}
}

// behind follows from the lease, which ends delta after the question was sent
// whose answer is applied.
func (m *Manager) behind() time.Duration {
	lease := m.feed.Lease()
	if lease == math.MaxInt64 {
		return 0
	}
	return max(0, m.mono()-(lease-m.cfg.Delta))
}
