package sqlite

import (
	"sync/atomic"
	"time"
)

// clock never goes back: a caller's wall clock that does is not followed. Its
// highest time is stored with each write, so a restart does not forget it.
type clock struct {
	highest atomic.Int64 // Unix nanoseconds
}

// judge returns the time to judge by: now, or the highest time that was judged
// by or stored before if that is later.
func (c *clock) judge(now time.Time) time.Time {
	n := now.UnixNano()
	for {
		highest := c.highest.Load()
		if n <= highest {
			return time.Unix(0, highest).UTC()
		}
		if c.highest.CompareAndSwap(highest, n) {
			return time.Unix(0, n).UTC()
		}
	}
}

// latest returns the highest time yet, in whole seconds. Limits are whole
// seconds, too, so that what has passed stays passed.
func (c *clock) latest() int64 { return time.Unix(0, c.highest.Load()).Unix() }
