package session

import "cloakroom/session/internal/cache"

// SetPause has f called between two steps of a check or a load. Set it before
// Run, or while nothing is under way.
func (m *Manager) SetPause(f func(step string)) { m.pause = f }

// CacheStats returns what the cache holds.
func (m *Manager) CacheStats() cache.Stats { return m.cache.Stats() }

// Limits of the load path, for tests.
const (
	MaxLoads    = maxLoads
	LoadTimeout = loadTimeout
)
