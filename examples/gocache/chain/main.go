// Command chain keeps values in memory in front of memcached.
//
// A process keeps a copy of what it finds in memcached for the remaining time to
// live, and for a few seconds at most: when another process changes or
// invalidates the value, the copy in memory stays.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	libstore "github.com/eko/gocache/lib/v4/store"
	memorystore "github.com/eko/gocache/store/go_cache/v4"
	memory "github.com/patrickmn/go-cache"

	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
	"github.com/bmemcached/bmemcached-go/store"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	client, stop, err := connect.Client(os.Getenv, nil)
	if err != nil {
		return err
	}
	defer stop()

	// Copies in memory outlive an invalidation by another process, but not for long.
	inMemory, err := store.NewBounded(memorystore.NewGoCache(memory.New(memory.NoExpiration, time.Minute)), 5*time.Second)
	if err != nil {
		return err
	}
	inMemcached, err := store.NewWithOptions(client, &store.Options{
		Prefix: "example:",
		// The chain drops the errors of its writes in the background.
		OnError: func(op string, err error) { log.Printf("cache: %s: %v", op, err) },
	}, libstore.WithExpiration(time.Hour))
	if err != nil {
		return err
	}

	chain := cache.NewChain[string](
		cache.New[string](inMemory),
		cache.New[string](inMemcached),
	)
	defer chain.Close()

	// Another process has stored a value for ten minutes.
	if err := inMemcached.Set(ctx, "greeting", "hello", libstore.WithExpiration(10*time.Minute)); err != nil {
		return err
	}
	value, err := chain.Get(ctx, "greeting")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "found %q\n", value)
	if err := chain.Close(); err != nil { // when the copy is in memory
		return err
	}
	_, ttl, err := inMemcached.GetWithTTL(ctx, "greeting")
	fmt.Fprintf(out, "in memcached for %v more, %v\n", ttl.Round(time.Second), err)
	_, ttl, err = inMemory.GetWithTTL(ctx, "greeting")
	fmt.Fprintf(out, "in memory for %v more, %v\n", ttl.Round(time.Second), err)
	return nil
}
