package memcachedtest

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// memBuffer is how many bytes wait in each direction of a connection before
// writes block, which is what sockets have on loopback.
const memBuffer = 256 << 10

// memConn is one end of a connection in memory. Unlike net.Pipe it buffers, as
// sockets do; unlike a socket it waits on nothing but condition variables, so
// that inside a testing/synctest bubble its waits are durable.
type memConn struct {
	in, out     *stream
	local, peer memAddr
}

// memAddr is the address of one end.
type memAddr string

func (memAddr) Network() string { return "memory" }

func (a memAddr) String() string { return string(a) }

// memPipe returns the two ends of a connection in memory.
func memPipe(client, server memAddr) (c, s *memConn) {
	up, down := newStream(), newStream()
	return &memConn{in: down, out: up, local: client, peer: server},
		&memConn{in: up, out: down, local: server, peer: client}
}

func (c *memConn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.wrap("read", err)
}

func (c *memConn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	return n, c.wrap("write", err)
}

// Close ends both directions. The other end reads what is still buffered and
// then io.EOF.
func (c *memConn) Close() error {
	c.in.closeRead()
	c.out.closeWrite()
	return nil
}

// CloseWrite ends the direction to the other end, which reads what is still
// buffered and then io.EOF.
func (c *memConn) CloseWrite() error {
	c.out.closeWrite()
	return nil
}

func (c *memConn) LocalAddr() net.Addr { return c.local }

func (c *memConn) RemoteAddr() net.Addr { return c.peer }

func (c *memConn) SetDeadline(t time.Time) error {
	c.in.reader.set(t)
	c.out.writer.set(t)
	return nil
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	c.in.reader.set(t)
	return nil
}

func (c *memConn) SetWriteDeadline(t time.Time) error {
	c.out.writer.set(t)
	return nil
}

func (c *memConn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "memory", Source: c.local, Addr: c.peer, Err: err}
}

// stream is one direction of a connection.
type stream struct {
	mu             sync.Mutex // guards what follows
	buf            []byte     // bytes on the way, from index start
	start          int
	reader, writer deadline
	readerClosed   bool // the reading end was closed
	writerClosed   bool // the writing end was closed
}

func newStream() *stream {
	st := new(stream)
	st.reader.init(&st.mu)
	st.writer.init(&st.mu)
	return st
}

func (st *stream) read(b []byte) (int, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for {
		switch {
		case st.readerClosed:
			return 0, net.ErrClosed
		case st.reader.expired:
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case st.start < len(st.buf):
			return st.take(b), nil
		case st.writerClosed:
			return 0, io.EOF
		}
		st.reader.cond.Wait()
	}
}

// take moves bytes into b. The caller holds the lock.
func (st *stream) take(b []byte) int {
	n := copy(b, st.buf[st.start:])
	st.start += n
	if st.start == len(st.buf) {
		st.buf, st.start = st.buf[:0], 0
	}
	st.writer.cond.Broadcast()
	return n
}

func (st *stream) write(b []byte) (n int, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for {
		switch {
		case st.writerClosed:
			return n, net.ErrClosed
		case st.writer.expired:
			return n, os.ErrDeadlineExceeded
		case st.readerClosed:
			return n, errReset
		case len(b) == 0:
			return n, nil
		}
		if k := min(len(b), memBuffer-(len(st.buf)-st.start)); k > 0 {
			st.put(b[:k])
			n, b = n+k, b[k:]
			continue
		}
		st.writer.cond.Wait()
	}
}

// put appends bytes. The caller holds the lock.
func (st *stream) put(b []byte) {
	if st.start > 0 && len(st.buf)+len(b) > cap(st.buf) {
		st.buf, st.start = st.buf[:copy(st.buf, st.buf[st.start:])], 0
	}
	st.buf = append(st.buf, b...)
	st.reader.cond.Broadcast()
}

func (st *stream) closeRead() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.readerClosed = true
	st.buf, st.start = nil, 0
	st.wake()
}

func (st *stream) closeWrite() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.writerClosed = true
	st.wake()
}

// wake lets everybody look again.
func (st *stream) wake() {
	st.reader.cond.Broadcast()
	st.writer.cond.Broadcast()
}
