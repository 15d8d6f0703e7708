package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
)

// A test of the suite sends a Transfer-Encoding that nobody knows, to see that it
// is not stored. Go's HTTP client refuses such a response, so that it would not
// get as far as the cache. The reverse proxy therefore has the field renamed on
// its way through the client.
const (
	codingField = "Transfer-Encoding"
	renamed     = "X-Unknown-Transfer-Encoding"
)

// dialLoose connects to the origin.
func dialLoose(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &looseConn{Conn: conn}, nil
}

// restoreCoding undoes the renaming.
func restoreCoding(r *http.Response) error {
	if lines, ok := r.Header[renamed]; ok {
		delete(r.Header, renamed)
		r.Header[codingField] = lines
	}
	return nil
}

// looseConn is a connection for one response.
type looseConn struct {
	net.Conn
	pending []byte // read and not delivered
	passing bool   // the header is through
}

// longestHead bounds the header of a response.
const longestHead = 1 << 20

func (c *looseConn) Read(p []byte) (int, error) {
	for !c.passing {
		if err := c.readHead(); err != nil {
			return 0, err
		}
	}
	if len(c.pending) > 0 {
		n := copy(p, c.pending)
		c.pending = c.pending[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// readHead reads and renames the headers of the response and of interim ones
// before it.
func (c *looseConn) readHead() error {
	done := 0
	buffer := make([]byte, 4<<10)
	for {
		if i := bytes.Index(c.pending[done:], []byte("\r\n\r\n")); i >= 0 {
			head := renameCoding(c.pending[done : done+i+2])
			rest := c.pending[done+i+2:]
			interim := bytes.HasPrefix(c.pending[done:], []byte("HTTP/1.1 1"))
			c.pending = append(append(c.pending[:done:done], head...), rest...)
			if done += len(head) + 2; !interim {
				c.passing = true
				return nil
			}
			continue
		}
		n, err := c.Conn.Read(buffer)
		c.pending = append(c.pending, buffer[:n]...)
		if err == io.EOF && len(c.pending) > 0 || len(c.pending) > longestHead {
			c.passing = true // not HTTP: for the client to see
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// renameCoding returns the lines of a header with a Transfer-Encoding other than
// chunked under its other name.
func renameCoding(head []byte) []byte {
	lines := strings.Split(string(head), "\r\n")
	for i, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, codingField) && !strings.EqualFold(strings.TrimSpace(value), "chunked") {
			lines[i] = renamed + ":" + value
		}
	}
	return []byte(strings.Join(lines, "\r\n"))
}
