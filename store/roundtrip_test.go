package store_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

// latency is how long the network of roundTrips takes there and back.
const latency = time.Second

// farConn delivers what the server answers a latency after the last request.
type farConn struct {
	net.Conn
	mu   sync.Mutex
	sent time.Time
}

func (c *farConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.sent = time.Now()
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *farConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	arrives := c.sent.Add(latency)
	c.mu.Unlock()
	time.Sleep(time.Until(arrives))
	return n, err
}

// roundTrips returns how many round trips one after another f makes.
func roundTrips(t *testing.T, prefix string, f func(ctx context.Context, s *store.Store) error) (trips int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := memcachedtest.Start(t, nil)
		client, err := memcached.New([]string{server.Addr()}, &memcached.Options{
			Timeout: time.Hour,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				nc, err := server.DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return &farConn{Conn: nc}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close() })
		s := newStore(t, client, &store.Options{Prefix: prefix})
		mustSet(t, s, "k", 1)
		mustSet(t, s, "l", 2, tagged("t", "u"))
		var wg sync.WaitGroup // connections enough for what goes on at once
		for range 4 {
			wg.Go(func() { s.Get(t.Context(), "k") })
		}
		wg.Wait()
		began := time.Now()
		if err := f(t.Context(), s); err != nil && !isMiss(err) {
			t.Fatal(err)
		}
		trips = int(time.Since(began) / latency)
	})
	return trips
}

func TestRoundTrips(t *testing.T) {
	hit := func(key string) func(context.Context, *store.Store) error {
		return func(ctx context.Context, s *store.Store) error { _, err := s.Get(ctx, key); return err }
	}
	for _, c := range []struct {
		name string
		want int
		run  func(ctx context.Context, s *store.Store) error
	}{
		{"Get", 1, hit("k")},
		{"Get of nothing", 1, hit("absent")},
		{"Get tagged", 2, hit("l")},
		{"GetWithTTL", 1, func(ctx context.Context, s *store.Store) error { _, _, err := s.GetWithTTL(ctx, "k"); return err }},
		{"Set", 1, func(ctx context.Context, s *store.Store) error { return s.Set(ctx, "k", 1) }},
		{"Set tagged", 2, func(ctx context.Context, s *store.Store) error { return s.Set(ctx, "k", 1, tagged("t", "u")) }},
		{"Delete", 1, func(ctx context.Context, s *store.Store) error { return s.Delete(ctx, "k") }},
		{"SetIfNotExists", 1, func(ctx context.Context, s *store.Store) error {
			_, err := s.SetIfNotExists(ctx, "absent", 1)
			return err
		}},
		{"Invalidate", 1, func(ctx context.Context, s *store.Store) error {
			return s.Invalidate(ctx, libstore.WithInvalidateTags([]string{"t"}))
		}},
		{"Clear", 1, func(ctx context.Context, s *store.Store) error { return s.Clear(ctx) }},
		{"Increment", 1, func(ctx context.Context, s *store.Store) error { _, err := s.Increment(ctx, "k", 1); return err }},
		{"Touch", 2, func(ctx context.Context, s *store.Store) error { return s.Touch(ctx, "k", time.Hour) }},
		{"GetMulti", 1, func(ctx context.Context, s *store.Store) error {
			_, err := s.GetMulti(ctx, []string{"k", "absent", "m", "n"})
			return err
		}},
		{"GetMulti tagged", 2, func(ctx context.Context, s *store.Store) error {
			_, err := s.GetMulti(ctx, []string{"k", "l"})
			return err
		}},
		{"SetMulti", 1, func(ctx context.Context, s *store.Store) error {
			return s.SetMulti(ctx, map[string]any{"k": 1, "l": 2, "m": 3})
		}},
		{"SetMulti tagged", 2, func(ctx context.Context, s *store.Store) error {
			return s.SetMulti(ctx, map[string]any{"k": 1, "l": 2, "m": 3}, tagged("t", "u"))
		}},
		{"DeleteMulti", 1, func(ctx context.Context, s *store.Store) error { return s.DeleteMulti(ctx, []string{"k", "l", "m"}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, prefix := range []string{"", "p:"} {
				if got := roundTrips(t, prefix, c.run); got != c.want {
					t.Errorf("prefix %q: %d round trips, want %d", prefix, got, c.want)
				}
			}
		})
	}
}
