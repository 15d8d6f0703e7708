//go:build !linux || 386 || s390x || msan

package memcached

import "net"

// newSocket returns nc as it is: system calls that the scheduler knows nothing of are
// for Linux, where its architecture has one for sockets. The memory sanitizer, too, would know nothing
// of what they read.
func newSocket(nc net.Conn) net.Conn { return nc }

// isSocket reports false: there are none.
func isSocket(any) bool { return false }

// bare returns nc.
func bare(nc net.Conn) net.Conn { return nc }
