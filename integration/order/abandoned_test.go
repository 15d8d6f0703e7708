package order_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

const callers = 64

// abandoned are the operations that callers leave. Each would change what a Set
// after it has stored.
var abandoned = map[string]func(ctx context.Context, c *memcached.Client, item *memcached.Item) error{
	"Set": func(ctx context.Context, c *memcached.Client, item *memcached.Item) error { return c.Set(ctx, item) },
	"Append": func(ctx context.Context, c *memcached.Client, item *memcached.Item) error {
		return c.Append(ctx, item.Key, item.Value)
	},
	"Delete": func(ctx context.Context, c *memcached.Client, item *memcached.Item) error {
		return c.Delete(ctx, item.Key)
	},
	"Touch": func(ctx context.Context, c *memcached.Client, item *memcached.Item) error {
		return c.Touch(ctx, item.Key, -time.Second)
	},
	"SetMulti": func(ctx context.Context, c *memcached.Client, item *memcached.Item) error {
		return c.SetMulti(ctx, []*memcached.Item{item, {Key: item.Key + "-other"}})
	},
	"DeleteMulti": func(ctx context.Context, c *memcached.Client, item *memcached.Item) error {
		return c.DeleteMulti(ctx, []string{item.Key + "-other", item.Key})
	},
	"Increment": func(ctx context.Context, c *memcached.Client, item *memcached.Item) error {
		_, err := c.Increment(ctx, item.Key, 1)
		return err
	},
}

// A healthy server, and callers who leave at random moments.
func TestAbandonedWrite_NeverUndoesALaterOne(t *testing.T) {
	addr := start(t)
	for name, write := range abandoned {
		for _, size := range []int{100, 20 << 10} {
			if size > 100 && (name == "Delete" || name == "Touch" || name == "DeleteMulti" || name == "Increment") {
				continue // they have no value
			}
			t.Run(fmt.Sprintf("%s of %d bytes", name, size), func(t *testing.T) {
				client := open(t, addr, memcached.Options{Timeout: 20 * time.Second})
				leaveAndSet(t, client, write, size, lasting(t)/8)
			})
		}
	}
}

// A slow network: writes lie on the way for as long as callers wait.
func TestAbandonedWrite_OnASlowNetworkNeverUndoesALaterOne(t *testing.T) {
	proxy := faultproxy.Start(t, start(t))
	client := open(t, proxy.Addr(), memcached.Options{Timeout: 20 * time.Second, MaxConns: 3})
	for name, write := range abandoned {
		t.Run(name, func(t *testing.T) {
			proxy.Use(faultproxy.Faults{Requests: faultproxy.Direction{Delay: 300 * time.Microsecond}})
			leaveAndSet(t, client, write, 100, lasting(t)/8)
		})
	}
}

// leaveAndSet lets callers abandon write, each on a key of its own, then Set the
// key, and wants to read what was set.
func leaveAndSet(t *testing.T, client *memcached.Client, write func(context.Context, *memcached.Client, *memcached.Item) error, size int, last time.Duration) {
	seed := seeded(t)
	padding := strings.Repeat("x", size)
	var left, withdrawn, undone atomic.Int64
	end := time.Now().Add(last)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			key := fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), i)
			for n := 0; time.Now().Before(end); n++ {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(2000))*time.Microsecond)
				err := write(ctx, client, &memcached.Item{Key: key, Value: []byte(padding)})
				cancel()
				if fault, ok := errors.AsType[*memcached.OpError](err); ok {
					left.Add(1)
					if fault.SafeToRetry() {
						withdrawn.Add(1)
					}
				}
				want := fmt.Sprint(n)
				if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte(want)}); err != nil {
					t.Errorf("Set = %v", err)
					return
				}
				for range 2 { // at once, and a little later
					item, err := client.Get(t.Context(), key)
					if err != nil || string(item.Value) != want {
						undone.Add(1)
						break
					}
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d writes were left, %d of them not sent", left.Load(), withdrawn.Load())
	if n := undone.Load(); n > 0 {
		t.Errorf("%d of %d writes that callers had left undid a later one", n, left.Load())
	}
	if left.Load() == 0 {
		t.Error("no caller left: the test tests nothing")
	}
}
