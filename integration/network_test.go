package integration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

// throughProxy returns a client of server whose connections pass a proxy. The
// server has two keys, "key" and "other", with their own names as values.
func throughProxy(t *testing.T, server *integration.Server, opts *memcached.Options) (*faultproxy.Proxy, *memcached.Client) {
	t.Helper()
	proxy := faultproxy.Start(t, server.Addr())
	if opts == nil {
		opts = &memcached.Options{Timeout: 2 * time.Second, RetryAfter: 20 * time.Millisecond}
	}
	direct := open(t, nil, server)
	store(t, direct, "key", "key")
	store(t, direct, "other", "other")
	client := openAt(t, opts, proxy.Addr())
	recovers(t, client) // that is, connects
	return proxy, client
}

// readBoth gets both keys once: each must come with its own value or fail.
func readBoth(t *testing.T, client *memcached.Client) (errs []error) {
	t.Helper()
	for _, key := range []string{"key", "other"} {
		item, err := client.Get(t.Context(), key)
		if err != nil {
			errs = append(errs, err)
		} else if string(item.Value) != key || item.Key != key {
			t.Errorf("Get(%q) = %q of %q, want its own value or an error", key, item.Value, item.Key)
		}
	}
	return errs
}

// recovers fails the test unless both keys can be read again.
func recovers(t *testing.T, client *memcached.Client) {
	t.Helper()
	eventually(t, func() error { return errors.Join(readBoth(t, client)...) })
}

func TestNetwork_SlowAndInPieces(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	proxy, client := throughProxy(t, server, nil)
	proxy.Use(faultproxy.Faults{
		Requests:  faultproxy.Direction{Piece: 1},
		Responses: faultproxy.Direction{Piece: 1},
	})
	for range 20 {
		if errs := readBoth(t, client); errs != nil {
			t.Fatalf("Get over a network of single bytes = %v, want values", errs)
		}
	}
	large := strings.Repeat("0123456789", 300)
	store(t, client, "large", large)
	wantValue(t, client, "large", large)
}

// A GET's response has 24 bytes of header, 4 of flags and 3 or 5 of value.
const responseSize = 24 + 4 + 3

func TestNetwork_ResponseCutAtEveryByte(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	for _, reset := range []bool{false, true} {
		t.Run(fmt.Sprintf("reset=%v", reset), func(t *testing.T) {
			proxy, client := throughProxy(t, server, nil)
			for after := range responseSize {
				proxy.Use(faultproxy.Faults{Responses: faultproxy.Direction{Cut: true, After: after, Reset: reset}})
				readBoth(t, client) // twice: some meet the cut, some what comes of it
				readBoth(t, client)
				proxy.Use(faultproxy.Faults{})
				recovers(t, client)
			}
		})
	}
}

func TestNetwork_RequestCutAtEveryByte(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	proxy, client := throughProxy(t, server, nil)
	store(t, client, "counter", "0")
	// Not repeatable, so each must be counted once at the most.
	for after := range 24 + 20 + len("counter") {
		proxy.Use(faultproxy.Faults{Requests: faultproxy.Direction{Cut: true, After: after}})
		_, err := client.Increment(t.Context(), "counter", 1)
		if !errors.Is(err, memcached.ErrUnavailable) {
			t.Errorf("Increment cut after %d bytes = %v, want ErrUnavailable", after, err)
		}
		proxy.Use(faultproxy.Faults{})
		recovers(t, client)
	}
	if n, err := client.Increment(t.Context(), "counter", 1); n != 1 || err != nil {
		t.Errorf("Increment after %d that did not arrive = %d, %v, want 1", 24+20+len("counter"), n, err)
	}
}

func TestNetwork_LostAnswerIsNotRepeated(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	proxy, client := throughProxy(t, server, nil)
	store(t, client, "counter", "0")
	const lost = 20
	for i := range lost {
		proxy.Use(faultproxy.Faults{Responses: faultproxy.Direction{Cut: true}})
		_, err := client.Increment(t.Context(), "counter", 1)
		fault, ok := errors.AsType[*memcached.OpError](err)
		if !ok || !errors.Is(err, memcached.ErrUnavailable) {
			t.Fatalf("Increment %d without an answer = %v, want ErrUnavailable in an OpError", i, err)
		}
		if fault.SafeToRetry() {
			t.Errorf("Increment %d without an answer says SafeToRetry, but it was carried out", i)
		}
		proxy.Use(faultproxy.Faults{})
		recovers(t, client)
	}
	if n, err := client.Increment(t.Context(), "counter", 1); n != lost+1 || err != nil {
		t.Errorf("Increment after %d lost answers = %d, %v, want %d: each carried out once", lost, n, err, lost+1)
	}
}

// The network is slower than the client waits, but it delivers: answers come to
// callers that have left, and must not be taken for those of others.
func TestNetwork_AnswersThatComeTooLate(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	opts := &memcached.Options{Timeout: 50 * time.Millisecond, RetryAfter: 5 * time.Millisecond, MaxConns: 2}
	proxy, client := throughProxy(t, server, opts)
	direct := open(t, nil, server)
	for i := range 32 {
		store(t, direct, fmt.Sprint("key-", i), fmt.Sprint("key-", i))
	}
	proxy.Use(faultproxy.Faults{Responses: faultproxy.Direction{Piece: 40, Delay: 7 * time.Millisecond}})
	var callers sync.WaitGroup
	for i := range 32 {
		callers.Go(func() {
			key := fmt.Sprint("key-", i)
			for range 60 {
				item, err := client.Get(context.Background(), key)
				switch {
				case err == nil && string(item.Value) != key:
					t.Errorf("Get(%q) = %q, want its own value", key, item.Value)
					return
				case err != nil && !errors.Is(err, memcached.ErrUnavailable):
					t.Errorf("Get(%q) = %v, want its own value or ErrUnavailable", key, err)
					return
				}
			}
		})
	}
	callers.Wait()
	proxy.Use(faultproxy.Faults{})
	recovers(t, client)
}

// What a header says decides whose answer it is and where it ends. A byte of it
// that changes on the way must never lead to another value: magic, opcode, key
// length (2), extras length, data type, status (2), body length (4), opaque (4).
func TestNetwork_CorruptHeaderNeverGivesAWrongValue(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	for at := range 16 {
		t.Run(fmt.Sprintf("byte %d", at), func(t *testing.T) {
			t.Parallel()
			opts := &memcached.Options{Timeout: 200 * time.Millisecond, RetryAfter: 20 * time.Millisecond, MaxConns: 1}
			proxy, client := throughProxy(t, server, opts)
			for bit := range 8 {
				var once sync.Once
				proxy.Use(faultproxy.Faults{Responses: faultproxy.Direction{Corrupt: func(p []byte) {
					once.Do(func() { p[at] ^= 1 << bit })
				}}})
				readBoth(t, client)
				proxy.Use(faultproxy.Faults{})
				recovers(t, client)
			}
		})
	}
}

func TestNetwork_GarbageInsteadOfResponses(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	for name, garbage := range map[string]string{
		"zeros":          strings.Repeat("\x00", 64),
		"ones":           strings.Repeat("\xff", 64),
		"text":           strings.Repeat("SERVER_ERROR out of order\r\n", 3),
		"4 GiB of value": "\x81\x00\x00\x00\x04\x00\x00\x00\xff\xff\xff\xff" + strings.Repeat("\x00", 52),
		"own requests":   "\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03" + strings.Repeat("\x00", 12) + "key",
	} {
		t.Run(name, func(t *testing.T) {
			proxy, client := throughProxy(t, server, nil)
			proxy.Use(faultproxy.Faults{Responses: faultproxy.Direction{Corrupt: func(p []byte) { copy(p, garbage) }}})
			_, err := client.Get(t.Context(), "key")
			if !errors.Is(err, memcached.ErrUnavailable) {
				t.Errorf("Get answered with garbage = %v, want ErrUnavailable", err)
			}
			proxy.Use(faultproxy.Faults{})
			recovers(t, client)
		})
	}
}

func TestNetwork_BlackHole(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	for name, fault := range map[string]faultproxy.Faults{
		"requests":  {Requests: faultproxy.Direction{Swallow: true}},
		"responses": {Responses: faultproxy.Direction{Swallow: true}},
	} {
		t.Run(name, func(t *testing.T) {
			opts := &memcached.Options{Timeout: 200 * time.Millisecond, RetryAfter: 20 * time.Millisecond}
			proxy, client := throughProxy(t, server, opts)
			proxy.Use(fault)
			for range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				_, err := client.Get(ctx, "key")
				cancel()
				if err == nil {
					t.Error("Get through a black hole = nil, want an error")
				}
			}
			_, err := client.Get(t.Context(), "key")
			wantError(t, "Get", err, memcached.ErrUnavailable, proxy.Addr())
			proxy.Use(faultproxy.Faults{})
			recovers(t, client)
		})
	}
}

func TestNetwork_RefusedThenBack(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	proxy, client := throughProxy(t, server, nil)
	proxy.Use(faultproxy.Faults{Refuse: true})
	proxy.CutAll(true)
	if errs := readBoth(t, client); len(errs) != 2 {
		t.Errorf("Get while connections are refused: %v, want two errors", errs)
	}
	proxy.Use(faultproxy.Faults{})
	recovers(t, client)
}

// Everything at once and at load: whoever gets a value gets the one of its key.
func TestNetwork_ManyCallersUnderChangingFaults(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, nil)
	opts := &memcached.Options{Timeout: 100 * time.Millisecond, RetryAfter: 5 * time.Millisecond, MaxConns: 2}
	proxy, client := throughProxy(t, server, opts)
	direct := open(t, nil, server)
	keys := make([]string, 64)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%d", i)
		store(t, direct, keys[i], strings.Repeat(keys[i], 1+i))
	}
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for i := range keys {
		callers.Go(func() {
			for n := i; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				at := n % len(keys)
				item, err := client.Get(context.Background(), keys[at])
				if err == nil && string(item.Value) != strings.Repeat(keys[at], 1+at) {
					t.Errorf("Get(%q) = %d bytes %.40q, want its own value", keys[at], len(item.Value), item.Value)
					return
				}
			}
		})
	}
	for round := range 60 {
		fault := faultproxy.Direction{Cut: true, After: 37 * round, Reset: round%2 == 0}
		switch round % 5 {
		case 0:
			proxy.Use(faultproxy.Faults{Responses: fault})
		case 1:
			proxy.Use(faultproxy.Faults{Requests: fault})
		case 2:
			proxy.Use(faultproxy.Faults{Responses: faultproxy.Direction{Piece: 7}})
		case 3:
			proxy.Use(faultproxy.Faults{Responses: faultproxy.Direction{Swallow: true}})
		default:
			proxy.Use(faultproxy.Faults{})
			proxy.CutAll(round%2 == 0)
		}
		time.Sleep(20 * time.Millisecond) // how long each fault lasts
	}
	close(stop)
	callers.Wait()
	proxy.Use(faultproxy.Faults{})
	recovers(t, client)
}

// memcached does not look at the rest of a TLS record that it has begun to read
// unless more comes: see lastRequest in the client. Pipelined requests would
// wait for ever.
func TestTLS_PipelinedRequestsAreAnswered(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{TLS: true})
	client := open(t, &memcached.Options{TLS: server.TLSConfig()}, server)
	for round := range 20 {
		var items []*memcached.Item
		var keys []string
		for i := range 10 + 7*round {
			value := strings.Repeat("v", (i*i*97+round)%5000)
			items = append(items, &memcached.Item{Key: fmt.Sprint("key-", i), Value: []byte(value)})
			keys = append(keys, items[i].Key)
		}
		if err := client.SetMulti(t.Context(), items); err != nil {
			t.Fatalf("SetMulti of %d items = %v, want nil", len(items), err)
		}
		got, err := client.GetMulti(t.Context(), keys)
		if err != nil {
			t.Fatalf("GetMulti of %d keys = %v, want nil", len(keys), err)
		}
		for _, item := range items {
			if !bytes.Equal(got[item.Key].Value, item.Value) {
				t.Errorf("GetMulti: %q has %d bytes, want %d", item.Key, len(got[item.Key].Value), len(item.Value))
			}
		}
	}
}
