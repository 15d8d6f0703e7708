package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// A line for every operation. A tracer is called from many goroutines at once;
// what it keeps between OpStart and OpEnd it puts into the context.
type lineTracer struct{}

type startKey struct{}

func (lineTracer) OpStart(ctx context.Context, _ memcached.Op) context.Context {
	return context.WithValue(ctx, startKey{}, time.Now())
}

func (lineTracer) OpEnd(ctx context.Context, op memcached.Op, err error) {
	took := time.Since(ctx.Value(startKey{}).(time.Time))
	fmt.Println(op.Name, op.Keys, op.Server, took < time.Minute, err)
}

func ExampleTracer() {
	f := newFleet(nil, "cache-1:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{
		Tracer:      lineTracer{},
		DialContext: f.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	_ = client.Set(ctx, &memcached.Item{Key: "user:42", Value: []byte("Ada")})
	_, _ = client.Get(ctx, "user:43")
	_, _ = client.GetMulti(ctx, []string{"user:42", "user:43", "user:44"})
	// Output:
	// set 1 cache-1:11211 true <nil>
	// get 1 cache-1:11211 true memcached: cache miss
	// get_multi 3 cache-1:11211 true <nil>
}

func ExampleClient_Stats() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	_ = client.Set(ctx, &memcached.Item{Key: "user:42", Value: []byte("Ada")})
	for _, key := range []string{"user:42", "user:42", "user:42", "user:43"} {
		_, _ = client.Get(ctx, key)
	}
	stats := client.Stats()
	fmt.Printf("hit ratio %.2f, %d operations, %d faults\n", float64(stats.Hits)/float64(stats.Gets), stats.Ops, stats.Errors)
	for server, s := range stats.Servers {
		fmt.Println(server, "connections:", s.Conns, "down:", s.Down)
	}
	// Output:
	// hit ratio 0.75, 5 operations, 0 faults
	// cache-1:11211 connections: 1 down: false
}

// The logger is told when a server fails and when it is back, not of every
// operation in between.
func ExampleOptions_logger() {
	f := newFleet(nil, "cache-1:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{
		Logger: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == "error" {
					return slog.Attr{} // they differ from run to run
				}
				return a
			},
		})),
		RetryAfter:  time.Millisecond,
		DialContext: f.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	_ = client.Ping(ctx)
	f["cache-1:11211"].Stop()
	_ = client.Ping(ctx)
	if err := f["cache-1:11211"].Restart(); err != nil {
		log.Fatal(err)
	}
	for client.Ping(ctx) != nil {
		time.Sleep(time.Millisecond)
	}
	// Output:
	// level=WARN msg="memcached: server is down" server=cache-1:11211
	// level=INFO msg="memcached: server is back" server=cache-1:11211
}

// What failed, where, why, and whether it may be done again. The key is in the
// error, but not in its text: errors end up in logs.
func ExampleOpError() {
	f := newFleet(nil, "cache-1:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{
		Timeout:     250 * time.Millisecond,
		DialContext: f.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, &memcached.Item{Key: "visits", Value: []byte("1")}); err != nil {
		log.Fatal(err)
	}

	// The server carries requests out, and its answers are lost.
	f["cache-1:11211"].Intercept(func(memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Mute: true}
	})
	_, err = client.Increment(ctx, "visits", 1)
	var fault *memcached.OpError
	if errors.As(err, &fault) {
		fmt.Println(fault)
		fmt.Println(fault.Op, fault.Key, fault.Server)
		fmt.Println("timeout:", fault.Timeout(), "safe to retry:", fault.SafeToRetry())
		fmt.Println("unavailable:", errors.Is(err, memcached.ErrUnavailable))
	}
	// Output:
	// memcached: increment on cache-1:11211: no answer within Options.Timeout
	// increment visits cache-1:11211
	// timeout: true safe to retry: false
	// unavailable: true
}

// The server's own words.
func ExampleStatusError() {
	f := newFleet(nil, "cache-1:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{DialContext: f.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	f["cache-1:11211"].Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Op == memcachedtest.OpSet {
			return memcachedtest.Action{Status: memcached.StatusOutOfMemory}
		}
		return memcachedtest.Action{}
	})

	err = client.Set(context.Background(), &memcached.Item{Key: "user:42", Value: []byte("Ada")})
	var status *memcached.StatusError
	if errors.As(err, &status) {
		fmt.Printf("0x%02x: %s\n", uint16(status.Status), status.Status)
	}
	// Output: 0x82: out of memory
}

// Any string becomes a key that memcached takes.
func ExampleSafeKey() {
	fmt.Println(memcached.SafeKey("user:", "ada"))
	fmt.Println(memcached.SafeKey("user:", "ada lovelace"))
	long := memcached.SafeKey("url:", "https://example.org/?q="+strings.Repeat("x", 1000))
	fmt.Println(len(long), long == memcached.SafeKey("url:", "https://example.org/?q="+strings.Repeat("x", 1000)))
	// Output:
	// user:ada
	// user:~sha256~pEUDhm0cHI5wLwpWuRrhiwljuSQgQaiJo3Z7I2T6vLk
	// 55 true
}

// A context limits one operation, Options.Timeout each of them. Leaving early
// does not cost the connection.
func ExampleClient_Get_deadline() {
	f := newFleet(nil, "cache-1:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{
		MaxConns:    1,
		DialContext: f.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.Ping(context.Background()); err != nil {
		log.Fatal(err)
	}
	answer := make(chan struct{})
	f["cache-1:11211"].Intercept(func(memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Until: answer}
	})

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = client.Get(ctx, "user:42")
	fmt.Println(errors.Is(err, context.DeadlineExceeded))

	close(answer)
	_, err = client.Get(context.Background(), "user:42")
	fmt.Println(err, client.Stats().Servers["cache-1:11211"].Dials)
	// Output:
	// true
	// memcached: cache miss 1
}
