package session

import (
	"context"
	"time"
)

// tellEvery is how often it is said that an outage lasts: a full disk is not to be
// filled further by that.
const tellEvery = 10 * time.Second

// outage is what was said of a store that does not answer. It is the feed's own.
type outage struct {
	on          bool
	since, told time.Duration
}

// tickFailed is told of each tick that failed.
func (m *Manager) tickFailed(err error) {
	now, o := m.mono(), &m.outage
	if o.on && now-o.told < tellEvery {
		return
	}
	if !o.on {
		o.on, o.since = true, now
	}
	o.told = now
	m.cfg.Logger.Warn("session: the log could not be read", "error", err)
}

// tickAnswered is told of each that was answered, in time or not.
func (m *Manager) tickAnswered(ctx context.Context) {
	if o := &m.outage; o.on && ctx.Err() == nil {
		o.on = false
		m.cfg.Logger.Info("session: the log can be read again", "after", (m.mono() - o.since).Round(time.Second))
	}
}
