package notify

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is the clock by which systemd orders what it is told.
func monotonic() (time.Duration, bool) {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &at); err != nil {
		return 0, false
	}
	return time.Duration(at.Nano()), true
}
