package integration_test

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

// TestSoak lets 64 callers operate on three servers with SASL, of which one after
// the other meets a fault, for 20 seconds (MEMCACHED_SOAK: that long). A part of
// the operations is given up at random moments. Nobody may ever get a value that
// is not of its key, or one that a later write has replaced; heap, goroutines and
// descriptors must not grow.
func TestSoak(t *testing.T) {
	lasts := 20 * time.Second
	if text := os.Getenv("MEMCACHED_SOAK"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("MEMCACHED_SOAK: %v", err)
		}
		lasts = d
	}
	s := startSoak(t, lasts)
	var callers sync.WaitGroup
	all := make([]*soakCaller, soakCallers)
	for i := range all {
		all[i] = newSoakCaller(s, i)
		callers.Go(all[i].run)
	}
	ended := make(chan struct{})
	go func() {
		callers.Wait()
		close(ended)
	}()
	faults := s.torment(ended)
	for _, caller := range all {
		caller.readAll()
	}

	if err := s.client.Close(); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
	if left := leaked("github.com/bmemcached/bmemcached-go/binary.", 5*time.Second); len(left) > 0 {
		t.Errorf("%d goroutines are left:\n%s", len(left), bytes.Join(left, []byte("\n\n")))
	}
	s.levels.check(t)
	t.Logf("%v: %s; faults: %v", lasts, s.outcomes.String(), faults)
	o := &s.outcomes
	if o.hits.Load() == 0 || o.cancelled.Load() == 0 || o.unavailable.Load() == 0 || len(faults) == 0 {
		t.Errorf("the soak did not meet what it is for: %s; faults: %v", o.String(), faults)
	}
}

// soak is what the callers share.
type soak struct {
	t        *testing.T
	client   *memcached.Client
	servers  []*integration.Server
	proxies  []*faultproxy.Proxy
	end      time.Time
	outcomes outcomes
	levels   levels
}

// soakTimeout is the Options.Timeout. Faults that hold bytes last less than twice
// as long: that is how long the client waits for what it has written.
const soakTimeout = time.Second

func startSoak(t *testing.T, lasts time.Duration) *soak {
	s := &soak{t: t}
	var addrs []string
	for range 3 {
		server := integration.Start(t, &integration.Options{Users: users})
		proxy := faultproxy.Start(t, server.Addr())
		s.servers, s.proxies = append(s.servers, server), append(s.proxies, proxy)
		addrs = append(addrs, proxy.Addr())
	}
	opts := saslOptions()
	opts.Timeout = soakTimeout
	s.client = openAt(t, &opts, addrs...)
	eventually(t, func() error { return s.client.Ping(t.Context()) })
	s.end = time.Now().Add(lasts)
	return s
}

// outcomes counts what came of the operations.
type outcomes struct{ hits, misses, cancelled, unavailable, others atomic.Int64 }

func (o *outcomes) all() int64 {
	return o.hits.Load() + o.misses.Load() + o.cancelled.Load() + o.unavailable.Load() + o.others.Load()
}

func (o *outcomes) String() string {
	return fmt.Sprintf("%d operations: %d done, %d misses, %d given up, %d unavailable, %d other answers",
		o.all(), o.hits.Load(), o.misses.Load(), o.cancelled.Load(), o.unavailable.Load(), o.others.Load())
}
