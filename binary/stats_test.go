package memcached_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestStats_Numbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		network := newFlaky(server)
		client := newClient(t, memcached.Options{MaxConns: 1, DialContext: network.DialContext}, server)
		ctx := t.Context()
		set(t, client, "k", "v")                                 // 1
		wantValue(t, client, "k", "v")                           // 2: a hit
		_, _ = client.Get(ctx, "miss")                           // 3: a miss
		_, _ = client.GetAndTouch(ctx, "k", 0)                   // 4: a hit
		_, _, _ = client.AppendValue(ctx, nil, "miss")           // 5: a miss
		_, _ = client.GetMulti(ctx, []string{"k", "miss", "k"})  // 6: two hits, one miss
		_ = client.Add(ctx, &memcached.Item{Key: "k"})           // 7: an answer, no error
		_ = client.CompareAndDelete(ctx, "k", 0)                 // refused locally
		_, _ = client.Get(ctx, "")                               // refused locally
		if _, err := client.Increment(ctx, "k", 1); err == nil { // 8: an error
			t.Error("Increment of a text = nil")
		}
		want := memcached.ServerStats{Conns: 1, Dials: 1, Ops: 8, Errors: 1}
		s := client.Stats()
		if s.Gets != 7 || s.Hits != 4 || s.Misses != 3 || s.Ops != 8 || s.Errors != 1 || s.Timeouts != 0 || s.Cancellations != 0 || s.Retries != 0 {
			t.Errorf("Stats() = %+v, want 7 gets, 4 hits, 3 misses, 8 operations, 1 error", s)
		}
		if s.Servers[server.Addr()] != want {
			t.Errorf("Stats().Servers = %+v, want %+v", s.Servers[server.Addr()], want)
		}

		server.Intercept(delays(map[string]time.Duration{"slow": time.Minute}))
		cancelled, cancel := context.WithCancel(ctx)
		time.AfterFunc(10*time.Millisecond, cancel)
		_, _ = client.Get(cancelled, "slow") // 9: cancelled
		deadline, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		_, _ = client.Get(deadline, "slow") // 10: a timeout
		if s := client.Stats(); s.Gets != 9 || s.Ops != 10 || s.Errors != 3 || s.Timeouts != 1 || s.Cancellations != 1 {
			t.Errorf("Stats() = %+v, want 9 gets, 10 operations, 3 errors, 1 timeout, 1 cancellation", s)
		}
		op := getAt(t, client, time.Now(), 0, 0, "slow") // 11: ends with the connection, for silence
		synctest.Wait()
		if n := client.Stats().Servers[server.Addr()].InFlight; n != 1 {
			t.Errorf("%d operations in flight, want 1", n)
		}
		<-op.done
		network.set(server, true)
		server.Stop()
		_, _ = client.Get(ctx, "k") // 12
		got := client.Stats().Servers[server.Addr()]
		if got.Conns != 0 || got.Ops != 12 || got.Errors != 5 || got.DialErrors == 0 || !got.Down || got.InFlight != 0 {
			t.Errorf("Stats of a dead server = %+v", got)
		}
	})
}

// TestServerStats_ALargeStatistic: "detail dump" is one statistic, and as large
// as there are prefixes.
func TestServerStats_ALargeStatistic(t *testing.T) {
	for _, size := range []int{10_000, 16 << 10, 40_000, 900_000} {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1, DialContext: dialTCP, Timeout: time.Minute}, server) // a busy machine is no reason to fail
		put(server, "k", "v")
		dump := strings.Repeat("PREFIX p get 1 hit 1 set 1 del 0\r\n", size/34+1)[:size]
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Op != "STAT" {
				return memcachedtest.Action{}
			}
			return memcachedtest.Action{Edit: func([]byte) []byte {
				return append(said(codeStat, 0, r.Opaque, 0, "", "detailed", dump), said(codeStat, 0, r.Opaque, 0, "", "", "")...)
			}}
		})
		for range 3 {
			stats, err := client.ServerStats(t.Context(), "detail dump")
			if got := stats[server.Addr()]["detailed"]; err != nil || got != dump {
				t.Fatalf("ServerStats = %d bytes, %v, want %d", len(got), err, size)
			}
			wantValue(t, client, "k", "v")
		}
		if n := client.Stats().Servers[server.Addr()].Dials; n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	}
}

// TestStats_RefusalsOfServersAreErrors: alerts look at Errors.
func TestStats_RefusalsOfServersAreErrors(t *testing.T) {
	for _, status := range []memcached.Status{
		memcached.StatusTooLarge, memcached.StatusNotNumber, memcached.StatusOutOfMemory, memcached.StatusNotSupported,
		memcached.StatusInternalError, memcached.StatusBusy, memcached.StatusTemporaryFailure,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			server := newServer(t, nil)
			client := newClient(t, memcached.Options{}, server)
			set(t, client, "k", "v")
			server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
				if r.Key == "" {
					return memcachedtest.Action{}
				}
				return memcachedtest.Action{Status: status}
			})
			ctx := t.Context()
			_, getErr := client.Get(ctx, "k")
			_, countErr := client.Increment(ctx, "k", 1)
			_, multiErr := client.GetMulti(ctx, []string{"k", "l"})
			for i, err := range []error{
				getErr, countErr, multiErr,
				client.Set(ctx, &memcached.Item{Key: "k"}),
				client.SetMulti(ctx, []*memcached.Item{{Key: "k"}, {Key: "l"}}),
				client.DeleteMulti(ctx, []string{"k", "l"}),
			} {
				if err == nil {
					t.Errorf("operation %d = nil, want an error", i)
				}
			}
			if s := client.Stats(); s.Ops != 7 || s.Errors != 6 {
				t.Errorf("Stats() = %d errors in %d operations, want 6 in 7", s.Errors, s.Ops)
			}
		})
	}
}
