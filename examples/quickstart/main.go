// Command quickstart is a first program with the memcached client:
//
//	cd examples && go run ./quickstart
//
// It runs on the memcached that MEMCACHED_SERVERS names (several are separated
// by commas), with MEMCACHED_USERNAME, MEMCACHED_PASSWORD and MEMCACHED_TLS, or
// on one inside the process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	// One client for the whole program: it is safe for concurrent use.
	client, stop, err := connect.Client(os.Getenv, nil)
	if err != nil {
		return err
	}
	defer stop()

	if err := values(ctx, client, out); err != nil {
		return err
	}
	if err := counters(ctx, client, out); err != nil {
		return err
	}
	return faults(ctx, client, out)
}

// values sets a value and gets it, and one that is not there.
func values(ctx context.Context, client *memcached.Client, out io.Writer) error {
	err := client.Set(ctx, &memcached.Item{Key: "quickstart:greeting", Value: []byte("hello"), TTL: time.Minute})
	if err != nil {
		return err
	}
	item, err := client.Get(ctx, "quickstart:greeting")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "get:     %s\n", item.Value)

	// A miss is an answer, not a fault: compare with ==.
	_, err = client.Get(ctx, "quickstart:nothing")
	fmt.Fprintf(out, "miss:    %v\n", err == memcached.ErrCacheMiss)
	return nil
}

// counters counts in the server, which no other client can come between.
func counters(ctx context.Context, client *memcached.Client, out io.Writer) error {
	if err := client.Delete(ctx, "quickstart:visits"); err != nil && err != memcached.ErrCacheMiss {
		return err
	}
	var visits uint64
	for range 3 {
		var err error
		visits, err = client.IncrementOrSet(ctx, "quickstart:visits", 1, 1, time.Minute)
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "counter: %d\n", visits)
	return nil
}

// faults shows what errors say: which operation failed, where and why, and
// never a key or a password.
func faults(ctx context.Context, client *memcached.Client, out io.Writer) error {
	err := client.Set(ctx, &memcached.Item{Key: "no spaces in keys", Value: []byte("…")})
	fmt.Fprintf(out, "misuse:  %v\n", errors.Is(err, memcached.ErrMalformedKey))

	var fault *memcached.OpError
	_, err = client.Increment(ctx, "quickstart:greeting", 1)
	if errors.As(err, &fault) {
		fmt.Fprintf(out, "fault:   %s of %q: %v\n", fault.Op, fault.Key, errors.Is(err, memcached.ErrNotNumber))
	}
	return nil
}
