package control

import "golang.org/x/sys/unix"

func userOf(fd int) (uid int, err error) {
	user, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(user.Uid), nil
}
