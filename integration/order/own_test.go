package order_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

// Callers that write rising numbers to keys of their own, through a network that
// delays and holds for less than twice Options.Timeout, and swallows answers: each
// reads the last number that was stored, or a later one that may have been, and
// never an earlier one, whatever became of those. Callers also count together:
// the sum lies between what succeeded and what may have.
func TestFaults_OwnWritesAreReadInOrder(t *testing.T) {
	onEveryServer(t, ownWrites)
}

func ownWrites(t *testing.T, addr string) {
	const timeout = 60 * time.Millisecond
	seed := seeded(t)
	proxy := faultproxy.Start(t, addr)
	client := open(t, proxy.Addr(), memcached.Options{Timeout: timeout, RetryAfter: 5 * time.Millisecond, MaxConns: 3})
	const counter = "together"
	eventually(t, func() error {
		return client.Set(t.Context(), &memcached.Item{Key: counter, Value: []byte("0")})
	})

	stop := make(chan struct{})
	var network, all sync.WaitGroup
	var late atomic.Bool // something was held so long that nothing is promised
	network.Go(func() {
		holdNow(proxy, rand.New(rand.NewPCG(seed, 0)), timeout*3/2, stop, func(held time.Duration) {
			if held > timeout*7/4 { // with time for the rest of the way
				late.Store(true)
			}
		})
	})
	var failed, counted, maybe atomic.Int64
	end := time.Now().Add(lasting(t))
	for i := range 12 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i+1)))
			key, stored := fmt.Sprint("own-", i), 0
			for n := 1; time.Now().Before(end) && !late.Load(); n++ {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(100))*time.Millisecond)
				var err error
				item := &memcached.Item{Key: key, Value: []byte(strconv.Itoa(n))}
				if random.IntN(2) == 0 {
					err = client.Set(ctx, item)
				} else {
					err = of(client.SetMulti(ctx, []*memcached.Item{item, {Key: key + "-other"}}), key)
				}
				if err != nil {
					failed.Add(1)
				} else {
					stored = n
				}
				if item, err = client.Get(ctx, key); err == nil {
					if got, _ := strconv.Atoi(string(item.Value)); (got < stored || got > n) && !late.Load() {
						t.Errorf("%s = %d after %d was stored and %d was written", key, got, stored, n)
					}
				} else if err == memcached.ErrCacheMiss && stored > 0 && !late.Load() {
					t.Errorf("%s is missing after %d was stored", key, stored)
				}
				if _, err = client.Increment(ctx, counter, 1); err == nil {
					counted.Add(1)
				} else {
					maybe.Add(1)
					time.Sleep(time.Millisecond) // the server may be down, and then fails at once
				}
				cancel()
			}
		})
	}
	all.Wait()
	close(stop)
	network.Wait()
	var sum int64
	eventually(t, func() error {
		item, err := client.Get(t.Context(), counter)
		if err == nil {
			sum, err = strconv.ParseInt(string(item.Value), 10, 64)
		}
		return err
	})
	if sum < counted.Load() || sum > counted.Load()+maybe.Load() {
		t.Errorf("the counter is %d, want %d to %d", sum, counted.Load(), counted.Load()+maybe.Load())
	}
	t.Logf("%d counted, %d perhaps; %d writes failed; ended early: %v", counted.Load(), maybe.Load(), failed.Load(), late.Load())
}

// holdNow disturbs the network until stop is closed, so that everything arrives
// in the end, and nothing later than limit, or as soon as a busy machine gets to
// it: releasing is told how long requests were held, before they arrive.
func holdNow(proxy *faultproxy.Proxy, random *rand.Rand, limit time.Duration, stop <-chan struct{}, releasing func(held time.Duration)) {
	defer proxy.Use(faultproxy.Faults{})
	for {
		var f faultproxy.Faults
		var held chan struct{}
		switch random.IntN(4) {
		case 0:
			f.Requests.Delay = time.Duration(random.IntN(2000)) * time.Microsecond
		case 1:
			f.Responses.Swallow = true
		case 2:
			held = make(chan struct{})
			f.Requests.Hold = held
		}
		began := time.Now()
		proxy.Use(f)
		select {
		case <-stop:
		case <-time.After(time.Duration(random.Int64N(int64(limit)))): // how long it lasts
		}
		if held != nil {
			proxy.Use(faultproxy.Faults{})
			releasing(time.Since(began))
			close(held)
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}
