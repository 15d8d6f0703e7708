package memcached_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// The server hangs for longer than Options.Timeout, with a write in its queue,
// and then goes on. The connection of that write is given up by then.
func TestSilentServer_LateWriteDoesNotUndoALaterOne(t *testing.T) {
	const timeout = time.Second
	tests := []struct {
		name            string
		leave           time.Duration // when the caller of the first write does
		release         time.Duration // when the server goes on
		writeAt, doneBy time.Duration
	}{
		{"caller waits", time.Hour, 1500 * time.Millisecond, timeout, 1600 * time.Millisecond},
		{"caller leaves", 100 * time.Millisecond, 1500 * time.Millisecond, timeout, 1600 * time.Millisecond},
		{"for nearly two timeouts", time.Hour, 1990 * time.Millisecond, timeout, 2 * timeout},
		{"for ever", time.Hour, time.Hour, 1100 * time.Millisecond, 2 * timeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{Timeout: timeout}, server)
				set(t, client, "k", "0")
				twoConnections(t, client, server)
				release := holdWrites(server)
				start := time.Now()
				until := func(d time.Duration) { time.Sleep(time.Until(start.Add(d))) }
				time.AfterFunc(tt.release, func() { close(release) })
				ctx, cancel := context.WithTimeout(t.Context(), tt.leave)
				defer cancel()
				err := client.Set(ctx, &memcached.Item{Key: "k", Value: []byte("old")})
				var op *memcached.OpError
				if !errors.As(err, &op) || !op.Timeout() || op.SafeToRetry() {
					t.Fatalf("Set that is held = %v, want a timeout that is not safe to retry", err)
				}
				until(tt.writeAt)
				set(t, client, "k", "new")
				if took := time.Since(start); took > tt.doneBy {
					t.Errorf("the next Set ended after %v, want up to %v", took, tt.doneBy)
				}
				if tt.release < time.Hour {
					until(2 * tt.release)
				}
				wantValue(t, client, "k", "new")
			})
		})
	}
}

// A connection of Options.DialContext may have nothing but the methods of net.Conn.
func TestSilentServer_LateWriteOnAWrappedConnectionDoesNotUndoALaterOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := server.DialContext(ctx, network, address)
			return struct{ net.Conn }{nc}, err
		}}, server)
		set(t, client, "k", "0")
		release := holdWrites(server)
		time.AfterFunc(1500*time.Millisecond, func() { close(release) })
		setHeld(t, client)
		time.Sleep(100 * time.Millisecond)
		set(t, client, "k", "new")
		time.Sleep(time.Second)
		wantValue(t, client, "k", "new")
	})
}

// The server goes on to answer what is before the write, each time within
// Options.Timeout: it is not silent.
func TestSilentServer_LateWriteBehindLateAnswersDoesNotUndoALaterOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1}, server)
		set(t, client, "k", "0")
		var held atomic.Bool
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			switch {
			case r.Key == "before":
				return memcachedtest.Action{Delay: 1900 * time.Millisecond}
			case r.Key == "k" && r.Op == memcachedtest.OpSet && !held.Swap(true):
				return memcachedtest.Action{Delay: 700 * time.Millisecond}
			}
			return memcachedtest.Action{}
		})
		start := time.Now()
		var wg sync.WaitGroup
		for _, key := range []string{"before", "k"} {
			wg.Go(func() {
				if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte("old")}); err == nil || safeToRetry(t, err) {
					t.Errorf("Set of %q = %v, want a timeout that is not safe to retry", key, err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		time.Sleep(700 * time.Millisecond)
		set(t, client, "k", "new")
		if took := time.Since(start); took < 2600*time.Millisecond {
			t.Errorf("the next Set ended %v after the first began, want it to wait for the server, 2.6 s", took)
		}
		time.Sleep(time.Second)
		wantValue(t, client, "k", "new")
	})
}

// The client gives connections up, and the server goes on to read from them.
func TestGivenUpConnection_LateWriteDoesNotUndoALaterOne(t *testing.T) {
	garbage := func(answer []byte) []byte { clear(answer); return answer }
	tests := map[string]memcachedtest.Action{ // what the operation before it comes to
		"writer":          {},
		"garbage":         {Edit: garbage},
		"text":            {Edit: func([]byte) []byte { return []byte("SERVER_ERROR try again later, somewhere else\r\n") }},
		"unknown command": {Status: memcached.StatusUnknownCommand},
	}
	for name, before := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{MaxConns: 1}, server)
				set(t, client, "k", "0")
				answered, release := make(chan struct{}), make(chan struct{})
				before.Until = answered
				server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
					if r.Key == "k" {
						return memcachedtest.Action{Until: release}
					}
					return before
				})
				var wg sync.WaitGroup
				wg.Go(func() {
					if _, err := client.Increment(t.Context(), "before-it", 1); err == nil || errors.Is(err, memcached.ErrMalformedKey) {
						t.Errorf("Increment that ends the connection = %v, want its error", err)
					}
				})
				synctest.Wait()
				wg.Go(func() {
					err := client.Set(t.Context(), &memcached.Item{Key: "k", Value: []byte("old")})
					if !errors.Is(err, memcached.ErrUnavailable) || safeToRetry(t, err) {
						t.Errorf("Set on a connection that is given up = %v, want ErrUnavailable that is not safe to retry", err)
					}
				})
				synctest.Wait()
				if name == "writer" {
					memcached.FailWriters(client)
				}
				close(answered)
				wg.Wait()
				synctest.Wait() // the server has come to the write
				server.Intercept(nil)
				time.AfterFunc(100*time.Millisecond, func() { close(release) })
				set(t, client, "k", "new")
				time.Sleep(200 * time.Millisecond)
				wantValue(t, client, "k", "new")
			})
		})
	}
}

// TestLinger_OutlastsALateInterrupt: who left as the reader may interrupt a read
// that comes after his, since the function of an ended context runs when it runs.
func TestLinger_OutlastsALateInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		var first net.Conn
		client, err := memcached.New([]string{server.Addr()}, &memcached.Options{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				nc, err := server.DialContext(ctx, network, address)
				if first == nil {
					first = nc
				}
				return nc, err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		set(t, client, "k", "0")
		release := holdWrites(server)
		start := time.Now()
		if err := client.Set(t.Context(), &memcached.Item{Key: "k", Value: []byte("old")}); err == nil {
			t.Fatal("Set that is held = nil, want a timeout")
		}
		synctest.Wait() // the connection lingers
		_ = first.SetReadDeadline(time.Unix(1, 0))
		synctest.Wait()
		time.AfterFunc(500*time.Millisecond, func() { close(release) })
		set(t, client, "k", "new")
		if took := time.Since(start); took < 1500*time.Millisecond {
			t.Errorf("the next Set ended %v after the first began, want it to wait for the server, 1.5 s", took)
		}
		time.Sleep(time.Second)
		wantValue(t, client, "k", "new")
	})
}

// A second attempt, of a write that was not sent yet when the connection was given up,
// does not overtake what was.
func TestSilentServer_SecondAttemptDoesNotOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1}, server)
		set(t, client, "k", "0")
		time.Sleep(time.Second)
		release := holdWrites(server)
		var wg sync.WaitGroup
		wg.Go(func() { setHeld(t, client) })
		synctest.Wait()
		// This fills what is between: nothing is sent behind it.
		wg.Go(func() { _ = client.Set(t.Context(), &memcached.Item{Key: "big", Value: make([]byte, 1<<20-100)}) })
		time.Sleep(500 * time.Millisecond)
		wg.Go(func() {
			if err := client.Set(t.Context(), &memcached.Item{Key: "k", Value: []byte("new")}); err != nil {
				t.Errorf("Set = %v, want the answer to a second attempt", err)
			}
		})
		time.Sleep(700 * time.Millisecond) // the connection was given up
		close(release)
		wg.Wait()
		time.Sleep(time.Second)
		wantValue(t, client, "k", "new")
	})
}

// A server that reads nothing takes no farewell either, which TLS sends: nobody waits
// for it.
func TestLinger_WithTLSEndsInTime(t *testing.T) {
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		end  func(client *memcached.Client) error
		took time.Duration // since the first write began
	}{
		{"later write", func(client *memcached.Client) error {
			return client.Set(context.Background(), &memcached.Item{Key: "k", Value: []byte("new")})
		}, 2 * time.Second},
		{"Close", (*memcached.Client).Close, 1100 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, &memcachedtest.Options{TLS: serverTLS})
				client := newClient(t, memcached.Options{TLS: clientTLS, MaxConns: 1, Timeout: time.Second}, server)
				set(t, client, "k", "0")
				time.Sleep(time.Second)
				holdWrites(server) // and never releases them
				start := time.Now()
				var wg sync.WaitGroup
				for _, size := range []int{10, 1 << 19, 1 << 19} { // more than fits between
					wg.Go(func() { _ = client.Set(t.Context(), &memcached.Item{Key: "k", Value: make([]byte, size)}) })
					synctest.Wait()
				}
				wg.Wait() // the connection was given up
				time.Sleep(time.Until(start.Add(1100 * time.Millisecond)))
				err := tt.end(client)
				if took := time.Since(start); err != nil || took > tt.took {
					t.Errorf("%s = %v after %v, want up to %v", tt.name, err, took, tt.took)
				}
			})
		})
	}
}

// slowToClose is a connection that takes long to close, as one does below TLS that
// has no room for the last record.
type slowToClose struct {
	net.Conn
	closing chan<- struct{}
	closes  <-chan struct{}
}

func (c *slowToClose) Close() error {
	select {
	case c.closing <- struct{}{}:
	default:
	}
	<-c.closes
	return c.Conn.Close()
}

func TestClosing_HoldsNoLock(t *testing.T) {
	for name, end := range map[string]func(*memcached.Client, *memcachedtest.Server){
		"given up": func(client *memcached.Client, server *memcachedtest.Server) {
			server.Intercept(mute("GET"))
			_, _ = client.Get(t.Context(), "k")
		},
		"closed": func(client *memcached.Client, _ *memcachedtest.Server) { _ = client.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, nil)
			dial := memcachedtest.Dialer(server)
			closing, closes := make(chan struct{}, 1), make(chan struct{})
			client := newClient(t, memcached.Options{
				Timeout: 50 * time.Millisecond,
				DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					nc, err := dial(ctx, network, address)
					return &slowToClose{nc, closing, closes}, err
				},
			}, server)
			set(t, client, "k", "v")
			var wg sync.WaitGroup
			wg.Go(func() { end(client, server) })
			<-closing
			seen := make(chan struct{})
			wg.Go(func() {
				_ = client.Stats()
				close(seen)
			})
			select {
			case <-seen:
			case <-time.After(5 * time.Second):
				t.Error("Stats waits until a connection is closed")
			}
			close(closes)
			wg.Wait()
		})
	}
}

// setHeld stores "old" as k, and checks that the time for that ends while it is unknown
// what the server does with it.
func setHeld(t *testing.T, client *memcached.Client) {
	t.Helper()
	if err := client.Set(t.Context(), &memcached.Item{Key: "k", Value: []byte("old")}); err == nil || safeToRetry(t, err) {
		t.Errorf("Set that is held = %v, want a timeout that is not safe to retry", err)
	}
}
