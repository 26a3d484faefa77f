package session

import "cloakroom/session/internal/cache"

// SetPause has f called between two steps of a check or a load. Set it before
// Run, or while nothing is under way.
func (m *Manager) SetPause(f func(step string)) { m.pause = f }

// CacheStats returns what the cache holds.
func (m *Manager) CacheStats() cache.Stats { return m.cache.Stats() }

// Holds reports whether the cache has a record of the token.
func (m *Manager) Holds(token string) bool {
	key, _ := hashToken(token)
	var hit cache.Hit
	return m.cache.Get((*cache.Key)(&key), 0, false, &hit) == cache.Live
}

// Limits of the load path, for tests.
const (
	MaxLoads    = maxLoads
	LoadTimeout = loadTimeout
)
