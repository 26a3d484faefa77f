package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"cloakroom/internal/config"
)

// Names of the sockets that may have been opened before the program was started.
const (
	publicSocket = "public"
	opsSocket    = "ops"
)

// takeSockets puts the addresses of the sockets that were handed over in the
// place of those that are configured, so that all rules hold for them, too.
func takeSockets(cfg *config.Config, sockets map[string]net.Listener) error {
	for name, l := range sockets {
		address := l.Addr().String()
		if l.Addr().Network() == "unix" {
			address = "unix:" + address
		}
		switch name {
		case publicSocket:
			cfg.Listen = address
		case opsSocket:
			cfg.OpsListen = address
		default:
			return fmt.Errorf("a socket named %q was handed over; say FileDescriptorName=public or FileDescriptorName=ops in its unit", name)
		}
	}
	return nil
}

// listen opens a listener unless one was handed over; its errors name the key and
// what to do.
func listen(key string, a config.Address, handedOver net.Listener) (net.Listener, error) {
	switch {
	case handedOver != nil:
		return handedOver, nil
	case a.Network == "unix":
		return listenSocket(key, a)
	}
	plain := net.ListenConfig{}
	plain.SetMultipathTCP(false) // of such a socket shut could not say whom it lets in
	l, err := plain.Listen(context.Background(), "tcp", a.Text)
	if err != nil {
		return nil, explainListen(key, a, err)
	}
	return &lastCall{interruptible: l.(*net.TCPListener)}, nil
}

// listenSocket also takes the place of a socket that its owner left behind.
func listenSocket(key string, a config.Address) (net.Listener, error) {
	l, err := net.Listen("unix", a.Text)
	if errors.Is(err, syscall.EADDRINUSE) && abandoned(a.Text) {
		if err = os.Remove(a.Text); err == nil {
			l, err = net.Listen("unix", a.Text)
		}
	}
	if err != nil {
		return nil, explainListen(key, a, err)
	}
	if err := os.Chmod(a.Text, 0o660); err != nil {
		_ = l.Close()
		return nil, explainListen(key, a, err)
	}
	return &lastCall{interruptible: l.(*net.UnixListener)}, nil
}

// abandoned reports whether the path is a socket that nobody listens on.
func abandoned(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return false
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

func explainListen(key string, a config.Address, err error) error {
	cause := fmt.Sprintf("cannot be listened on (%v); choose another with --%s", err, key)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		cause = fmt.Sprintf("is in use by another program; stop it, or choose another with --%s", key)
	case errors.Is(err, syscall.EACCES):
		cause = fmt.Sprintf("may not be listened on by this user; choose another with --%s, such as a port above 1023", key)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		cause = fmt.Sprintf("is no address of this machine; choose another with --%s", key)
	}
	return fmt.Errorf("%s: %s %s", key, a, cause)
}
