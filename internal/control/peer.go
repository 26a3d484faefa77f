//go:build linux || darwin

package control

import "net"

// peer is the user at the other end, as the kernel knows it.
func peer(c net.Conn) (uid int, err error) {
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { uid, failed = userOf(int(fd)) }); err != nil {
		return 0, err
	}
	return uid, failed
}
