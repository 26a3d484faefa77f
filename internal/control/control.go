// Package control is the socket by which the command line speaks to the server
// that holds a database. It stands beside the database's file; only the user who
// runs the server, and root, can open it, and each end asks the kernel who the
// other is. It decides nothing: who serves is who holds the lock on the file.
package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

var (
	// ErrNobody means that no server listens at the socket.
	ErrNobody = errors.New("no server listens")
	// ErrStranger means that somebody else's process is at the other end.
	ErrStranger = errors.New("the other end is not the server's user")
)

// longest is what every system takes for the path of a socket.
const longest = 100

// Path is where the socket of a database's file is: beside it or, where that is
// too long for a socket, in a folder of the user's own.
func Path(database string) (string, error) {
	whole, err := filepath.Abs(database)
	if err != nil {
		return "", fmt.Errorf("control: %w", err)
	}
	if path := whole + ".sock"; len(path) <= longest {
		return path, nil
	}
	sum := sha256.Sum256([]byte(whole))
	return filepath.Join(os.TempDir(), fmt.Sprintf("cloakroom-%d", os.Geteuid()), hex.EncodeToString(sum[:8])+".sock"), nil
}

// Listen listens at the path, for this user and root. The caller holds the lock
// on the database, so that a socket that is there already is one that a server
// left behind; anything else there, a link as well, is an error.
func Listen(path string) (net.Listener, error) {
	if err := ownFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("control: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("control: %s has to be the socket of the command line, and is something else; move it away", path)
	default:
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("control: %s is a socket of somebody else's; move it away: %w", path, err)
		}
	}
	mask := syscall.Umask(0o177) // before there is a socket, so that it never is anybody else's
	l, err := net.Listen("unix", path)
	syscall.Umask(mask)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	return listener{l}, nil
}

// ownFolder makes the folder that Path chose in the place of a long one. Nobody
// else may be able to put a socket there.
func ownFolder(folder string) error {
	if filepath.Base(folder) != fmt.Sprintf("cloakroom-%d", os.Geteuid()) {
		return nil // the database's own
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("control: %w", err)
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(owner.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("control: %s has to be a folder of this user's own, and is not; move it away", folder)
	}
	return nil
}

// listener accepts this user and root only.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if uid, err := peer(c); err == nil && (uid == 0 || uid == os.Geteuid()) {
			return c, nil
		}
		_ = c.Close() // whoever it is learns nothing
	}
}

// Dial connects to the server of a database's file: ErrNobody if there is none,
// ErrStranger if what listens is neither this user's nor the file's owner's.
func Dial(ctx context.Context, database string) (net.Conn, error) {
	path, err := Path(database)
	if err != nil {
		return nil, err
	}
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTSOCK):
		return nil, ErrNobody
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("control: %s is another user's; run this as the user who runs the server, or as root", path)
	case err != nil:
		return nil, fmt.Errorf("control: %w", err)
	}
	uid, err := peer(c)
	if err != nil || uid != os.Geteuid() && uid != ownerOf(database) {
		_ = c.Close()
		return nil, fmt.Errorf("control: %s: %w", path, ErrStranger)
	}
	return c, nil
}

// ownerOf returns who owns the file, or nobody.
func ownerOf(database string) int {
	info, err := os.Stat(database)
	if err != nil {
		return -1
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1
	}
	return int(owner.Uid)
}
