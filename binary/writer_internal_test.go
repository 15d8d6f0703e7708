package memcached

import (
	"errors"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

func TestLastRequest_IsWhereTheLastFrameBegins(t *testing.T) {
	get := wire.AppendKey(nil, wire.OpGet, 1, "key")
	noop := wire.AppendSimple(nil, wire.OpNoop, 2)
	set := append(wire.AppendStore(nil, wire.OpSet, 3, "key", 5, 0, 0, 0), "value"...)
	for _, test := range []struct {
		name     string
		requests [][]byte
		want     int
	}{
		{"one", [][]byte{get}, 0},
		{"one without a body", [][]byte{noop}, 0},
		{"two", [][]byte{get, noop}, len(get)},
		{"three", [][]byte{get, noop, set}, len(get) + len(noop)},
		{"a value before the last", [][]byte{set, get}, len(set)},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out []byte
			for _, request := range test.requests {
				out = append(out, request...)
			}
			if got := lastRequest(out); got != test.want {
				t.Errorf("lastRequest of %d bytes = %d, want %d", len(out), got, test.want)
			}
		})
	}
}

// someSocket is a connection below which there is a socket, as with TLS or on systems
// where all calls are those of package net.
func someSocket() *conn { return &conn{raw: struct{ syscall.RawConn }{}} }

func TestFitsInline_OnlyWhatASocketCertainlyTakes(t *testing.T) {
	for _, test := range []struct {
		name             string
		c                *conn
		queued, answered uint64
		want             bool
	}{
		{"little", someSocket(), inlineLimit, 0, true},
		{"more", someSocket(), inlineLimit + 1, 0, false},
		{"more, but it is answered", someSocket(), 100 * inlineLimit, 99 * inlineLimit, true},
		{"little, without a socket", &conn{}, 100, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.c.out.queued, test.c.out.unsent = test.queued, int(test.queued-test.answered)
			test.c.answered.Store(test.answered)
			if got := test.c.fitsInline(); got != test.want {
				t.Errorf("fitsInline() = %v with %d bytes unanswered, want %v", got, test.queued-test.answered, test.want)
			}
		})
	}
}

// busyConn is a connection whose requests are answered at once, and for which others
// have appended more by then, until stop is set. Long after a caller has to leave the
// writing to a goroutine a write waits for that.
type busyConn struct {
	net.Conn
	c     *conn
	wrote int
	stop  atomic.Bool
	left  chan struct{} // closed when the caller has left
}

func (b *busyConn) Write(p []byte) (int, error) {
	if b.wrote += len(p); b.wrote > 2*inlineRun {
		<-b.left
	}
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	b.c.answered.Store(b.c.out.queued)
	if !b.stop.Load() {
		b.append()
	}
	return len(p), nil
}

// append is called under mu.
func (b *busyConn) append() {
	const n = inlineLimit / 2
	b.c.out.buf = append(b.c.out.buf, make([]byte, n)...)
	b.c.out.unsent += n
	b.c.out.queued += n
}

func TestFlushInline_LeavesThoughOthersKeepAppending(t *testing.T) {
	n, _ := growingNode(t)
	near, far := net.Pipe()
	defer far.Close()
	b := &busyConn{Conn: near, left: make(chan struct{})}
	b.c = newConn(n, b, false)
	b.c.raw = someSocket().raw
	b.c.writing = true
	b.append()
	go func() {
		b.c.flushInline()
		close(b.left)
	}()
	select {
	case <-b.left:
	case <-time.After(10 * time.Second):
		t.Errorf("a caller still writes after %d bytes for others, want until %d", 2*inlineRun, inlineRun)
	}
	b.stop.Store(true)
}

// A connection that is given up gets no more requests, though whoever comes with one
// learns of that only later.
func TestFlush_SendsNothingMoreOnAConnectionThatIsGivenUp(t *testing.T) {
	n, conns := growingNode(t, true)
	c := conns[0]
	wait := func(until func() bool) {
		t.Helper()
		for is := false; !is; runtime.Gosched() {
			c.mu.Lock()
			is = until()
			c.mu.Unlock()
		}
	}
	n.mu.Lock() // the connection cannot be taken out of use before that is released
	ended := make(chan error, 1)
	go c.fail(errTimeout)
	wait(func() bool { return c.cause != nil })
	go func() {
		cl := n.client.newCall(wire.OpSet, "key")
		cl.deadline = noDeadline
		_, err := c.roundTrip(t.Context(), cl, false)
		ended <- err
	}()
	wait(func() bool { return c.out.enqueued == 1 && (!c.writing || c.out.unsent == 0) })
	n.mu.Unlock()
	var f *fault
	if err := <-ended; !errors.As(err, &f) || !f.unsent {
		t.Errorf("a Set on a connection that is given up = %v, want one that was not sent", err)
	}
}
