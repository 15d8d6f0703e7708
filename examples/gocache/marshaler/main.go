// Command marshaler stores structs: with gocache's marshalers, which encode them
// as MessagePack, and with the store's own codecs.
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
	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
	"github.com/bmemcached/bmemcached-go/store"
)

// Book is what is stored.
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
	book, hour := Book{"Emma", 474}, libstore.WithExpiration(time.Hour)

	msgpack, err := store.NewWithOptions(client, &store.Options{Prefix: "msgpack:"})
	if err != nil {
		return err
	}

	// gocache's marshaler decodes into an object of the caller.
	anything := marshaler.New(cache.New[any](msgpack))
	if err := anything.Set(ctx, "emma", book, hour); err != nil {
		return err
	}
	var got Book
	if _, err := anything.Get(ctx, "emma", &got); err != nil {
		return err
	}
	fmt.Fprintf(out, "marshaler: %+v\n", got)

	// The same, typed.
	books := marshaler.NewCache[Book](cache.New[[]byte](msgpack))
	got, err = books.Get(ctx, "emma")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "marshaler cache: %+v\n", got)

	// The store's own codecs need no further layer: JSON, which other languages
	// read, compressed when it is large.
	inJSON, err := store.NewTyped[Book](client, &store.Options{
		Prefix: "json:",
		Codec:  codec.Compressed(codec.JSON{}, 1024),
	})
	if err != nil {
		return err
	}
	typed := cache.New[Book](inJSON)
	if err := typed.Set(ctx, "emma", book, hour); err != nil {
		return err
	}
	got, ttl, err := typed.GetWithTTL(ctx, "emma")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "typed store: %+v for %v\n", got, ttl.Round(time.Minute))
	return nil
}
