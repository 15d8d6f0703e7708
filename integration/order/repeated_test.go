package order_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

// How the connection ends for the client while the first copy of a write is held:
// because an earlier operation on it got no answer, or by the network.
var holds = map[string]func(ctx context.Context, proxy *faultproxy.Proxy, client *memcached.Client){
	"silence": func(ctx context.Context, _ *faultproxy.Proxy, client *memcached.Client) {
		go client.Get(ctx, "none")
		time.Sleep(50 * time.Millisecond) // that much of Options.Timeout is left to the write
	},
	"end":   func(_ context.Context, proxy *faultproxy.Proxy, _ *memcached.Client) { cutSoon(proxy, false) },
	"reset": func(_ context.Context, proxy *faultproxy.Proxy, _ *memcached.Client) { cutSoon(proxy, true) },
}

func cutSoon(proxy *faultproxy.Proxy, reset bool) {
	time.AfterFunc(20*time.Millisecond, func() { proxy.CutClients(reset) })
}

// The first copy of a write is held on its way. The client must not send a
// second one and take its answer for the first's: the first could undo what
// comes later.
func TestHeldWrite_IsNotRepeated(t *testing.T) {
	addr := start(t)
	direct := open(t, addr, memcached.Options{})
	writes := map[string]func(ctx context.Context, c *memcached.Client) error{
		"cmd_set": func(ctx context.Context, c *memcached.Client) error {
			return c.Set(ctx, &memcached.Item{Key: "k", Value: []byte("old")})
		},
		"delete_hits": func(ctx context.Context, c *memcached.Client) error { return c.Delete(ctx, "k") },
		"cmd_touch":   func(ctx context.Context, c *memcached.Client) error { return c.Touch(ctx, "k", time.Hour) },
		"touch_hits": func(ctx context.Context, c *memcached.Client) error { // of GetAndTouch
			_, err := c.GetAndTouch(ctx, "k", time.Hour)
			return err
		},
	}
	for hold, disturb := range holds {
		for stat, write := range writes {
			t.Run(stat+"/"+hold, func(t *testing.T) {
				proxy := faultproxy.Start(t, addr)
				client := open(t, proxy.Addr(), memcached.Options{Timeout: 200 * time.Millisecond, RetryAfter: 10 * time.Millisecond, MaxConns: 1})
				if err := direct.Set(t.Context(), &memcached.Item{Key: "k", Value: []byte("before")}); err != nil {
					t.Fatal(err)
				}
				if _, err := client.Get(t.Context(), "k"); err != nil { // connects
					t.Fatal(err)
				}
				before := count(t, direct, stat)
				release := make(chan struct{})
				proxy.Use(faultproxy.Faults{Requests: faultproxy.Direction{Hold: release}})
				disturb(t.Context(), proxy, client)
				err := write(t.Context(), client)
				fault, ok := errors.AsType[*memcached.OpError](err)
				if !ok || !errors.Is(err, memcached.ErrUnavailable) || fault.SafeToRetry() {
					t.Errorf("a write that is held = %v, want ErrUnavailable that is not safe to retry", err)
				}
				proxy.Use(faultproxy.Faults{})
				close(release)
				for range 100 { // the first copy comes late
					if count(t, direct, stat) > before {
						break
					}
					time.Sleep(time.Millisecond)
				}
				proxy.Close() // returns when nothing is on its way any more
				if n := count(t, direct, stat) - before; n != 1 {
					t.Errorf("the write was carried out %d times, want once", n)
				}
			})
		}
	}
}

// count returns a statistic of the server.
func count(t *testing.T, client *memcached.Client, name string) int {
	t.Helper()
	stats, err := client.ServerStats(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range stats {
		n, err := strconv.Atoi(of[name])
		if err != nil {
			t.Fatalf("statistic %s: %v", name, err)
		}
		return n
	}
	return 0
}
