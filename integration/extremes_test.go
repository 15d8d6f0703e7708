package integration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

// ownValue is what a key holds in the tests of load: it begins with the key.
func ownValue(key string, size int) []byte {
	return append([]byte(key+"|"), bytes.Repeat([]byte("x"), size)...)
}

// checkOwnValue fails the test when an item is not of its key.
func checkOwnValue(t *testing.T, item *memcached.Item, key string) {
	t.Helper()
	if name, rest, _ := strings.Cut(string(item.Value), "|"); item.Key != key || name != key || strings.Trim(rest, "x") != "" {
		t.Errorf("Get(%q) = %.40q of %q, want its own value", key, item.Value, item.Key)
	}
}

// load runs callers until stop is called. An error must be one of allowed. done
// counts the operations that succeeded.
func load(t *testing.T, client *memcached.Client, callers int, allowed ...error) (done *atomic.Int64, stop func()) {
	t.Helper()
	var ended atomic.Bool
	done = new(atomic.Int64)
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := caller; !ended.Load() && !t.Failed(); i++ {
				key := fmt.Sprint("load-", i%200)
				var err error
				var item *memcached.Item
				if i%3 == 0 {
					err = client.Set(t.Context(), &memcached.Item{Key: key, Value: ownValue(key, i%5000)})
				} else if item, err = client.Get(t.Context(), key); err == nil {
					checkOwnValue(t, item, key)
				}
				if err == nil || err == memcached.ErrCacheMiss {
					done.Add(1)
				} else if isOneOf(err, allowed) {
					time.Sleep(time.Millisecond) // it may have failed at once: leave the processor to others
				} else {
					t.Errorf("an operation under load = %v", err)
				}
			}
		})
	}
	return done, func() {
		ended.Store(true)
		wg.Wait()
	}
}

func isOneOf(err error, allowed []error) bool {
	for _, target := range allowed {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

func TestManyKeys_OnThreeNodes(t *testing.T) {
	t.Parallel()
	servers, opts := mode{servers: 3, server: integration.Options{Args: []string{"-m", "128"}}}.launch(t)
	opts.Timeout = time.Minute
	client := open(t, opts, servers...)
	keys := make([]string, 100_000)
	items := make([]*memcached.Item, len(keys))
	for i := range keys {
		keys[i] = fmt.Sprint("key-", i)
		items[i] = &memcached.Item{Key: keys[i], Value: []byte(keys[i])}
	}
	if err := client.SetMulti(t.Context(), items); err != nil {
		t.Fatalf("SetMulti of %d items = %v, want nil", len(items), err)
	}
	got, err := client.GetMulti(t.Context(), append(keys, keys...)) // each twice
	if err != nil || len(got) != len(keys) {
		t.Fatalf("GetMulti of %d keys = %d items, %v", len(keys), len(got), err)
	}
	for key, item := range got {
		if item.Key != key || string(item.Value) != key {
			t.Fatalf("GetMulti: %q holds %q of %q", key, item.Value, item.Key)
		}
	}
	if err := client.DeleteMulti(t.Context(), keys); err != nil {
		t.Fatalf("DeleteMulti of %d keys = %v, want nil", len(keys), err)
	}
	if got, err = client.GetMulti(t.Context(), keys); len(got) != 0 || err != nil {
		t.Errorf("GetMulti after DeleteMulti = %d items, %v, want none", len(got), err)
	}
}

func TestLargeValues_From64Callers(t *testing.T) {
	t.Parallel()
	for _, m := range []mode{
		{name: "plain", server: integration.Options{Args: []string{"-m", "256"}}},
		{name: "TLS with SASL", server: integration.Options{TLS: true, Users: users, Args: []string{"-m", "256"}}, client: saslOptions()},
	} {
		t.Run(m.name, func(t *testing.T) {
			servers, opts := m.launch(t)
			opts.Timeout = time.Minute
			client := open(t, opts, servers...)
			var wg sync.WaitGroup
			for caller := range 64 {
				wg.Go(func() {
					key := fmt.Sprint("large-", caller)
					value := ownValue(key, 1_048_000)
					for range 2 {
						if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: value}); err != nil {
							t.Errorf("Set(%q) = %v, want nil", key, err)
							return
						}
						item, err := client.Get(t.Context(), key)
						if err != nil || !bytes.Equal(item.Value, value) {
							t.Errorf("Get(%q) = %v, want %d bytes", key, err, len(value))
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// TestPausedUnderLoad: whatever a server does that stops and goes on, each caller
// gets the value of its key or a timeout, and afterwards all is well.
func TestPausedUnderLoad(t *testing.T) {
	t.Parallel()
	servers, opts := mode{servers: 2}.launch(t)
	opts.Timeout, opts.RetryAfter = 200*time.Millisecond, 20*time.Millisecond
	client := open(t, opts, servers...)
	done, stop := load(t, client, 32, memcached.ErrUnavailable)
	for i := range 6 {
		servers[0].Pause()
		time.Sleep(time.Duration(50+100*i) * time.Millisecond) // within the timeout, and beyond it
		servers[0].Resume()
		time.Sleep(100 * time.Millisecond)
	}
	if stop(); done.Load() == 0 {
		t.Error("no operation succeeded")
	}
	eventually(t, func() error { return client.Ping(t.Context()) })
}

// TestRotationUnderLoad: credentials change with every connection while the
// network cuts them; both are right.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	both := map[string]string{"first": "one password", "second": "another"}
	server := integration.Start(t, &integration.Options{Users: both})
	proxy := faultproxy.Start(t, server.Addr())
	var asked atomic.Int64
	client := openAt(t, &memcached.Options{
		Auth: sasl.AutoFunc(func(context.Context) (sasl.Credentials, error) {
			user := []string{"first", "second"}[asked.Add(1)%2]
			return sasl.Credentials{Username: user, Password: sasl.NewSecret(both[user])}, nil
		}),
		RetryAfter: 10 * time.Millisecond,
	}, proxy.Addr())
	done, stop := load(t, client, 16, memcached.ErrUnavailable)
	for i := range 20 {
		before := done.Load()
		eventually(t, func() error {
			if done.Load() == before {
				return errors.New("no operation succeeds")
			}
			return nil
		})
		proxy.CutAll(i%2 == 0)
	}
	stop()
	if asked.Load() < 10 {
		t.Errorf("credentials were asked for %d times in 20 rounds, want once for every connection", asked.Load())
	}
	eventually(t, func() error { return client.Ping(t.Context()) })
}

// TestClose_UnderLoadGivesEverythingBack closes clients in the midst of work on
// real servers, and looks for what they have kept.
func TestClose_UnderLoadGivesEverythingBack(t *testing.T) {
	servers, opts := mode{servers: 2}.launch(t)
	opts.IdleTimeout = time.Millisecond
	before, goroutinesBefore := heap(), runtime.NumGoroutine()
	for round := range 10 {
		client := open(t, opts, servers...)
		_, stop := load(t, client, 32, memcached.ErrClosed)
		time.Sleep(time.Duration(round*5) * time.Millisecond)
		if round%2 == 0 {
			if err := client.SetServers([]string{servers[round%4/2].Addr()}); err != nil {
				t.Errorf("SetServers = %v, want nil", err)
			}
		}
		if err := client.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
		stop()
	}
	if left := leaked("github.com/bmemcached/bmemcached-go/binary.", 5*time.Second); len(left) > 0 {
		t.Errorf("%d goroutines are left:\n%s", len(left), bytes.Join(left, []byte("\n\n")))
	}
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("the heap has grown by %d KiB (%d goroutines before, %d after)", grown>>10, goroutinesBefore, runtime.NumGoroutine())
	}
}
