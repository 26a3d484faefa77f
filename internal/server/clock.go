package server

import "time"

// clock is a wall clock that is never behind where it would be if nobody had set
// it. It is followed when it is set forward; when it is set back time goes on from
// where it was. Otherwise guesses that were counted would lie in the future, and
// keep people out, and a link that has expired would work again.
type clock struct {
	wall          func() time.Time
	begin, anchor time.Time // the one moment, by wall and by the machine
}

func newClock(wall func() time.Time) clock {
	return clock{wall: wall, begin: wall().Round(0), anchor: time.Now()}
}

func (c clock) now() time.Time {
	steady := c.begin.Add(time.Since(c.anchor))
	if is := c.wall(); is.After(steady) {
		return is
	}
	return steady
}
