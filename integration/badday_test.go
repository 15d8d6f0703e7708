package integration_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
)

// eventually fails the test when do does not return nil within 15 seconds.
func eventually(t *testing.T, do func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = do(); err == nil {
			return
		}
	}
	t.Fatalf("still failing: %v", err)
}

// store sets key to value or fails the test.
func store(t *testing.T, client *memcached.Client, key, value string) {
	t.Helper()
	if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte(value)}); err != nil {
		t.Fatalf("Set(%q) = %v, want nil", key, err)
	}
}

// wantValue checks what client reads.
func wantValue(t *testing.T, client *memcached.Client, key, want string) {
	t.Helper()
	item, err := client.Get(t.Context(), key)
	if err != nil {
		t.Errorf("Get(%q) = %v, want %.40q", key, err, want)
	} else if string(item.Value) != want {
		t.Errorf("Get(%q) = %d bytes %.40q, want %d bytes %.40q", key, len(item.Value), item.Value, len(want), want)
	}
}

func TestTLS_Mismatch(t *testing.T) {
	t.Parallel()
	plain := integration.Start(t, nil)
	encrypted := integration.Start(t, &integration.Options{TLS: true})
	for _, test := range []struct {
		name    string
		server  *integration.Server
		tls     *tls.Config
		timeout time.Duration // 0: the server says so itself
		words   []string
	}{
		{"TLS to a plain port", plain, encrypted.TLSConfig(), time.Second, []string{"TLS"}},
		{"plain to a TLS port", encrypted, nil, 0, []string{"TLS"}},
		{"unknown authority", encrypted, &tls.Config{}, 0, []string{"certificate"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := open(t, &memcached.Options{TLS: test.tls, Timeout: test.timeout}, test.server)
			_, err := client.Get(t.Context(), "key")
			wantError(t, "Get", err, memcached.ErrUnavailable, test.server.Addr(), test.words...)
		})
	}
}

func TestOutOfConnections(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Args: []string{"-c", "64"}})
	// memcached counts some of its own, so: until it refuses.
	held := exhaust(t, server)
	client := open(t, &memcached.Options{RetryAfter: 50 * time.Millisecond}, server)
	_, err := client.Get(t.Context(), "key")
	wantError(t, "Get", err, memcached.ErrUnavailable, server.Addr(), "connections")
	for _, conn := range held {
		conn.Close()
	}
	eventually(t, func() error { return client.Set(t.Context(), &memcached.Item{Key: "key"}) })
}

// exhaust opens connections to server until it refuses one.
func exhaust(t *testing.T, server *integration.Server) (held []net.Conn) {
	t.Helper()
	for range 128 {
		conn, err := server.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := conn.Write(append([]byte{0x80, 0x0b}, make([]byte, 22)...)); err != nil {
			return held
		}
		if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 24)
		if n, err := conn.Read(answer); err != nil || n == 0 || answer[0] != 0x81 {
			return held
		}
		held = append(held, conn)
	}
	t.Fatal("memcached -c 64 accepted 128 connections")
	return nil
}

func TestTooLarge_KeepsTheOldValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		args    []string
		max     int // Options.MaxItemSize
		largest int // that is stored under a key of three bytes
	}{
		{"default", nil, 0, 1048514},
		{"2 MiB", []string{"-I", "2m"}, 2<<20 - 1024, 2<<20 - 1024},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := integration.Start(t, &integration.Options{Args: test.args})
			client := open(t, &memcached.Options{MaxItemSize: test.max}, server)
			largest := strings.Repeat("x", test.largest)
			store(t, client, "key", largest)
			wantValue(t, client, "key", largest)
			for _, size := range []int{test.largest + 1, 8 << 20} {
				err := client.Set(t.Context(), &memcached.Item{Key: "key", Value: make([]byte, size)})
				if !errors.Is(err, memcached.ErrTooLarge) {
					t.Errorf("Set of %d bytes = %v, want ErrTooLarge", size, err)
				}
				wantValue(t, client, "key", largest)
			}
		})
	}
}

func TestTooLarge_ForTheServerAlone(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	client := open(t, &memcached.Options{MaxItemSize: 64 << 20}, server)
	store(t, client, "other", "value")
	err := client.Set(t.Context(), &memcached.Item{Key: "key", Value: make([]byte, 4<<20)})
	wantError(t, "Set of 4 MiB", err, memcached.ErrTooLarge, server.Addr())
	wantValue(t, client, "other", "value")
}

func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Args: []string{"-M", "-m", "8"}})
	client := open(t, nil, server)
	var err error
	for i := 0; i < 4096 && err == nil; i++ {
		err = client.Set(t.Context(), &memcached.Item{Key: fmt.Sprint("key", i), Value: make([]byte, 64<<10)})
	}
	status, ok := errors.AsType[*memcached.StatusError](err)
	if !ok || status.Status != 0x82 {
		t.Fatalf("Set on a full server = %v, want status 0x82", err)
	}
	if err := client.Ping(t.Context()); err != nil {
		t.Errorf("Ping after that = %v, want nil", err)
	}
}

func TestFlushRefused_LeavesTheConnectionAuthenticated(t *testing.T) {
	t.Parallel()
	servers, opts := mode{server: integration.Options{Users: users, Args: []string{"-F"}}, client: saslOptions()}.launch(t)
	client := open(t, opts, servers...)
	store(t, client, "key", "value")
	if err := client.FlushAll(t.Context(), 0); err == nil {
		t.Error("FlushAll on a server with -F = nil, want an error")
	}
	wantValue(t, client, "key", "value")
}

func TestConnectionClosedWhileIdle_IsNotAnError(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Args: []string{"-o", "idle_timeout=1"}})
	client := open(t, nil, server)
	store(t, client, "counter", "1")
	eventually(t, func() error { // without traffic of the client's own
		stats, err := idleKicks(t, server)
		if err == nil && stats == 0 {
			err = errors.New("no connection was closed for being idle")
		}
		return err
	})
	// INCREMENT is never sent twice, so it fails unless the dead connection is
	// noticed before.
	if n, err := client.Increment(t.Context(), "counter", 1); n != 2 || err != nil {
		t.Errorf("Increment after the server closed the connection = %d, %v, want 2", n, err)
	}
}

// idleKicks returns how many connections memcached has closed for being idle.
func idleKicks(t *testing.T, server *integration.Server) (n int, err error) {
	t.Helper()
	client, err := memcached.New([]string{server.Addr()}, nil)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	stats, err := client.ServerStats(t.Context(), "")
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(stats[server.Addr()]["idle_kicks"], &n)
	return n, err
}

func TestDeadServer_OthersAnswer(t *testing.T) {
	t.Parallel()
	servers, opts := mode{servers: 3}.launch(t)
	opts.Timeout = 10 * time.Second // what is refused must not wait for it
	opts.RetryAfter = 200 * time.Millisecond
	client := open(t, opts, servers...)
	var keys []string
	for i := range 300 {
		keys = append(keys, fmt.Sprint("key", i))
		store(t, client, keys[i], keys[i])
	}
	servers[1].Kill()

	start := time.Now()
	items, err := client.GetMulti(t.Context(), keys)
	var failed *memcached.MultiError
	if !errors.As(err, &failed) || len(failed.Errors) == 0 || len(failed.Errors)+len(items) != len(keys) {
		t.Fatalf("GetMulti with one of three servers dead = %d items, %d failed (%v), want all keys in one or the other", len(items), len(failed.Errors), err)
	}
	for key, item := range items {
		if string(item.Value) != key {
			t.Errorf("GetMulti: %q = %q, want %q", key, item.Value, key)
		}
	}
	for key, err := range failed.Errors {
		wantError(t, "GetMulti of "+key, err, memcached.ErrUnavailable, servers[1].Addr())
		_, err := client.Get(t.Context(), key)
		wantError(t, "Get", err, memcached.ErrUnavailable, servers[1].Addr())
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("%d operations on a dead server took %v, want them to fail fast", len(failed.Errors), took)
	}
	err = client.Ping(t.Context())
	wantError(t, "Ping", err, memcached.ErrUnavailable, servers[1].Addr())

	servers[1].Restart()
	eventually(t, func() error { return client.Ping(t.Context()) })
	for key := range failed.Errors {
		if _, err := client.Get(t.Context(), key); !errors.Is(err, memcached.ErrCacheMiss) {
			t.Errorf("Get(%q) from the restarted server = %v, want ErrCacheMiss", key, err)
		}
		store(t, client, key, "new")
		wantValue(t, client, key, "new")
	}
}

func TestRestart_WithSASLAndTLS(t *testing.T) {
	t.Parallel()
	servers, opts := mode{server: integration.Options{Users: users, TLS: true}, client: saslOptions()}.launch(t)
	opts.RetryAfter = 100 * time.Millisecond
	client := open(t, opts, servers...)
	store(t, client, "key", "value")
	servers[0].Kill()
	if _, err := client.Get(t.Context(), "key"); !errors.Is(err, memcached.ErrUnavailable) {
		t.Errorf("Get from a dead server = %v, want ErrUnavailable", err)
	}
	servers[0].Restart()
	eventually(t, func() error { return client.Set(t.Context(), &memcached.Item{Key: "key", Value: []byte("again")}) })
	wantValue(t, client, "key", "again")
}

func TestPausedServer_DeadlineHolds(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	clients := make([]*memcached.Client, 5) // a client that knows of the silence does not wait any more
	for i := range clients {
		clients[i] = open(t, &memcached.Options{Timeout: time.Minute}, server)
		store(t, clients[i], "key", "value")
	}
	server.Pause()
	const limit = 200 * time.Millisecond
	best := time.Hour
	for _, client := range clients { // a busy machine may be late; the client must not be, five times
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		start := time.Now()
		_, err := client.Get(ctx, "key")
		best = min(best, time.Since(start))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get from a silent server = %v, want context.DeadlineExceeded", err)
		}
	}
	if best > limit+50*time.Millisecond {
		t.Errorf("Get with a deadline in %v took %v at best, want at most 50ms more", limit, best)
	}
	server.Resume()
	eventually(t, func() error {
		item, err := clients[0].Get(t.Context(), "key")
		if err == nil && !bytes.Equal(item.Value, []byte("value")) {
			t.Fatalf("Get after the silence = %q, want %q", item.Value, "value")
		}
		return err
	})
}

func TestPausedServer_TimeoutHolds(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	client := open(t, &memcached.Options{Timeout: 200 * time.Millisecond}, server)
	server.Pause() // before the first connection: the handshake meets silence
	start := time.Now()
	err := client.Set(t.Context(), &memcached.Item{Key: "key"})
	wantError(t, "Set", err, memcached.ErrUnavailable, server.Addr())
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("Set on a silent server took %v, want Options.Timeout", took)
	}
	fault, ok := errors.AsType[*memcached.OpError](err)
	if !ok || !fault.Timeout() {
		t.Errorf("Set on a silent server = %#v, want an OpError with Timeout() = true", err)
	}
	server.Resume()
	eventually(t, func() error { return client.Set(t.Context(), &memcached.Item{Key: "key"}) })
}
