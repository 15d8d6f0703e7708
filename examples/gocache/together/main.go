// Command together uses gocache's layers together: values are loaded once,
// encoded as MessagePack, counted for Prometheus, and kept in memory for a few
// seconds and in memcached for ten minutes.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	"github.com/eko/gocache/lib/v4/marshaler"
	"github.com/eko/gocache/lib/v4/metrics"
	libstore "github.com/eko/gocache/lib/v4/store"
	memorystore "github.com/eko/gocache/store/go_cache/v4"
	memory "github.com/patrickmn/go-cache"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
	"github.com/bmemcached/bmemcached-go/store"
)

// copyFor is how long copies in memory live.
const copyFor = 5 * time.Second

// Book is what is cached.
type Book struct {
	Title string
	Pages int
}

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

	// The chain copies what it finds in memcached to memory, for as long as it lives
	// there. An invalidation does not reach the copies of other processes, so they
	// are bounded.
	bounded, err := store.NewBounded(memorystore.NewGoCache(memory.New(memory.NoExpiration, time.Minute)), copyFor)
	if err != nil {
		return err
	}
	inMemory := cache.New[[]byte](bounded)
	s, err := store.NewWithOptions(client, &store.Options{
		Prefix:  "books:",
		OnError: func(op string, err error) { log.Printf("cache: %s: %v", op, err) },
	})
	if err != nil {
		return err
	}
	inMemcached := cache.New[[]byte](s)
	chain := cache.NewChain[[]byte](inMemory, inMemcached)
	defer chain.Close()
	counted := cache.NewMetric[[]byte](
		metrics.NewPrometheus("books", metrics.WithRegisterer(prometheus.NewRegistry())), chain)
	books := cache.NewLoadable(func(_ context.Context, key any) (Book, []libstore.Option, error) {
		fmt.Fprintf(out, "loading %v\n", key)
		return Book{"Emma", 474}, []libstore.Option{
			libstore.WithExpiration(10 * time.Minute),
			libstore.WithTags([]string{"author:austen"}),
		}, nil
	}, marshaler.NewCache[Book](counted))
	defer books.Close()

	for range 2 {
		book, err := books.Get(ctx, "emma")
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "got %+v\n", book)
	}

	// The loaded value is stored in the background; Close waits for that.
	if err := books.Close(); err != nil {
		return err
	}
	_, ttl, err := inMemcached.GetWithTTL(ctx, "emma")
	fmt.Fprintf(out, "in memcached for %v, %v\n", ttl.Round(time.Minute), err)

	// All books of this author: at once in memcached and in the memory of this
	// process. Other processes can have copies in their memory for copyFor.
	if err := books.Invalidate(ctx, libstore.WithInvalidateTags([]string{"author:austen"})); err != nil {
		return err
	}
	_, err = inMemcached.Get(ctx, "emma")
	fmt.Fprintf(out, "after the invalidation: %v\n", err)
	return nil
}
