package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

const defaultMaxConns = 8

// slowDialer returns a dialer that takes some time, as networks do.
func slowDialer(server *memcachedtest.Server) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		time.Sleep(10 * time.Millisecond)
		return server.DialContext(ctx, network, address)
	}
}

// largeOperations are operations that do not share lanes. Caller i has its own keys.
var largeOperations = map[string]func(ctx context.Context, client *memcached.Client, i int) error{
	"GetMulti of 100 keys": func(ctx context.Context, client *memcached.Client, i int) error {
		_, err := client.GetMulti(ctx, manyKeys(i))
		return err
	},
	"SetMulti of 100 items": func(ctx context.Context, client *memcached.Client, i int) error {
		var items []*memcached.Item
		for _, key := range manyKeys(i) {
			items = append(items, &memcached.Item{Key: key, Value: []byte(key)})
		}
		return client.SetMulti(ctx, items)
	},
	"Set of 15 KiB": func(ctx context.Context, client *memcached.Client, i int) error {
		return client.Set(ctx, &memcached.Item{Key: manyKeys(i)[0], Value: make([]byte, 15<<10)})
	},
	"Set of 64 KiB": func(ctx context.Context, client *memcached.Client, i int) error {
		return client.Set(ctx, &memcached.Item{Key: manyKeys(i)[0], Value: make([]byte, 64<<10)})
	},
}

func manyKeys(i int) []string {
	keys := make([]string, 100)
	for j := range keys {
		keys[j] = fmt.Sprintf("a-key-of-some-length-%04d-%04d", i, j)
	}
	return keys
}

// holdKeys makes the server hold back operations on keys until release is closed.
func holdKeys(server *memcachedtest.Server) (release chan struct{}) {
	release = make(chan struct{})
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Key == "" {
			return memcachedtest.Action{}
		}
		return memcachedtest.Action{Until: release}
	})
	return release
}

// wantSpread checks that calls are spread over all connections.
func wantSpread(t *testing.T, client *memcached.Client, callers int) {
	t.Helper()
	each := memcached.CallsInFlight(client)
	share := callers / defaultMaxConns
	if len(each) != defaultMaxConns || slices.Max(each) > share+share/4 {
		t.Errorf("%d calls are on the connections as %d, want about %d on each of %d", callers, each, share, defaultMaxConns)
	}
}

// A server serves its connections alike. So all who come at the start, when there
// is none, must not stay with the first.
func TestStart_CallsAreSpreadOverTheConnections(t *testing.T) {
	const callers = 1000
	for name, operation := range largeOperations {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{Timeout: time.Hour, DialContext: slowDialer(server)}, server)
				release := holdKeys(server)
				var wg sync.WaitGroup
				for i := range callers {
					wg.Go(func() {
						if err := operation(t.Context(), client, i); err != nil {
							t.Errorf("%s = %v", name, err)
						}
					})
				}
				time.Sleep(time.Second)
				synctest.Wait()
				wantSpread(t, client, callers)
				close(release)
				wg.Wait()
				if n := memcached.CallsInFlight(client); slices.Max(n) != 0 {
					t.Errorf("%d calls are on the connections in the end, want none", n)
				}
			})
		})
	}
}

// Operations that were small so far and are large now do not look for a lane.
func TestStart_OfACrowdedClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 1000
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Timeout: time.Hour, IdleTimeout: time.Second, DialContext: slowDialer(server)}, server)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { _, _ = client.Get(t.Context(), "k") })
		}
		wg.Wait()
		time.Sleep(time.Minute)
		if n := memcached.CallsInFlight(client); len(n) != 0 {
			t.Fatalf("there are %d connections after a minute, want none", len(n))
		}
		release := holdKeys(server)
		for i := range callers {
			wg.Go(func() {
				if err := largeOperations["Set of 15 KiB"](t.Context(), client, i); err != nil {
					t.Errorf("Set = %v", err)
				}
			})
		}
		time.Sleep(time.Second)
		synctest.Wait()
		wantSpread(t, client, callers)
		close(release)
		wg.Wait()
	})
}

// Large operations that wait in a lane, where there were small ones before, leave it.
func TestStart_LargeOperationsLeaveTheirLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 1000
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Timeout: time.Hour, DialContext: slowDialer(server)}, server)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { _, _ = client.Get(t.Context(), "k") })
		}
		wg.Wait()
		release := holdKeys(server)
		setLarge := func(key string, size int) {
			wg.Go(func() {
				if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: make([]byte, size)}); err != nil {
					t.Errorf("Set = %v", err)
				}
			})
		}
		setLarge("first", 512<<10) // more than the connection takes: nothing is written behind it
		synctest.Wait()
		for i := range callers {
			setLarge(fmt.Sprint("k", i), 15<<10)
		}
		synctest.Wait()
		if n := memcached.WaitingCalls(client); n < callers/2 {
			t.Fatalf("%d of %d callers wait for room in the lane, want most", n, callers)
		}
		setLarge("last", 64<<10) // it has no lane, and opens a connection
		time.Sleep(time.Second)
		synctest.Wait()
		if n := memcached.WaitingCalls(client); n > callers/4 {
			t.Errorf("%d of %d callers wait for room when there are other connections, want few", n, callers)
		}
		close(release)
		wg.Wait()
		if n := server.RequestCount(memcachedtest.OpSet); n != callers+2 {
			t.Errorf("the server got %d SETs, want %d", n, callers+2)
		}
		if n := client.Stats().Servers[server.Addr()].Ops; n != 50+callers+2 {
			t.Errorf("Stats has %d operations, want %d", n, 50+callers+2)
		}
	})
}

// Who tries again gets no connection that is older than that.
func TestStart_SecondAttemptsAreSpreadOverTheConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 1000
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Timeout: time.Hour, DialContext: slowDialer(server)}, server)
		hangUp, release := make(chan struct{}), make(chan struct{})
		var cut atomic.Bool
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			switch {
			case r.Key == "":
				return memcachedtest.Action{}
			case !cut.Load():
				return memcachedtest.Action{Until: hangUp, Mute: true, Close: true}
			default:
				return memcachedtest.Action{Until: release}
			}
		})
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				if _, err := client.GetMulti(t.Context(), manyKeys(i)); err != nil {
					t.Errorf("GetMulti = %v, want the answer to a second attempt", err)
				}
			})
		}
		time.Sleep(time.Second)
		synctest.Wait()
		cut.Store(true)
		close(hangUp)
		time.Sleep(time.Second)
		synctest.Wait()
		wantSpread(t, client, callers)
		close(release)
		wg.Wait()
	})
}

// The operations need half a second on all connections together, four on one.
func TestStart_AllAreAnsweredInTime(t *testing.T) {
	const callers, each = 1000, 4 * time.Millisecond
	slow := func(server *memcachedtest.Server) {
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Op != memcachedtest.OpSet {
				return memcachedtest.Action{}
			}
			return memcachedtest.Action{Delay: each}
		})
	}
	setAll := func(t *testing.T, client *memcached.Client) {
		t.Helper()
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				if err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprint("k", i), Value: make([]byte, 15<<10)}); err != nil {
					t.Errorf("Set = %v", err)
				}
			})
		}
		wg.Wait()
	}
	for _, most := range []int{defaultMaxConns, 20} {
		t.Run(fmt.Sprint(most, " connections"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{MaxConns: most, DialContext: slowDialer(server)}, server)
				slow(server)
				setAll(t, client)
				if n := server.RequestCount(memcachedtest.OpSet); n != callers {
					t.Errorf("the server got %d SETs, want %d", n, callers)
				}
				if err := server.Restart(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second) // the client notices
				setAll(t, client)
			})
		})
	}
}

// Nobody is kept waiting for a connection that does not come.
func TestStart_ConnectionThatDoesNotComeHoldsNobodyUp(t *testing.T) {
	tests := map[string]func(ctx context.Context) error{
		"refused": func(context.Context) error { return errors.New("no more connections") },
		"silent":  func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	}
	for name, second := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const callers = 200
				server := newServer(t, nil)
				var dials atomic.Int32
				client := newClient(t, memcached.Options{Timeout: 2 * time.Second, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					if dials.Add(1) > 1 {
						if err := second(ctx); err != nil {
							return nil, err
						}
					}
					return server.DialContext(ctx, network, address)
				}}, server)
				server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
					if r.Op != memcachedtest.OpSet {
						return memcachedtest.Action{}
					}
					return memcachedtest.Action{Delay: 5 * time.Millisecond}
				})
				start := time.Now()
				var wg sync.WaitGroup
				for i := range callers {
					wg.Go(func() {
						if err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprint("k", i), Value: make([]byte, 15<<10)}); err != nil {
							t.Errorf("Set = %v", err)
						}
					})
				}
				wg.Wait()
				if took := time.Since(start); took != callers*5*time.Millisecond {
					t.Errorf("%d operations of 5ms took %v on one connection", callers, took)
				}
			})
		})
	}
}

// When no other connection comes the first one takes as much as ever.
func TestStart_RefusedConnectionMakesRoomOnTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		var dials atomic.Int32
		client := newClient(t, memcached.Options{Timeout: time.Hour, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials.Add(1) > 1 {
				time.Sleep(time.Second)
				return nil, errors.New("no more connections")
			}
			return server.DialContext(ctx, network, address)
		}}, server)
		release := holdKeys(server)
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				if err := largeOperations["Set of 15 KiB"](t.Context(), client, i); err != nil {
					t.Errorf("Set = %v", err)
				}
			})
		}
		time.Sleep(time.Second / 2)
		synctest.Wait()
		if n := memcached.UnsentBytes(client); n > 1<<20 {
			t.Errorf("%d bytes wait to be written while another connection is opened, want less than 1 MiB", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := memcached.UnsentBytes(client); n < maxUnsent {
			t.Errorf("%d bytes wait to be written when no connection has come, want %d", n, maxUnsent)
		}
		close(release)
		wg.Wait()
	})
}

// A caller leaves in time, whether or not it has been told to choose again.
func TestStart_WaitingCallersLeaveInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 1000
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Timeout: time.Hour, DialContext: slowDialer(server)}, server)
		release := holdKeys(server)
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				// Half of them leave while connections are opened, one after another.
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(10+i%160)*time.Millisecond)
				defer cancel()
				start := time.Now()
				err := client.Set(ctx, &memcached.Item{Key: fmt.Sprint("k", i), Value: make([]byte, 15<<10)})
				if end, _ := ctx.Deadline(); !errors.Is(err, context.DeadlineExceeded) || time.Since(end) != 0 {
					t.Errorf("Set = %v after %v, want the context's end", err, time.Since(start))
				}
			})
		}
		wg.Wait()
		close(release)
		server.Intercept(nil)
		time.Sleep(time.Second)
		if n := memcached.CallsInFlight(client); slices.Max(n) != 0 {
			t.Errorf("%d calls are on the connections in the end, want none", n)
		}
		set(t, client, "k", "v")
	})
}
