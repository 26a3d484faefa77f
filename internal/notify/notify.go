// Package notify speaks with the service manager that started the program, if
// that is systemd: it says how the server is, and takes over the sockets that
// were opened before it was started.
package notify

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// Manager is the service manager. The zero Manager is none: it is told nothing.
type Manager struct {
	listens  bool
	watchdog time.Duration
}

// FromEnvironment returns the service manager that started the program.
func FromEnvironment() (Manager, error) {
	m := Manager{listens: os.Getenv("NOTIFY_SOCKET") != ""}
	if !m.listens {
		return m, nil
	}
	var err error
	if m.watchdog, err = daemon.SdWatchdogEnabled(false); err != nil {
		return Manager{}, fmt.Errorf("notify: %w", err)
	}
	return m, nil
}

// Watchdog is how often at least Alive has to be said, or 0 if nobody waits for
// it.
func (m Manager) Watchdog() time.Duration { return m.watchdog }

// Ready says that requests are answered, or that a reload is over.
func (m Manager) Ready() error { return m.say(daemon.SdNotifyReady) }

// Reloading says that the configuration is being read anew; Ready has to follow.
func (m Manager) Reloading() error {
	state := daemon.SdNotifyReloading
	if at, ok := monotonic(); ok { // which tells this reload from an earlier one
		state += fmt.Sprintf("\nMONOTONIC_USEC=%d", at/time.Microsecond)
	}
	return m.say(state)
}

// Stopping says that the server is about to end.
func (m Manager) Stopping() error { return m.say(daemon.SdNotifyStopping) }

// Alive says that the server need not be started anew.
func (m Manager) Alive() error { return m.say(daemon.SdNotifyWatchdog) }

func (m Manager) say(state string) error {
	if !m.listens {
		return nil
	}
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

// Sockets returns the listeners that were opened before the program was started,
// by the names that their units give them. It can be called once.
func Sockets() (map[string]net.Listener, error) {
	sockets := map[string]net.Listener{}
	for _, f := range activation.Files(true) {
		l, err := net.FileListener(f)
		_ = f.Close() // it was duplicated
		if err != nil {
			return nil, fmt.Errorf("notify: the socket %s cannot be listened on; its unit must say ListenStream=: %w", f.Name(), err)
		}
		if _, twice := sockets[f.Name()]; twice {
			return nil, fmt.Errorf("notify: there are two sockets named %s; only one can be listened on", f.Name())
		}
		sockets[f.Name()] = l
	}
	return sockets, nil
}
