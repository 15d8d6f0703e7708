//go:build !linux || 386 || s390x || msan

package memcached

import (
	"errors"
	"io"
	"net"
)

// quickRun is 0: writes may wait.
const quickRun = 0

// newSocket returns nc as it is: system calls that the scheduler knows nothing of are
// for Linux, where its architecture has one for sockets. The memory sanitizer, too,
// would know nothing of what they read.
func newSocket(nc net.Conn) net.Conn { return nc }

// isSocket reports false: there are none.
func isSocket(any) bool { return false }

// bare returns nc.
func bare(nc net.Conn) net.Conn { return nc }

// writesNow reports false: package net waits.
func writesNow(io.Writer) bool { return false }

// writeNow is not called.
func writeNow(io.Writer, []byte) (n int, err error) { return 0, errors.ErrUnsupported }
