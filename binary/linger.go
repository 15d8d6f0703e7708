package memcached

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// A connection that the client gives up lingers when writes on it may still be
// carried out: they lie in a queue of the server or of the network, and a later
// write on another connection could overtake them. No more is sent on it, and the
// server says by closing it that it has read everything. Until then, or until
// it has been silent for Options.Timeout, 10 s at most, later writes of those keys wait.

// mayLinger reports whether the server may still read from a connection that ends for
// this cause: whatever the client has against it, unless the server, or Close, has
// ended it. used says that there are requests on it: on one of a server that retires,
// only those whose callers have left.
func mayLinger(cause error, used bool) bool {
	return used && !errors.Is(cause, io.EOF) && !isReset(cause) && !errors.Is(cause, ErrClosed)
}

// linger ends the requests on the connection, which ends for cause, and makes writes of
// keys wait until what was sent is settled. Where a connection of Options.DialContext
// cannot end the requests alone, the server will not close it: they wait as for one that
// stays silent.
func (c *conn) linger(cause error, keys []string) {
	closeWrite, answers := func() error { return nil }, false
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		closeWrite, answers = half.CloseWrite, !errors.Is(cause, wire.ErrFrame)
	}
	client := c.node.client
	client.mu.Lock()
	if len(keys) == 0 || client.closed {
		client.mu.Unlock()
		c.cut()
		return
	}
	defer client.mu.Unlock()
	f := c.node.unsettled.add(keys)
	client.goroutines.Go(func() { // under mu, so that Close waits for it
		defer c.node.unsettled.settle(f)
		c.awaitEnd(closeWrite, answers)
	})
}

// awaitEnd ends the requests and reads until the server ends the responses. If answers
// is set, what it reads says that the server is not silent, and its time begins anew.
func (c *conn) awaitEnd(closeWrite func() error, answers bool) {
	client := c.node.client
	silence := min(client.silence(), defaultSilence)
	limit := time.NewTimer(silence)
	ended := make(chan struct{})
	client.goroutines.Go(func() {
		defer limit.Stop()
		select {
		case <-ended:
		case <-limit.C:
		case <-client.done:
		}
		c.cut()
	})
	_ = c.nc.SetWriteDeadline(longAgo) // who writes at the moment must not hinder
	err := closeWrite()
	if err == nil {
		err = os.ErrDeadlineExceeded
	}
	rest := make([]byte, minInbox)
	for err == nil || errors.Is(err, os.ErrDeadlineExceeded) { // one who left may interrupt late: see interruptRead
		if err != nil {
			_ = c.nc.SetReadDeadline(time.Time{})
		}
		var n int
		if n, err = c.nc.Read(rest); n > 0 && answers {
			limit.Reset(silence)
		}
	}
	close(ended)
}

// cut closes the connection so that nothing more of what was written is sent. What is
// below TLS comes first: TLS takes leave of the server, and of one that reads nothing
// that takes seconds.
func (c *conn) cut() {
	socket := below(c.nc)
	if tcp, ok := socket.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = socket.Close()
	_ = c.nc.Close()
}
