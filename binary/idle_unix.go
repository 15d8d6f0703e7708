//go:build unix

package memcached

import "syscall"

// peek looks, without waiting, whether a socket has something to read.
func peek(raw syscall.RawConn) (n int, err error) {
	var b [1]byte
	controlErr := raw.Control(func(fd uintptr) {
		n, _, err = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	if controlErr != nil {
		return 0, controlErr
	}
	if err == syscall.EAGAIN || err == syscall.EWOULDBLOCK || err == syscall.EINTR {
		return -1, nil
	}
	if err == syscall.EPERM || err == syscall.ENOSYS { // seccomp forbids the look
		return -1, nil
	}
	return n, err
}
