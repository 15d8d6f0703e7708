// Command loadable loads a value that is not in the cache once, however many
// requests need it.
//
// Within a process, gocache's LoadableCache does that. Between processes, a lock
// in memcached does: the process that gets it loads, the others wait for the
// value.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	libstore "github.com/eko/gocache/lib/v4/store"

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

	var queries atomic.Int32
	query := func(context.Context, string) (string, error) {
		queries.Add(1)
		time.Sleep(50 * time.Millisecond) // a slow database
		return "from the database", nil
	}
	var wg sync.WaitGroup
	for range 4 { // processes
		s, err := store.NewWithOptions(client, &store.Options{Prefix: "example:"})
		if err != nil {
			return err
		}
		loadable := cache.NewLoadable(once(s, time.Minute, query), cache.New[string](s))
		for range 8 { // requests of each
			wg.Go(func() {
				if value, err := loadable.Get(ctx, "article:1"); err != nil || value != "from the database" {
					log.Printf("Get = %q, %v", value, err)
				}
			})
		}
		defer loadable.Close()
	}
	wg.Wait()
	fmt.Fprintf(out, "32 requests of 4 processes asked the database %d time(s)\n", queries.Load())
	return nil
}

// lockTime is how long a loader may take before others load too.
const lockTime = 5 * time.Second

// once returns a function for NewLoadable. It loads a value with load, unless
// another process is loading it: then it waits for that value.
func once(s *store.Store, ttl time.Duration, load func(context.Context, string) (string, error)) cache.LoadFunction[string] {
	expires := libstore.WithExpiration(ttl)
	return func(ctx context.Context, key any) (string, []libstore.Option, error) {
		name := key.(string)
		lock := "lock:" + name
		for {
			locked, err := s.SetIfNotExists(ctx, lock, true, libstore.WithExpiration(lockTime))
			if locked || err != nil { // also when memcached is unavailable
				break
			}
			if err := sleep(ctx, 10*time.Millisecond); err != nil {
				return "", nil, err
			}
			if value, err := s.Get(ctx, name); err == nil {
				return value.(string), []libstore.Option{expires}, nil
			}
		}
		// It may have been stored between the miss and the lock.
		if value, err := s.Get(ctx, name); err == nil {
			return value.(string), []libstore.Option{expires}, nil
		}
		value, err := load(ctx, name)
		if err == nil {
			// LoadableCache stores it too, but in the background: perhaps after
			// the lock is deleted. When memcached is unavailable, the value is
			// still returned.
			_ = s.Set(ctx, name, value, expires)
		}
		_ = s.Delete(ctx, lock) // or it expires
		return value, []libstore.Option{expires}, err
	}
}

// sleep waits, unless ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
