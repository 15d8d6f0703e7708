package memcachedtest

import (
	"bufio"
	"errors"
	"io"
	"net"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

const (
	readBufferSize = 32 << 10
	// flushAbove is how many bytes of answers are collected at most before
	// they are written.
	flushAbove = 64 << 10
)

// errHangUp ends a connection after what was answered has been written.
var errHangUp = errors.New("memcachedtest: connection ends")

// request is a request as read so far: its value is still in the connection.
type request struct {
	wire.Header
	extras, key []byte // valid until the next request
}

// conn is one connection and belongs to the goroutine that serves it.
type conn struct {
	server *Server
	id     uint64
	raw    net.Conn
	nc     net.Conn      // raw, or TLS over it
	done   chan struct{} // closed when the server drops the connection
	r      *bufio.Reader
	out    []byte // answers that are not written yet
	held   int    // bytes of them that leave even when the connection breaks; see unknown
	req    request
	head   [wire.HeaderLen + 255 + wire.MaxKeyLen]byte // behind req
	sasl   saslState
}

func newConn(s *Server, id uint64, nc net.Conn) *conn {
	c := &conn{server: s, id: id, raw: nc, nc: nc, done: make(chan struct{})}
	c.r = bufio.NewReaderSize(flushingReader{c}, readBufferSize)
	return c
}

// drop ends the connection from outside.
func (c *conn) drop() {
	close(c.done)
	c.raw.Close() // at once, without the farewell of TLS
}

// flushingReader writes what was answered before it waits for more requests,
// so that the answers of pipelined requests leave together.
type flushingReader struct{ c *conn }

func (r flushingReader) Read(p []byte) (int, error) {
	if err := r.c.flush(); err != nil {
		return 0, err
	}
	n, err := r.c.nc.Read(p)
	r.c.server.bytesRead.Add(uint64(n))
	return n, err
}

func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	n, err := c.nc.Write(c.out)
	c.server.bytesWritten.Add(uint64(n))
	c.out, c.held = c.out[:0], 0
	if cap(c.out) > 4*flushAbove {
		c.out = nil
	}
	return err
}

// serve answers requests until the connection ends.
func (c *conn) serve() {
	defer c.nc.Close()
	for {
		req, err := c.next()
		if err == nil {
			err = c.process(req)
		}
		if err == nil && len(c.out) > flushAbove {
			err = c.flush()
		}
		if err != nil {
			c.flush() // what was answered before; the connection ends either way
			return
		}
	}
}

// next reads a request up to and without its value.
func (c *conn) next() (*request, error) {
	b := c.head[:wire.HeaderLen]
	if _, err := io.ReadFull(c.r, b); err != nil {
		return nil, err
	}
	req := &c.req
	req.Decode(b)
	if req.Magic != wire.MagicRequest {
		c.out = c.out[:min(c.held, len(c.out))]
		return nil, errHangUp // the text protocol, or garbage
	}
	keep := int(req.ExtrasLen) + min(int(req.KeyLen), wire.MaxKeyLen)
	b = c.head[wire.HeaderLen:][:keep]
	if _, err := io.ReadFull(c.r, b); err != nil {
		return nil, err
	}
	req.extras, req.key = b[:req.ExtrasLen:req.ExtrasLen], b[req.ExtrasLen:]
	return req, c.discard(int(req.KeyLen) - len(req.key))
}

// discard reads n bytes and drops them.
func (c *conn) discard(n int) error {
	if n <= 0 {
		return nil
	}
	_, err := io.CopyN(io.Discard, c.r, int64(n))
	return err
}

// value reads the n bytes of a value into memory of their own.
func (c *conn) value(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(c.r, b)
	return b, err
}

// answer appends a response to req.
func (c *conn) answer(req *request, status wire.Status, cas uint64, extras, key, value []byte) {
	c.out = wire.AppendResponse(c.out, wire.Header{
		Opcode: req.Opcode,
		Status: status,
		Opaque: req.Opaque,
		CAS:    cas,
	}, extras, key, value)
	c.held = len(c.out)
}

// succeed answers without a body, unless the request is quiet.
func (c *conn) succeed(req *request, cas uint64) {
	if !req.Opcode.IsQuiet() {
		c.answer(req, wire.StatusOK, cas, nil, nil, nil)
	}
}

// fail answers with memcached's text for status (proto_bin.c,
// write_bin_error). Quiet requests fail as loudly as others.
func (c *conn) fail(req *request, status wire.Status) {
	c.answer(req, status, 0, nil, nil, []byte(statusText(status)))
}

func statusText(status wire.Status) string {
	switch status {
	case wire.StatusOutOfMemory:
		return "Out of memory"
	case wire.StatusUnknownCommand:
		return "Unknown command"
	case wire.StatusKeyNotFound:
		return "Not found"
	case wire.StatusInvalid:
		return "Invalid arguments"
	case wire.StatusKeyExists:
		return "Data exists for key."
	case wire.StatusTooLarge:
		return "Too large."
	case wire.StatusNotNumber:
		return "Non-numeric server-side value for incr or decr"
	case wire.StatusNotStored:
		return "Not stored."
	case wire.StatusAuthError:
		return "Auth failure."
	default:
		return status.String()
	}
}
