package server

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// lull is for how long nobody must come for all to have come.
const lull = 10 * time.Millisecond

// interruptible is a listener whose Accept can be told to wait no longer.
type interruptible interface {
	net.Listener
	SetDeadline(time.Time) error
}

// lastCall is a listener that, when it is told to finish, lets nobody in any more
// but still hands out those who are in: connections that are established and
// wait to be accepted, with a request in them perhaps. A listener that is merely
// closed cuts them off.
type lastCall struct {
	interruptible

	mu        sync.Mutex // guards finishing, and what the deadline is
	finishing bool
}

// finish has Accept hand out who is there and then close the listener.
func (l *lastCall) finish() {
	shut(l.interruptible)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finishing = true
	_ = l.SetDeadline(time.Unix(1, 0)) // wakes Accept
}

// Accept is of net.Listener. Once it has failed the listener is closed, if it was
// told to finish.
func (l *lastCall) Accept() (net.Conn, error) {
	for quiet := 0; ; {
		last := l.isFinishing()
		c, err := l.interruptible.Accept()
		switch {
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return c, err
		case last:
			quiet++
		}
		if quiet == 2 { // a busy machine may have had no time for the first
			return nil, errors.Join(net.ErrClosed, l.Close())
		}
	}
}

// isFinishing reports whether the listener was told to finish, and gives who is
// there time to be accepted.
func (l *lastCall) isFinishing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.finishing {
		_ = l.SetDeadline(time.Now().Add(lull))
	}
	return l.finishing
}
