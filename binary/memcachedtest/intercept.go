package memcachedtest

import (
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// Action says what happens to a request. The zero Action carries it out and
// answers it as usual. Fields can be combined; they apply in the order in which
// they are declared.
type Action struct {
	// Delay holds the request back, and all that follow it on the connection.
	Delay time.Duration

	// Until holds it back until the channel is closed. nil: does not.
	Until <-chan struct{}

	// Status answers with that status, such as memcached.StatusOutOfMemory,
	// and does not carry the request out. 0: none.
	Status memcached.Status

	// Skip neither carries the request out nor answers it.
	Skip bool

	// Mute carries the request out and does not answer it.
	Mute bool

	// Edit returns what is to be sent instead of the answer's bytes, which it
	// may change. An answer can be several frames, or none. To leave half of a
	// frame, cut it and set Close. nil: the answer as it is.
	Edit func(answer []byte) []byte

	// Close ends the connection after that.
	Close bool
}

// Intercept makes f decide what happens to each request, in place of any
// function before it; nil ends that. f is called for requests as they arrive,
// before their value is read and before authentication is looked at. It may be
// called from several goroutines at once, for several connections.
//
// Requests that set up a connection pass through f too: an f that fails all of
// them lets no client connect. Look at Request.Op to fail single operations.
func (s *Server) Intercept(f func(Request) Action) {
	if f == nil {
		s.intercept.Store(nil)
		return
	}
	s.intercept.Store(&f)
}

// process records a request, asks what to do with it, and does it.
func (c *conn) process(req *request) error {
	c.server.requests.add(c.id, req)
	f := c.server.intercept.Load()
	if f == nil {
		return c.handle(req)
	}
	return c.act((*f)(newRequest(c.id, &req.Header, req.key)), req)
}

func (c *conn) act(a Action, req *request) error {
	if err := c.wait(a); err != nil {
		return err
	}
	// Answers before this one leave first, so that this one stands alone.
	if err := c.flush(); err != nil {
		return err
	}
	var err error
	switch {
	case a.Status != 0:
		c.fail(req, wire.Status(a.Status))
		err = c.discard(req.ValueLen())
	case a.Skip:
		err = c.discard(req.ValueLen())
	default:
		err = c.handle(req)
	}
	if a.Mute {
		c.out = c.out[:0]
	}
	if a.Edit != nil {
		c.out = a.Edit(c.out)
	}
	if err == nil && a.Close {
		err = errHangUp
	}
	return err
}

// wait does what Delay and Until say, or ends with the connection.
func (c *conn) wait(a Action) error {
	if a.Delay > 0 {
		if err := c.flush(); err != nil {
			return err
		}
		timer := time.NewTimer(a.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.done:
			return errHangUp
		}
	}
	if a.Until != nil {
		if err := c.flush(); err != nil {
			return err
		}
		select {
		case <-a.Until:
		case <-c.done:
			return errHangUp
		}
	}
	return nil
}
