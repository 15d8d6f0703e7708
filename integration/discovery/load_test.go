// Package discovery_test runs package discovery against a real DNS server and
// scripted configuration endpoints, with real memcached behind them.
package discovery_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/discovery"
	"github.com/bmemcached/bmemcached-go/integration"
)

// network leads made up addresses, as pods have them, to real servers.
type network map[string]*integration.Server

func (n network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	server, found := n[address]
	if !found {
		return nil, fmt.Errorf("nobody has the address %s", address)
	}
	return new(net.Dialer).DialContext(ctx, network, server.Addr())
}

// startServers launches memcached n times.
func startServers(t *testing.T, n int) []*integration.Server {
	t.Helper()
	servers := make([]*integration.Server, n)
	for i := range servers {
		servers[i] = integration.Start(t, nil)
	}
	return servers
}

// follow returns a client that follows the resolver closely and waits for its
// answers as long as timeout.
func follow(t *testing.T, resolver discovery.Resolver, opts *memcached.Options, timeout time.Duration) (*memcached.Client, *discovery.Watcher) {
	t.Helper()
	opts.Timeout = 10 * time.Second
	client, watcher, err := discovery.New(t.Context(), resolver, opts, &discovery.Options{Interval: 10 * time.Millisecond, Timeout: timeout})
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	t.Cleanup(func() {
		watcher.Close()
		client.Close()
	})
	return client, watcher
}

// load is work that never stops on a client, by several goroutines: every
// operation must succeed, and find its own value or nothing.
type load struct {
	stop   chan struct{}
	wg     sync.WaitGroup
	ops    atomic.Int64
	failed atomic.Pointer[error]
}

func startLoad(t *testing.T, client *memcached.Client) *load {
	t.Helper()
	l := &load{stop: make(chan struct{})}
	for w := range 8 {
		l.wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-l.stop:
					return
				default:
				}
				if err := work(t.Context(), client, fmt.Sprintf("w%d-%d", w, i%500)); err != nil {
					l.failed.CompareAndSwap(nil, &err)
					return
				}
				l.ops.Add(3)
			}
		})
	}
	t.Cleanup(func() { l.end(t) })
	return l
}

func work(ctx context.Context, client *memcached.Client, key string) error {
	if err := client.Set(ctx, &memcached.Item{Key: key, Value: []byte(key)}); err != nil {
		return err
	}
	if item, err := client.Get(ctx, key); err == nil && string(item.Value) != key {
		return fmt.Errorf("Get(%q) = %q", key, item.Value)
	} else if err != nil && !errors.Is(err, memcached.ErrCacheMiss) { // it may have moved
		return err
	}
	items, err := client.GetMulti(ctx, []string{key, "w0-1", "w1-2", "w2-3", "w3-4"})
	for found, item := range items {
		if string(item.Value) != found {
			return fmt.Errorf("GetMulti found %q for %q", item.Value, found)
		}
	}
	return err
}

// more waits for further operations.
func (l *load) more(t *testing.T) {
	t.Helper()
	want := l.ops.Load() + 300
	eventually(t, "more operations", func() bool { return l.ops.Load() > want || l.failed.Load() != nil })
	if err := l.failed.Load(); err != nil {
		t.Fatalf("an operation failed: %v", *err)
	}
}

// end stops the work. It is an error when any operation failed.
func (l *load) end(t *testing.T) {
	t.Helper()
	select {
	case <-l.stop:
		return
	default:
	}
	close(l.stop)
	l.wg.Wait()
	if err := l.failed.Load(); err != nil {
		t.Errorf("an operation failed: %v", *err)
	}
}
