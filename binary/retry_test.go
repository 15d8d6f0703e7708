package memcached_test

import (
	"context"
	"errors"
	"net"
	"sync"
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

func TestRejectedRequest_WhatIsBehindItIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1}, server)
		set(t, client, "n", "0")
		first := true
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Key == "bad" && first {
				first = false
				// A malformed request: answered, and then the connection ends.
				return memcachedtest.Action{Delay: 100 * time.Millisecond, Status: memcached.StatusInvalid, Close: true}
			}
			return memcachedtest.Action{}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := client.Get(t.Context(), "bad")
			var status *memcached.StatusError
			if !errors.As(err, &status) || status.Status != 0x04 {
				t.Errorf("Get(bad) = %v, want status 0x04", err)
			}
		})
		synctest.Wait()
		for range 20 {
			wg.Go(func() {
				if _, err := client.Increment(t.Context(), "n", 1); err != nil {
					t.Errorf("Increment behind a rejected request = %v, want it repeated: it was not executed", err)
				}
			})
		}
		wg.Wait()
		wantValue(t, client, "n", "20")
		if retries := client.Stats().Retries; retries != 20 {
			t.Errorf("%d retries, want 20", retries)
		}
	})
}

func TestRejectedRequest_WhatIsBehindItIsSafeToRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		network := newFlaky(server)
		client := newClient(t, memcached.Options{MaxConns: 1, DialContext: network.DialContext}, server)
		set(t, client, "n", "0")
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Key == "bad" {
				return memcachedtest.Action{Delay: 100 * time.Millisecond, Status: memcached.StatusInvalid, Close: true}
			}
			return memcachedtest.Action{}
		})
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = client.Get(t.Context(), "bad") })
		synctest.Wait()
		wg.Go(func() {
			_, err := client.Increment(t.Context(), "n", 1)
			if !errors.Is(err, memcached.ErrUnavailable) || !safeToRetry(t, err) {
				t.Errorf("Increment = %v, want ErrUnavailable that is safe to retry", err)
			}
		})
		synctest.Wait()
		network.set(server, true) // no second attempt
		wg.Wait()
		if item, _ := server.Item("n"); string(item.Value) != "0" {
			t.Errorf("the counter is %q, want 0", item.Value)
		}
	})
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

// TestStatus0x20_EndsTheConnection: 0x20 says that nobody has authenticated.
func TestStatus0x20_EndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1}, server)
		set(t, client, "n", "0")
		first := true
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Key == "k" && first {
				first = false
				return memcachedtest.Action{Delay: 100 * time.Millisecond, Status: memcached.StatusAuthError, Close: true}
			}
			return memcachedtest.Action{}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrAuth) {
				t.Errorf("Get = %v, want %v", err, memcached.ErrAuth)
			}
		})
		synctest.Wait()
		for range 5 {
			wg.Go(func() {
				if _, err := client.Increment(t.Context(), "n", 1); err != nil {
					t.Errorf("Increment behind it = %v, want it repeated: it was not executed", err)
				}
			})
		}
		wg.Wait()
		wantValue(t, client, "n", "5")
		if dials := client.Stats().Servers[server.Addr()].Dials; dials != 2 {
			t.Errorf("%d connections, want 2: the server closes after 0x20", dials)
		}
	})
}

func TestStatus0x81_EndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1}, server)
		set(t, client, "n", "0")
		set(t, client, "k", "v")
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Op == "GAT" {
				return memcachedtest.Action{Delay: 10 * time.Millisecond, Status: memcached.StatusUnknownCommand} // the connection stays open, and is out of step
			}
			return memcachedtest.Action{}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := client.GetAndTouch(t.Context(), "k", 0)
			var status *memcached.StatusError
			if !errors.As(err, &status) || status.Status != 0x81 {
				t.Errorf("GetAndTouch = %v, want status 0x81", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := client.Increment(t.Context(), "n", 1); err == nil || safeToRetry(t, err) {
				t.Errorf("Increment behind an unknown command = %v, want an error that is not safe to retry", err)
			}
		})
		wg.Go(func() { wantValue(t, client, "k", "v") }) // repeated
		wg.Wait()
		if dials := client.Stats().Servers[server.Addr()].Dials; dials != 2 {
			t.Errorf("%d connections, want 2: that one is poisoned", dials)
		}
	})
}

// TestFlush_RefusedIsNoQuestionOfCredentials: 0x20 has a third meaning.
func TestFlush_RefusedIsNoQuestionOfCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, &memcachedtest.Options{DisableFlush: true})
		client := newClient(t, memcached.Options{}, server)
		set(t, client, "k", "v")
		err := client.FlushAll(t.Context(), 0)
		var status *memcached.StatusError
		if !errors.As(err, &status) || errors.Is(err, memcached.ErrAuth) {
			t.Errorf("FlushAll = %v, want a StatusError that is not ErrAuth", err)
		}
		wantValue(t, client, "k", "v")
		if s := client.Stats().Servers[server.Addr()]; s.Dials != 1 || s.Down {
			t.Errorf("after it: %+v, want the one connection", s)
		}
	})
}

// TestRestart_StaleConnectionsAreNoticedBeforeUse is over TCP, where a
// connection tells that the other side has closed it.
func TestRestart_StaleConnectionsAreNoticedBeforeUse(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{DialContext: dialTCP}, server)
	for round := range 5 {
		// As many connections as possible, then all of them idle.
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: time.Millisecond}
		})
		for client.Stats().Servers[server.Addr()].Conns < 4 {
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() { _, _ = client.Get(t.Context(), "k") })
			}
			wg.Wait()
		}
		server.Intercept(nil)
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // connections idle for less are not looked at
		server.SetItem(&memcached.Item{Key: "n", Value: []byte("5")})
		if n, err := client.Increment(t.Context(), "n", 1); n != 6 || err != nil {
			t.Fatalf("round %d: Increment after a restart = %d, %v, want 6", round, n, err)
		}
	}
	if retries := client.Stats().Retries; retries > 40 {
		t.Errorf("%d retries", retries)
	}
}

// silentListener accepts connections, answers the first request and then reads
// nothing any more.
func silentListener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = nc.Close() })
			_ = nc.(*net.TCPConn).SetReadBuffer(4 << 10)
			b := make([]byte, 24)
			_, _ = nc.Read(b)
			b[0] = 0x81
			_, _ = nc.Write(b)
		}
	}()
	return l
}

func TestSet_LeavesThoughTheServerReadsNothing(t *testing.T) {
	l := silentListener(t)
	client, err := memcached.New([]string{l.Addr().String()}, &memcached.Options{
		Timeout: time.Minute, MaxConns: 1,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := dialTCP(ctx, network, address)
			if err == nil {
				_ = nc.(*net.TCPConn).SetWriteBuffer(4 << 10)
			}
			return nc, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	value := make([]byte, 15<<10) // copied, and coalesced with others
	for range 5 {
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				start := time.Now()
				err := client.Set(ctx, &memcached.Item{Key: "k", Value: value})
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("Set with a deadline of 50 ms took %v", took)
				}
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Set = %v, want %v", err, context.DeadlineExceeded)
				}
			})
		}
		wg.Wait()
	}
}
