//go:build !386 && !s390x && !msan

package memcached

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// quickSize is up to how many bytes a system call reads or writes without the
// scheduler's knowledge.
const quickSize = 32 << 10

// quickRun is up to how many bytes writeNow writes, in such calls one after another.
const quickRun = 32 * quickSize

// socket is a TCP or Unix socket whose small reads and writes are system calls that
// Go's scheduler is not told of. They are told not to block, so that there is nothing
// to tell: who has to wait does so in the runtime's poller, as with package net.
//
// Package net announces each call. That starts the thread with which the runtime
// watches over system calls, whenever all goroutines had been waiting: a thread is
// woken for each operation of a few callers. While it watches, a call of more than
// 20 µs loses its processor to another thread if goroutines are ready to run. A write
// often takes as long, without waiting for anything: the kernel delivers on the way,
// and may run the server's thread first. The price is that these goroutines, and a
// stop of the world, wait for the call.
//
// Where seccomp forbids these system calls it goes on with those of package net.
//
// One goroutine reads at a time, and one writes.
type socket struct {
	net.Conn
	raw     syscall.RawConn
	in, out quickCall
}

// quickCall is the call that one side of a socket makes.
type quickCall struct {
	try   func(fd uintptr) (done bool) // made once: no call allocates
	once  func(fd uintptr) (done bool) // try that does not wait
	p     []byte
	n     int
	errno syscall.Errno

	forbidden bool // by seccomp; package net makes other calls
}

// newSocket returns nc with small reads and writes of its own, or as it is if they
// are not simply those of a socket.
func newSocket(nc net.Conn) net.Conn {
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nc
	}
	s := &socket{Conn: nc, raw: rawConn(nc)}
	if s.raw == nil {
		return nc
	}
	s.in.try = func(fd uintptr) bool { return s.in.call(syscall.SYS_RECVFROM, fd, syscall.MSG_DONTWAIT) }
	s.out.try = func(fd uintptr) bool {
		return s.out.call(syscall.SYS_SENDTO, fd, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
	}
	s.out.once = func(fd uintptr) bool {
		s.out.try(fd)
		return true
	}
	return s
}

// isSocket reports whether c is a socket of this package's.
func isSocket(c any) bool {
	_, is := c.(*socket)
	return is
}

// call makes a system call with a descriptor, the bytes and flags. It returns false if
// the call would wait.
func (q *quickCall) call(trap, fd, flags uintptr) (done bool) {
	for {
		raceStart(trap, q.p)
		n, _, errno := syscall.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(q.p))), uintptr(len(q.p)), flags, 0, 0)
		switch errno {
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		case 0:
			q.n = int(n)
			raceEnd(trap, fd, q.p[:q.n])
			return true
		default:
			q.errno = errno
			return true
		}
	}
}

// noteForbidden notes, and reports, whether the call may not be made at all.
func (q *quickCall) noteForbidden() bool {
	q.forbidden = q.errno == syscall.EPERM || q.errno == syscall.ENOSYS
	return q.forbidden
}

func (s *socket) Read(p []byte) (n int, err error) {
	q := &s.in
	if len(p) == 0 || len(p) > quickSize || q.forbidden {
		return s.Conn.Read(p)
	}
	q.p, q.n, q.errno = p, 0, 0
	err = s.raw.Read(q.try)
	q.p = nil
	if err == nil && q.noteForbidden() {
		return s.Conn.Read(p)
	}
	if err != nil || q.errno != 0 {
		return 0, s.fail("read", err, q.errno)
	}
	if q.n == 0 {
		return 0, io.EOF
	}
	return q.n, nil
}

func (s *socket) Write(p []byte) (n int, err error) {
	q := &s.out
	if len(p) == 0 || len(p) > quickSize || q.forbidden {
		return s.Conn.Write(p)
	}
	for n < len(p) {
		q.p, q.n, q.errno = p[n:], 0, 0
		err = s.raw.Write(q.try)
		q.p = nil
		if err == nil && q.noteForbidden() {
			more, err := s.Conn.Write(p[n:])
			return n + more, err
		}
		if err != nil || q.errno != 0 {
			return n, s.fail("write", err, q.errno)
		}
		if q.n == 0 {
			return n, s.fail("write", io.ErrUnexpectedEOF, 0)
		}
		n += q.n
	}
	return n, nil
}

// writesNow reports whether writeNow can write to stream. It is for the writer.
func writesNow(stream io.Writer) bool {
	s, is := stream.(*socket)
	return is && !s.out.forbidden
}

// writeNow writes what the kernel takes without waiting.
func writeNow(stream io.Writer, p []byte) (n int, err error) {
	s := stream.(*socket)
	q := &s.out
	for n < len(p) {
		q.p, q.n, q.errno = p[n:min(len(p), n+quickSize)], 0, 0
		err = s.raw.Write(q.once)
		q.p = nil
		switch {
		case err == nil && q.noteForbidden():
			return n, nil // Write goes on
		case err != nil || q.errno != 0:
			return n, s.fail("write", err, q.errno)
		case q.n == 0:
			return n, nil
		}
		n += q.n
	}
	return n, nil
}

// fail returns what package net would, when its poller returned err or, if that is
// nil, the call errno. There may be no address: a connection that net.FileConn made
// of one that had ended already has none.
func (s *socket) fail(op string, err error, errno syscall.Errno) error {
	if e, ok := err.(*net.OpError); ok {
		e.Op = op
		return e
	}
	if err == nil {
		err = os.NewSyscallError(op, errno)
	}
	network := "tcp"
	if _, unix := s.Conn.(*net.UnixConn); unix {
		network = "unix"
	}
	return &net.OpError{Op: op, Net: network, Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: err}
}

// bare returns what is below nc, if that is a socket of this package's.
func bare(nc net.Conn) net.Conn {
	if s, ok := nc.(*socket); ok {
		return s.Conn
	}
	return nc
}
