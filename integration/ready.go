package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// waitReady returns when memcached answers a VERSION request, and fails the
// test when it does not within limit.
func (s *Server) waitReady(limit time.Duration) {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(s.tb.Context(), limit)
	defer cancel()
	for {
		err := s.probe(ctx)
		if err == nil {
			return
		}
		if !pause(ctx) {
			s.tb.Fatalf("memcached at %s did not answer within %v: %v", s.addr, limit, err)
		}
	}
}

// probe asks memcached for its version on a connection of its own. VERSION is
// the one request that is allowed before authentication.
func (s *Server) probe(ctx context.Context) error {
	conn, err := s.Dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	request, want := "\x80\x0b"+strings.Repeat("\x00", 22), "\x81\x0b"
	switch s.text {
	case TextOnly, TextProxy:
		request, want = "version\r\n", "VERSION "
	case TextPassword:
		request, want = "version\r\n", "CLIENT_ERROR unauthenticated"
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	answer := make([]byte, len(want))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if string(answer) != want {
		return fmt.Errorf("answered % x", answer)
	}
	return nil
}

// Dial opens a bare connection to memcached, through TLS where the server wants
// it. The caller closes it.
func (s *Server) Dial(ctx context.Context) (net.Conn, error) {
	network := "tcp"
	if strings.HasPrefix(s.addr, "/") {
		network = "unix"
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if s.tls == nil {
		return dialer.DialContext(ctx, network, s.addr)
	}
	if network == "unix" {
		return nil, errors.New("memcached serves no TLS on a Unix socket")
	}
	return (&tls.Dialer{NetDialer: dialer, Config: s.tls}).DialContext(ctx, network, s.addr)
}

// pause waits a moment between two looks at the same thing, and reports whether
// ctx still runs.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(20 * time.Millisecond):
		return true
	}
}
