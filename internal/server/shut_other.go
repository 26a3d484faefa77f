//go:build !linux

package server

import (
	"net"
	"os"
)

// shut lets nobody connect any more, if the socket is one in the file system.
func shut(l net.Listener) {
	if l, ok := l.(*net.UnixListener); ok {
		_ = os.Remove(l.Addr().String())
		l.SetUnlinkOnClose(false)
	}
}
