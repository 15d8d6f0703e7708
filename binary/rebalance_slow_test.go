package memcached_test

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// distantConn is a connection on which what the server sends takes some time.
type distantConn struct {
	net.Conn
	arrived *io.PipeReader
}

func (c *distantConn) Read(b []byte) (int, error) { return c.arrived.Read(b) }

func (c *distantConn) SetReadDeadline(time.Time) error { return nil } // no server is silent here

func (c *distantConn) Close() error {
	_ = c.arrived.Close()
	return c.Conn.Close()
}

// distant returns nc at a distance.
func distant(nc net.Conn, distance time.Duration) net.Conn {
	type piece struct {
		bytes []byte
		at    time.Time
	}
	pieces := make(chan piece, 1<<16)
	arrived, arrive := io.Pipe()
	go func() {
		defer close(pieces)
		for {
			b := make([]byte, 32<<10)
			n, err := nc.Read(b)
			if err != nil {
				return
			}
			pieces <- piece{b[:n], time.Now().Add(distance)}
		}
	}()
	go func() {
		for p := range pieces {
			time.Sleep(time.Until(p.at))
			if _, err := arrive.Write(p.bytes); err != nil {
				return
			}
		}
	}()
	return &distantConn{nc, arrived}
}

// While another connection is being opened, one takes fewer operations; but not for
// so long that they run out of time although it could serve them.
func TestLargeOperations_DoNotWaitForAConnectionThatDoesNotCome(t *testing.T) {
	const callers = 300
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		var connected atomic.Bool
		client := newClient(t, memcached.Options{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if connected.Swap(true) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			nc, err := server.DialContext(ctx, network, address)
			return distant(nc, 20*time.Millisecond), err
		}}, server)
		for range 32 { // the client learns how large they are
			set(t, client, "k", string(make([]byte, 100<<10)))
		}
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				start := time.Now()
				if _, err := client.Get(t.Context(), "k"); err != nil {
					t.Errorf("Get = %v after %v, want a value", err, time.Since(start))
				}
			})
		}
		wg.Wait()
	})
}
