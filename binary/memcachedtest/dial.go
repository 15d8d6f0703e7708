package memcachedtest

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
)

// DialContext opens a connection to s in memory, whatever the address. It fits
// memcached.Options.DialContext, and is the only way to connect inside a
// testing/synctest bubble. Dialer does the same for several servers.
func (s *Server) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	client, server := memPipe("client", memAddr(s.addr))
	if err := s.serve(server); err != nil {
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: memAddr(s.addr), Err: err}
	}
	return client, nil
}

// Dialer returns a DialContext for several servers: it connects in memory to
// the one that has the address.
func Dialer(servers ...*Server) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		for _, s := range servers {
			if s.addr == address {
				return s.DialContext(ctx, network, address)
			}
		}
		return nil, fmt.Errorf("memcachedtest: dial %s: no such server", address)
	}
}

// inBubble reports whether the caller runs inside a testing/synctest bubble,
// where waiting on sockets would stop time. The package testing/synctest does
// not tell; the head of a stack trace does.
func inBubble() bool {
	var b [128]byte
	head, _, _ := strings.Cut(string(b[:runtime.Stack(b[:], false)]), "\n")
	return strings.Contains(head, "synctest")
}
