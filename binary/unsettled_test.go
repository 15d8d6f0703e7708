package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// anyWrite is an operation that changes the key "k" on the server.
type anyWrite struct {
	name string
	do   func(ctx context.Context, c *memcached.Client) error
}

func (w anyWrite) String() string { return w.name }

// anyWrites are all of them, with values of their own.
func anyWrites(value string) []anyWrite {
	item := func() *memcached.Item { return &memcached.Item{Key: "k", Value: []byte(value)} }
	items := func() []*memcached.Item { return []*memcached.Item{{Key: "other"}, item(), {Key: "another"}} }
	return []anyWrite{
		{"Set", func(ctx context.Context, c *memcached.Client) error { return c.Set(ctx, item()) }},
		{"Set of 20 KB", func(ctx context.Context, c *memcached.Client) error {
			return c.Set(ctx, &memcached.Item{Key: "k", Value: append(make([]byte, 20<<10), value...)})
		}},
		{"Add", func(ctx context.Context, c *memcached.Client) error { return c.Add(ctx, item()) }},
		{"Replace", func(ctx context.Context, c *memcached.Client) error { return c.Replace(ctx, item()) }},
		{"Append", func(ctx context.Context, c *memcached.Client) error { return c.Append(ctx, "k", []byte(value)) }},
		{"Prepend", func(ctx context.Context, c *memcached.Client) error { return c.Prepend(ctx, "k", []byte(value)) }},
		{"Delete", func(ctx context.Context, c *memcached.Client) error { return c.Delete(ctx, "k") }},
		{"Touch", func(ctx context.Context, c *memcached.Client) error { return c.Touch(ctx, "k", -1) }},
		{"GetAndTouch", func(ctx context.Context, c *memcached.Client) error {
			_, err := c.GetAndTouch(ctx, "k", -1)
			return err
		}},
		{"IncrementOrSet", func(ctx context.Context, c *memcached.Client) error {
			_, err := c.IncrementOrSet(ctx, "k", 1, 1, 0)
			return err
		}},
		{"SetMulti", func(ctx context.Context, c *memcached.Client) error { return c.SetMulti(ctx, items()) }},
		{"DeleteMulti", func(ctx context.Context, c *memcached.Client) error {
			return c.DeleteMulti(ctx, []string{"other", "k", "another"})
		}},
		{"FlushAll", func(ctx context.Context, c *memcached.Client) error { return c.FlushAll(ctx, 0) }},
	}
}

// holdWrites makes server hold back the first request that writes, with what
// follows it on its connection, until release is closed.
func holdWrites(server *memcachedtest.Server) (release chan struct{}) {
	release = make(chan struct{})
	var held atomic.Bool // the server has a goroutine for each connection
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		switch {
		case r.Op == memcachedtest.OpGet, r.Op == memcachedtest.OpNoop, held.Swap(true):
			return memcachedtest.Action{}
		}
		return memcachedtest.Action{Until: release}
	})
	return release
}

// twoConnections makes client open a second connection to server, so that
// operations can overtake each other.
func twoConnections(t *testing.T, client *memcached.Client, server *memcachedtest.Server) {
	t.Helper()
	server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Delay: time.Millisecond}
	})
	for range 2 { // shares the first connection, uses the second
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { _, _ = client.Get(t.Context(), "k") })
			synctest.Wait()
		}
		wg.Wait()
	}
	if n := client.Stats().Servers[server.Addr()].Conns; n != 2 {
		t.Fatalf("%d connections, want 2", n)
	}
}

func TestAbandonedWrite_DoesNotUndoALaterOne(t *testing.T) {
	for _, early := range anyWrites("1") {
		for _, late := range anyWrites("2") {
			t.Run(fmt.Sprintf("%v/%v", early, late), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testWriteOrder(t, early, late) })
			})
		}
	}
}

// testWriteOrder abandons one write, makes another, and wants what the two make
// of the key one after the other.
func testWriteOrder(t *testing.T, early, late anyWrite) {
	model := newServer(t, nil)
	ordered := newClient(t, memcached.Options{}, model)
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{}, server)
	for _, c := range []*memcached.Client{ordered, client} {
		set(t, c, "k", "0")
	}
	_ = early.do(t.Context(), ordered)
	want := late.do(t.Context(), ordered)

	twoConnections(t, client, server)
	release := holdWrites(server)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := early.do(ctx, client)
	if !errors.Is(err, context.DeadlineExceeded) || safeToRetry(t, err) {
		t.Fatalf("%v that is held = %v, want %v, not safe to retry", early, err, context.DeadlineExceeded)
	}
	time.AfterFunc(100*time.Millisecond, func() { close(release) })
	if err := late.do(t.Context(), client); fmt.Sprint(cause(err)) != fmt.Sprint(cause(want)) {
		t.Errorf("%v = %v, want %v", late, err, want)
	}
	synctest.Wait()
	if got, want := valueIn(server), valueIn(model); got != want {
		t.Errorf("%v after an abandoned %v leaves %.40q, want %.40q", late, early, got, want)
	}
}

// cause returns err without the name of a server.
func cause(err error) error {
	var op *memcached.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// valueIn returns the value of "k", or that there is none.
func valueIn(server *memcachedtest.Server) string {
	item, ok := server.Item("k")
	if !ok {
		return "none"
	}
	return string(item.Value)
}

func TestAbandonedWrite_HoldsBackOnlyWritesOfItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 2}, server)
		set(t, client, "k", "0")
		twoConnections(t, client, server)
		release := holdWrites(server)
		within := func(limit time.Duration) context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			t.Cleanup(cancel)
			return ctx
		}
		err := client.Set(within(300*time.Millisecond), &memcached.Item{Key: "k", Value: []byte("old")})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Set that is held = %v, want %v", err, context.DeadlineExceeded)
		}
		err = client.Set(within(300*time.Millisecond), &memcached.Item{Key: "k", Value: []byte("newer")})
		if !errors.Is(err, context.DeadlineExceeded) || !safeToRetry(t, err) {
			t.Errorf("Set behind one that is held = %v, want %v that is safe to retry", err, context.DeadlineExceeded)
		}
		set(t, client, "another", "is not concerned")
		wantValue(t, client, "k", "0") // nor is a read
		close(release)
		set(t, client, "k", "new")
		wantValue(t, client, "k", "new")
		synctest.Wait()
		if n := server.RequestCount("SET"); n != 4 {
			t.Errorf("%d SETs came to the server, want 4: not the one that gave up waiting", n)
		}
	})
}

func TestClose_EndsWritesThatWaitForEarlierOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Timeout: time.Hour}, server)
		set(t, client, "k", "0")
		holdWrites(server)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = client.Delete(ctx, "k")
		time.AfterFunc(time.Second, func() { _ = client.Close() })
		if err := client.Delete(t.Context(), "k"); !errors.Is(err, memcached.ErrClosed) {
			t.Errorf("Delete that waits while the client is closed = %v, want ErrClosed", err)
		}
	})
}

// A write that waited behind an earlier one of its key, whose caller has left
// meanwhile, does not overtake it on another connection.
func TestAbandonedWrite_IsNotOvertakenByOneThatChoosesAgain(t *testing.T) {
	for _, tt := range []struct {
		name  string
		crowd bool
		left  error // with the latter the connection is suspected
	}{
		{"cancelled", false, context.Canceled},
		{"cancelled, in a lane", true, context.Canceled},
		{"timed out", false, context.DeadlineExceeded},
		{"timed out, in a lane", true, context.DeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{Timeout: time.Hour, DialContext: laterConnections(server, 150*time.Millisecond)}, server)
				time.Sleep(time.Second)
				var wg sync.WaitGroup
				if tt.crowd {
					for range 50 {
						wg.Go(func() { _, _ = client.Get(t.Context(), "k") })
					}
					wg.Wait()
				}
				release := holdWrites(server)
				value := func(s string) *memcached.Item {
					return &memcached.Item{Key: "k", Value: append(make([]byte, 15<<10), s...)}
				}
				wg.Go(func() {
					ctx, cancel := context.WithCancel(t.Context())
					if tt.left == context.DeadlineExceeded {
						ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
					}
					defer cancel()
					time.AfterFunc(50*time.Millisecond+1, cancel)
					if err := client.Set(ctx, value("old")); !errors.Is(err, tt.left) || safeToRetry(t, err) {
						t.Errorf("Set that is held = %v, want the end of its context", err)
					}
				})
				synctest.Wait()
				for i := range 400 {
					wg.Go(func() {
						if err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprint(i), Value: make([]byte, 15<<10)}); err != nil {
							t.Errorf("Set = %v", err)
						}
					})
				}
				synctest.Wait()
				wg.Go(func() {
					if err := client.Set(t.Context(), value("new")); err != nil {
						t.Errorf("Set behind it = %v", err)
					}
				})
				synctest.Wait()
				if tt.crowd { // it has no lane, and opens a connection
					wg.Go(func() { _ = client.Set(t.Context(), &memcached.Item{Key: "last", Value: make([]byte, 64<<10)}) })
				}
				time.AfterFunc(time.Second, func() { close(release) })
				wg.Wait()
				if item, err := client.Get(t.Context(), "k"); err != nil || !strings.HasSuffix(string(item.Value), "new") {
					t.Errorf("Get = %v, want the value of the later Set", err)
				}
			})
		})
	}
}
