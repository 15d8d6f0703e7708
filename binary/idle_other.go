//go:build !unix

package memcached

import "syscall"

// peek can not look without reading here: a closed connection is noticed by
// the operation that uses it, which is then repeated if that is safe.
func peek(syscall.RawConn) (n int, err error) { return -1, nil }
