package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// safeToRetry returns what the OpError in err says.
func safeToRetry(t *testing.T, err error) bool {
	t.Helper()
	var op *memcached.OpError
	if !errors.As(err, &op) {
		t.Fatalf("error = %v, want an OpError", err)
	}
	return op.SafeToRetry()
}

func TestCancel_AnOperationThatWillStillBeSentIsNotSafeToRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1, Timeout: time.Hour}, server)
		set(t, client, "n", "0")
		release := make(chan struct{})
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Key == "block" {
				return memcachedtest.Action{Until: release}
			}
			return memcachedtest.Action{}
		})
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = client.Get(t.Context(), "block") })
		synctest.Wait()
		// The server reads nothing now; this fills what is between.
		wg.Go(func() { _ = client.Set(t.Context(), &memcached.Item{Key: "big", Value: make([]byte, 1<<20-100)}) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := client.Increment(ctx, "n", 1) // waits behind it
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Increment = %v, want %v", err, context.DeadlineExceeded)
		}
		safe := safeToRetry(t, err)
		close(release)
		wg.Wait()
		wantValue(t, client, "big", string(make([]byte, 1<<20-100)))
		item, _ := server.Item("n")
		if string(item.Value) != "0" && safe {
			t.Errorf("after a cancelled Increment the counter is %q, and the error said that it is safe to retry", item.Value)
		}
	})
}

// TestRejectedRequest_WhatIsBehindItMayBeCarriedOut: memcached closes the
// connection after a malformed request, and does not carry out what follows it;
// yrmcds goes on. When the connection ends behind one, the writes on it are not
// repeated and not called safe to retry; reads are repeated.
func TestRejectedRequest_WhatIsBehindItMayBeCarriedOut(t *testing.T) {
	for _, status := range []memcached.Status{memcached.StatusInvalid, memcached.StatusAuthError} {
		t.Run(status.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{MaxConns: 1}, server)
				set(t, client, "n", "0")
				answers := 0
				server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
					switch {
					case r.Key == "bad":
						a.Delay, a.Status = 100*time.Millisecond, status
					case r.Op == memcachedtest.OpIncrement: // carried out, and the answer is lost
						if answers++; answers == 1 {
							a.Close, a.Edit = true, func([]byte) []byte { return nil }
						}
					}
					return a
				})
				var wg sync.WaitGroup
				wg.Go(func() {
					_, err := client.Get(t.Context(), "bad")
					var refused *memcached.StatusError
					if !errors.As(err, &refused) || refused.Status != status {
						t.Errorf("Get(bad) = %v, want status %v", err, status)
					}
				})
				synctest.Wait()
				wg.Go(func() {
					if _, err := client.Increment(t.Context(), "n", 1); err == nil || safeToRetry(t, err) {
						t.Errorf("Increment behind a rejected request = %v, want an error, not safe to retry", err)
					}
				})
				synctest.Wait()
				wg.Go(func() { wantValue(t, client, "n", "1") })
				wg.Wait()
				if n := client.Stats().Retries; n != 1 {
					t.Errorf("%d retries, want 1, of the read", n)
				}
			})
		})
	}
}

func TestDeadServer_OperationsAreSafeToRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		network := newFlaky(server)
		network.set(server, true)
		client := newClient(t, memcached.Options{DialContext: network.DialContext}, server)
		for range 2 { // the attempt, and what fails fast after it
			_, err := client.Increment(t.Context(), "n", 1)
			if !errors.Is(err, memcached.ErrUnavailable) || !safeToRetry(t, err) {
				t.Errorf("Increment = %v, want ErrUnavailable that is safe to retry", err)
			}
		}
	})
}

func TestLostConnection_RepeatsOnlyReads(t *testing.T) {
	ctx := context.Background()
	item := func() *memcached.Item { return &memcached.Item{Key: "k", Value: []byte("v"), CAS: 99} }
	tests := []struct {
		op     string
		do     func(c *memcached.Client) error
		repeat bool
	}{
		{"GET", func(c *memcached.Client) error { _, err := c.Get(ctx, "k"); return err }, true},
		{"GAT", func(c *memcached.Client) error { _, err := c.GetAndTouch(ctx, "k", 0); return err }, false},
		{"TOUCH", func(c *memcached.Client) error { return c.Touch(ctx, "k", 0) }, false},
		{"SET", func(c *memcached.Client) error { return c.Set(ctx, item()) }, false},
		{"DELETE", func(c *memcached.Client) error { return c.Delete(ctx, "k") }, false},
		{"VERSION", func(c *memcached.Client) error { _, err := c.Versions(ctx); return err }, true},
		{"STAT", func(c *memcached.Client) error { _, err := c.ServerStats(ctx, ""); return err }, true},
		{"ADD", func(c *memcached.Client) error { return c.Add(ctx, item()) }, false},
		{"REPLACE", func(c *memcached.Client) error { return c.Replace(ctx, item()) }, false},
		{"SET", func(c *memcached.Client) error { return c.CompareAndSwap(ctx, item()) }, false},
		{"DELETE", func(c *memcached.Client) error { return c.CompareAndDelete(ctx, "k", 99) }, false},
		{"APPEND", func(c *memcached.Client) error { return c.Append(ctx, "k", []byte("x")) }, false},
		{"PREPEND", func(c *memcached.Client) error { return c.Prepend(ctx, "k", []byte("x")) }, false},
		{"INCREMENT", func(c *memcached.Client) error { _, err := c.Increment(ctx, "n", 1); return err }, false},
		{"DECREMENT", func(c *memcached.Client) error { _, err := c.Decrement(ctx, "n", 1); return err }, false},
		{"FLUSH", func(c *memcached.Client) error { return c.FlushAll(ctx, 0) }, false},
		{"SETQ", func(c *memcached.Client) error { return c.SetMulti(ctx, []*memcached.Item{{Key: "k"}, {Key: "l"}}) }, false},
		{"DELETEQ", func(c *memcached.Client) error { return c.DeleteMulti(ctx, []string{"k", "l"}) }, false},
		{"GETKQ", func(c *memcached.Client) error { _, err := c.GetMulti(ctx, []string{"k", "l"}); return err }, true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s/%v", tt.op, tt.repeat), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{}, server)
				set(t, client, "k", "v")
				set(t, client, "n", "1")
				server.ForgetRequests()
				lost := false
				server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
					if r.Op == tt.op && !lost {
						lost = true
						return memcachedtest.Action{Mute: true, Close: true}
					}
					return memcachedtest.Action{}
				})
				err := tt.do(client)
				want := uint64(1)
				if tt.repeat {
					want = 2
				}
				if got := server.RequestCount(tt.op); got != want {
					t.Errorf("%s was sent %d times, want %d", tt.op, got, want)
				}
				var op *memcached.OpError
				if errors.As(err, &op); !tt.repeat && (op == nil || op.SafeToRetry() || !errors.Is(err, memcached.ErrUnavailable)) {
					t.Errorf("%s = %v, want ErrUnavailable that is not safe to retry", tt.op, err)
				}
				if tt.repeat && op != nil {
					t.Errorf("%s = %v, want an answer", tt.op, err)
				}
			})
		})
	}
}

// TestLostConnection_RepeatsOnce: an operation that loses its second connection as
// well fails.
func TestLostConnection_RepeatsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		set(t, client, "k", "v")
		server.ForgetRequests()
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			lost := r.Op == memcachedtest.OpGet && r.Key == "k"
			return memcachedtest.Action{Mute: lost, Close: lost}
		})
		if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrUnavailable) {
			t.Errorf("Get = %v, want %v", err, memcached.ErrUnavailable)
		}
		if n := len(connsOf(server, memcachedtest.OpGet)); n != 2 {
			t.Errorf("Get was sent on %d connections, want 2", n)
		}
	})
}

// halfWriter is a connection that breaks in the middle of its third write.
type halfWriter struct {
	net.Conn
	writes atomic.Int32
	part   int // bytes of it that come through
}

func (c *halfWriter) Write(b []byte) (int, error) {
	if c.writes.Add(1) != 3 { // the first two are the greeting and a Set
		return c.Conn.Write(b)
	}
	n, _ := c.Conn.Write(b[:min(c.part, len(b)-1)])
	_ = c.Close()
	return n, errors.New("broken pipe")
}

// TestLostConnection_RepeatsWritesNotSentWhole: the server cannot carry out a part.
func TestLostConnection_RepeatsWritesNotSentWhole(t *testing.T) {
	for _, part := range []int{0, 1, 24, 1000} {
		synctest.Test(t, func(t *testing.T) {
			server := newServer(t, nil)
			first := true
			client := newClient(t, memcached.Options{MaxConns: 1, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				nc, err := server.DialContext(ctx, network, address)
				if err != nil || !first {
					return nc, err
				}
				first = false
				return &halfWriter{Conn: nc, part: part}, nil
			}}, server)
			set(t, client, "n", "0")
			if n, err := client.Increment(t.Context(), "n", 1); n != 1 || err != nil {
				t.Errorf("Increment of which %d bytes were sent = %d, %v, want it repeated", part, n, err)
			}
			if dials := client.Stats().Servers[server.Addr()].Dials; dials != 2 {
				t.Errorf("%d connections, want the second for the repetition", dials)
			}
		})
	}
}
