package server

import (
	"net"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// shut lets nobody connect any more. Of a TCP socket the kernel drops, from here
// on, what would begin a connection; one that has begun is finished. Of one in the
// file system the name goes.
func shut(l net.Listener) {
	switch l := l.(type) {
	case *net.TCPListener:
		filter := noBeginnings()
		if raw, err := l.SyscallConn(); err == nil && filter != nil {
			_ = raw.Control(func(fd uintptr) {
				_ = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
					&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
			})
		}
	case *net.UnixListener:
		_ = os.Remove(l.Addr().String())
		l.SetUnlinkOnClose(false)
	}
}

const (
	flagsAt  = 13   // where the flags of a TCP segment are
	synAck   = 0x12 // SYN and ACK
	syn      = 0x02
	wholeOne = 0xffff
)

// noBeginnings drops a segment that has SYN and not ACK.
func noBeginnings() []unix.SockFilter {
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: flagsAt, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: synAck},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: syn, SkipFalse: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: wholeOne},
	})
	if err != nil {
		return nil // it is always the same, and tests hold that it is one
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return filter
}
