package memcached_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// The values of the hunt follow from their keys, so that one which was delivered
// for another key is known as such. A key tells its number and its size.
const huntKeys = 300

func huntKey(n int) string {
	size := n % 97 // small
	switch {
	case n%20 == 0:
		size = 20_000 + n*37 // written and read past the buffers
	case n%11 == 0:
		size = n * 50
	}
	return fmt.Sprintf("hunt-%d-%d", n, size)
}

func huntValue(key string) []byte {
	_, size, _ := bytes.Cut([]byte(key)[len("hunt-"):], []byte("-"))
	n, _ := strconv.Atoi(string(size))
	head := []byte(key + "|")
	value := append(head, bytes.Repeat(head, n/len(head)+1)...)
	return value[:len(head)+n]
}

// hunter runs random operations with random ends of their contexts.
type hunter struct {
	t      *testing.T
	client *memcached.Client
	rng    *rand.Rand
	ops    *atomic.Int64
	hits   *atomic.Int64
	buffer []byte // shared by several reads one after another
}

func (h *hunter) context() (context.Context, context.CancelFunc) {
	switch d := time.Duration(h.rng.IntN(3000)) * time.Microsecond; h.rng.IntN(6) {
	case 0:
		return context.WithTimeout(h.t.Context(), d)
	case 1:
		ctx, cancel := context.WithCancel(h.t.Context())
		time.AfterFunc(d, cancel)
		return ctx, cancel
	case 2:
		return context.WithTimeout(h.t.Context(), time.Hour)
	case 3:
		return memcached.WithTimeout(h.t.Context(), time.Millisecond+d), func() {}
	case 4:
		return memcached.WithTimeout(h.t.Context(), 100*time.Millisecond+100*d), func() {}
	default:
		return h.t.Context(), func() {}
	}
}

// check compares a value with what its key promises.
func (h *hunter) check(op, key string, value []byte) {
	h.hits.Add(1)
	if want := huntValue(key); !bytes.Equal(value, want) {
		h.t.Errorf("%s(%q) = %.60q… (%d bytes), want %.60q… (%d bytes)", op, key, value, len(value), want, len(want))
	}
}

// checkErr allows what a bad day may bring.
func (h *hunter) checkErr(op string, err error) {
	switch {
	case err == nil, errors.Is(err, memcached.ErrCacheMiss), errors.Is(err, memcached.ErrUnavailable),
		errors.Is(err, memcached.ErrNotStored), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	default:
		h.t.Errorf("%s = %v", op, err)
	}
}

func (h *hunter) step() {
	h.ops.Add(1)
	ctx, cancel := h.context()
	defer cancel()
	key := huntKey(h.rng.IntN(huntKeys))
	switch h.rng.IntN(12) {
	case 0, 1, 2:
		value := huntValue(key)
		h.checkErr("Set", h.client.Set(ctx, &memcached.Item{Key: key, Value: value}))
		for i := range value { // the caller's again
			value[i] = '!'
		}
	case 3:
		h.checkErr("Delete", h.client.Delete(ctx, key))
	case 4:
		keys := make([]string, 1+h.rng.IntN(60))
		for i := range keys {
			keys[i] = huntKey(h.rng.IntN(huntKeys))
		}
		items, err := h.client.GetMulti(ctx, keys)
		h.checkErr("GetMulti", err)
		for key, item := range items {
			if item.Key != key {
				h.t.Errorf("GetMulti: the item of %q says %q", key, item.Key)
			}
			h.check("GetMulti", key, item.Value)
		}
	case 5:
		items := make([]*memcached.Item, 1+h.rng.IntN(20))
		for i := range items {
			key := huntKey(h.rng.IntN(huntKeys))
			items[i] = &memcached.Item{Key: key, Value: huntValue(key)}
		}
		h.checkErr("SetMulti", h.client.SetMulti(ctx, items))
		for _, item := range items {
			clear(item.Value)
		}
	case 6, 7:
		h.appendValue(ctx, key)
	case 8:
		item, err := h.client.GetAndTouch(ctx, key, time.Hour)
		if h.checkErr("GetAndTouch", err); err == nil {
			h.check("GetAndTouch", key, item.Value)
		}
	case 9:
		n, err := h.client.IncrementOrSet(ctx, "counter", 1, 1, 0)
		if h.checkErr("IncrementOrSet", err); err == nil && n == 0 {
			h.t.Error("IncrementOrSet = 0")
		}
	default:
		item, err := h.client.Get(ctx, key)
		if h.checkErr("Get", err); err == nil {
			h.check("Get", key, item.Value)
		}
	}
}

// appendValue reads into a buffer that earlier reads have used, which may have
// room or not. What lies before the buffer's length must stay.
func (h *hunter) appendValue(ctx context.Context, key string) {
	if h.buffer == nil || h.rng.IntN(10) == 0 {
		h.buffer = make([]byte, 0, h.rng.IntN(60_000))
	}
	dst := h.buffer[:min(cap(h.buffer), h.rng.IntN(100))]
	for i := range dst {
		dst[i] = 'd'
	}
	value, _, err := h.client.AppendValue(ctx, dst, key)
	h.checkErr("AppendValue", err)
	for _, b := range dst {
		if b != 'd' {
			h.t.Fatalf("AppendValue changed dst: %q", dst)
		}
	}
	if err != nil {
		// Nobody may write to the buffer from here on.
		for i := range h.buffer[:cap(h.buffer)] {
			h.buffer[:cap(h.buffer)][i] = 'x'
		}
		return
	}
	if !bytes.HasPrefix(value, dst) {
		h.t.Errorf("AppendValue(%q, …) = %q…, want dst before it", dst, value[:min(len(value), len(dst))])
	}
	h.check("AppendValue", key, value[len(dst):])
}

// hunt lets hunters loose until they have done a number of operations and had
// enough hits for that to say something: while servers are away, operations fail
// at once.
func hunt(t *testing.T, client *memcached.Client, operations int, disturb func(rng *rand.Rand)) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var ops, hits atomic.Int64
	over := time.Now().Add(time.Minute)
	going := func() bool {
		enough := ops.Load() >= int64(operations) && hits.Load() >= int64(operations)/20
		return !enough && !t.Failed() && time.Now().Before(over)
	}
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			h := &hunter{t: t, client: client, rng: rand.New(rand.NewPCG(seed, uint64(g))), ops: &ops, hits: &hits}
			for going() {
				h.step()
			}
		})
	}
	if disturb != nil {
		rng := rand.New(rand.NewPCG(seed, 1<<32))
		for going() {
			disturb(rng)
		}
	}
	wg.Wait()
	t.Logf("%d hits in %d operations", hits.Load(), ops.Load())
	if hits.Load() == 0 {
		t.Errorf("no hits in %d operations", ops.Load())
	}
}

// huntOperations is how long hunts are: BMEMCACHED_HUNT overrides it.
func huntOperations(t *testing.T, usual int) int {
	if n, err := strconv.Atoi(os.Getenv("BMEMCACHED_HUNT")); err == nil {
		return n
	}
	if testing.Short() || raceEnabled {
		return usual / 4
	}
	return usual
}

func TestHunt_NoWrongValueUnderCancellation(t *testing.T) {
	delay := func(chance int) func(memcachedtest.Request) memcachedtest.Action {
		return func(memcachedtest.Request) memcachedtest.Action {
			if rand.IntN(chance) != 0 {
				return memcachedtest.Action{}
			}
			return memcachedtest.Action{Delay: time.Duration(rand.IntN(3000)) * time.Microsecond}
		}
	}
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		server memcachedtest.Options
		opts   memcached.Options
		tcp    bool
	}{
		"TCP":                   {tcp: true},
		"TCP, one connection":   {tcp: true, opts: memcached.Options{MaxConns: 1}},
		"TCP, short timeout":    {tcp: true, opts: memcached.Options{MaxConns: 2, Timeout: 20 * time.Millisecond}},
		"TLS":                   {tcp: true, server: memcachedtest.Options{TLS: serverTLS}, opts: memcached.Options{TLS: clientTLS, MaxConns: 2}},
		"in memory":             {opts: memcached.Options{MaxConns: 2}},
		"pipes without buffers": {opts: memcached.Options{MaxConns: 1, DialContext: nil}},
		"replicated":            {tcp: true, opts: memcached.Options{Replicate: true, MaxConns: 2}},
		"no limit but contexts": {tcp: true, opts: memcached.Options{Timeout: -1, MaxConns: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			servers := []*memcachedtest.Server{newServer(t, &tt.server), newServer(t, &tt.server), newServer(t, &tt.server)}
			for _, s := range servers {
				s.Intercept(delay(50))
			}
			opts := tt.opts
			switch {
			case tt.tcp:
				opts.DialContext = dialTCP
			case name == "pipes without buffers":
				opts.DialContext = dialPipe(servers)
			}
			client := newClient(t, opts, servers...)
			hunt(t, client, huntOperations(t, 12_000), nil)
		})
	}
}

// dialPipe connects through pipes, on which each write waits for its reader.
func dialPipe(servers []*memcachedtest.Server) func(ctx context.Context, network, address string) (net.Conn, error) {
	dial := memcachedtest.Dialer(servers...)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		back, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		front, middle := net.Pipe()
		go func() {
			defer back.Close()
			copyAll(back, middle)
		}()
		go func() {
			defer middle.Close()
			copyAll(middle, back)
		}()
		return front, nil
	}
}

func copyAll(dst, src net.Conn) {
	b := make([]byte, 1000) // cuts frames anywhere
	for {
		n, err := src.Read(b)
		if err != nil {
			return
		}
		if _, err := dst.Write(b[:n]); err != nil {
			return
		}
	}
}

func TestHunt_NoWrongValueWhileServersRestart(t *testing.T) {
	servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil), newServer(t, nil)}
	client := newClient(t, memcached.Options{DialContext: dialTCP, RetryAfter: 5 * time.Millisecond, MaxConns: 3}, servers...)
	hunt(t, client, huntOperations(t, 20_000), func(rng *rand.Rand) {
		s := servers[rng.IntN(len(servers))]
		time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
		switch rng.IntN(4) {
		case 0:
			if err := s.Restart(); err != nil {
				t.Errorf("Restart = %v", err)
			}
		case 1:
			s.Stop()
			time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
			if err := s.Restart(); err != nil {
				t.Errorf("Restart = %v", err)
			}
		case 2: // half an answer, then the end
			s.Intercept(func(memcachedtest.Request) memcachedtest.Action {
				if rand.IntN(200) != 0 {
					return memcachedtest.Action{}
				}
				return memcachedtest.Action{Close: true, Edit: func(b []byte) []byte { return b[:len(b)/2] }}
			})
		default:
			s.Intercept(nil)
		}
	})
}

func TestHunt_NoWrongValueAfterBrokenFrames(t *testing.T) {
	servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil)}
	client := newClient(t, memcached.Options{DialContext: dialTCP, RetryAfter: time.Millisecond, MaxConns: 3, Timeout: 200 * time.Millisecond}, servers...)
	for _, s := range servers {
		s.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			if rand.IntN(300) != 0 {
				return memcachedtest.Action{}
			}
			switch rand.IntN(6) {
			case 0: // the answer is lost; the next one comes in its place
				return memcachedtest.Action{Skip: true}
			case 1:
				return memcachedtest.Action{Mute: true}
			case 2: // twice
				return memcachedtest.Action{Edit: func(b []byte) []byte { return append(b, b...) }}
			case 3: // a header that is wrong, but for the bytes that only the server knows
				return memcachedtest.Action{Edit: func(b []byte) []byte {
					if at := []int{0, 1, 2, 3, 4, 8, 9, 12, 13, 14, 15}[rand.IntN(11)]; len(b) > at {
						b[at] ^= byte(1 + rand.IntN(255))
					}
					return b
				}}
			case 4: // a byte too many
				return memcachedtest.Action{Edit: func(b []byte) []byte { return append([]byte{0x81}, b...) }}
			default: // a byte too few
				return memcachedtest.Action{Edit: func(b []byte) []byte { return b[min(1, len(b)):] }}
			}
		})
	}
	hunt(t, client, huntOperations(t, 20_000), nil)
}
