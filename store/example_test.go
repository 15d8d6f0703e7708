package store_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

// newClient returns a client of a server that runs inside the examples. A
// program would name its own servers, and how to authenticate.
func newClient() (client *memcached.Client, stop func()) {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		panic(err)
	}
	client, err = memcached.New([]string{server.Addr()}, nil)
	if err != nil {
		panic(err)
	}
	return client, func() {
		client.Close()
		server.Close()
	}
}

func Example() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	s := store.New(client, libstore.WithExpiration(10*time.Minute))
	if err := s.Set(ctx, "greeting", "hello"); err != nil {
		fmt.Println(err)
	}
	value, ttl, err := s.GetWithTTL(ctx, "greeting")
	fmt.Printf("%q %v %v\n", value, ttl.Round(time.Minute), err)

	_, err = s.Get(ctx, "something else")
	fmt.Println(errors.Is(err, libstore.NotFound{}))
	// Output:
	// "hello" 10m0s <nil>
	// true
}

func ExampleNew() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	// Values come back with the type that they went in with.
	s := store.New(client)
	for _, value := range []any{[]byte("bytes"), "text", int64(42), 1.5, true} {
		if err := s.Set(ctx, "key", value); err != nil {
			fmt.Println(err)
		}
		got, err := s.Get(ctx, "key")
		fmt.Printf("%T %v %v\n", got, got, err)
	}
	// Output:
	// []uint8 [98 121 116 101 115] <nil>
	// string text <nil>
	// int64 42 <nil>
	// float64 1.5 <nil>
	// bool true <nil>
}

func ExampleNewTyped() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	type User struct{ Name string }
	users, err := store.NewTyped[User](client, &store.Options{Prefix: "user:"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := users.Set(ctx, "42", User{"Ada"}, libstore.WithExpiration(time.Hour)); err != nil {
		fmt.Println(err)
	}
	value, err := users.Get(ctx, "42")
	fmt.Printf("%+v %v\n", value.(User), err)
	// Output: {Name:Ada} <nil>
}

func ExampleNewWithOptions() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	s, err := store.NewWithOptions(client, &store.Options{
		Prefix: "pages:",
		Codec:  codec.Compressed(codec.Raw{}, 1024), // what is above 1 KiB
		OnError: func(op string, err error) {
			fmt.Println("fault:", op, err)
		},
	}, libstore.WithExpiration(time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Set(ctx, "/", "<html>…"); err != nil {
		fmt.Println(err)
	}
	if err := s.Clear(ctx); err != nil { // only what begins with pages:
		fmt.Println(err)
	}
	_, err = s.Get(ctx, "/")
	fmt.Println(err)
	// Output: value not found in store
}

func ExampleStore_Invalidate() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	s := store.New(client)
	for _, page := range []string{"/", "/news", "/about"} {
		tags := []string{"site"}
		if page != "/about" {
			tags = append(tags, "articles")
		}
		if err := s.Set(ctx, page, "page "+page, libstore.WithTags(tags)); err != nil {
			fmt.Println(err)
		}
	}
	// One operation on the server, whether three items have the tag or a million.
	if err := s.Invalidate(ctx, libstore.WithInvalidateTags([]string{"articles"})); err != nil {
		fmt.Println(err)
	}
	for _, page := range []string{"/", "/news", "/about"} {
		value, err := s.Get(ctx, page)
		fmt.Println(page, value, err)
	}
	// Output:
	// / <nil> value not found in store
	// /news <nil> value not found in store
	// /about page /about <nil>
}

func ExampleStore_SetIfNotExists() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	s := store.New(client)
	for _, worker := range []string{"a", "b"} {
		stored, err := s.SetIfNotExists(ctx, "lock:report", worker, libstore.WithExpiration(time.Minute))
		fmt.Println(worker, stored, err)
	}
	// Output:
	// a true <nil>
	// b false <nil>
}

func ExampleStore_GetMulti() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	s := store.New(client)
	if err := s.SetMulti(ctx, map[string]any{"a": 1, "b": "two"}, libstore.WithExpiration(time.Hour)); err != nil {
		fmt.Println(err)
	}
	values, err := s.GetMulti(ctx, []string{"a", "b", "c"})
	fmt.Println(values, err)
	// Output: map[a:1 b:two] <nil>
}

func ExampleStore_Increment() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	// At most so many requests a minute.
	s := store.New(client)
	for range 3 {
		if _, err := s.SetIfNotExists(ctx, "hits:10.0.0.1", 0, libstore.WithExpiration(time.Minute)); err != nil {
			fmt.Println(err)
		}
		n, err := s.Increment(ctx, "hits:10.0.0.1", 1)
		fmt.Println(n, err)
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 3 <nil>
}

func ExampleStore_Touch() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	s := store.New(client)
	if err := s.Set(ctx, "draft", "…", libstore.WithExpiration(time.Minute)); err != nil {
		fmt.Println(err)
	}
	if err := s.Touch(ctx, "draft", time.Hour); err != nil {
		fmt.Println(err)
	}
	_, ttl, err := s.GetWithTTL(ctx, "draft")
	fmt.Println(ttl.Round(time.Minute), err)
	// Output: 1h0m0s <nil>
}

func ExampleStore_GetWithTTL() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	s := store.New(client)
	for _, ttl := range []time.Duration{0, 90 * 24 * time.Hour} { // for ever, and 90 days
		if err := s.Set(ctx, "key", "value", libstore.WithExpiration(ttl)); err != nil {
			fmt.Println(err)
		}
		_, left, err := s.GetWithTTL(ctx, "key")
		fmt.Println(left.Round(time.Hour), err)
	}
	// Output:
	// 0s <nil>
	// 2160h0m0s <nil>
}

func ExampleTyped_GetMulti() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	type User struct{ Name string }
	users, err := store.NewTyped[User](client, nil, libstore.WithExpiration(time.Hour), libstore.WithTags([]string{"users"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := users.SetMulti(ctx, map[string]User{"1": {"Ada"}, "2": {"Grace"}}); err != nil {
		fmt.Println(err)
	}
	found, err := users.GetMulti(ctx, []string{"1", "2", "3"})
	fmt.Println(found, err)
	if err := users.Invalidate(ctx, libstore.WithInvalidateTags([]string{"users"})); err != nil {
		fmt.Println(err)
	}
	found, err = users.GetMulti(ctx, []string{"1", "2", "3"})
	fmt.Println(found, err)
	// Output:
	// map[1:{Ada} 2:{Grace}] <nil>
	// map[] <nil>
}

// GetOrLoad calls the function once for all goroutines and processes that want
// the value.
func ExampleTyped_GetOrLoad() {
	client, stop := newClient()
	defer stop()
	ctx := context.Background()

	type User struct{ Name string }
	users, err := store.NewTyped[User](client, &store.Options{KeepStale: time.Hour})
	if err != nil {
		panic(err)
	}
	defer users.Close()
	for range 2 {
		user, err := users.GetOrLoad(ctx, "user:42", 10*time.Minute, func(context.Context) (User, error) {
			fmt.Println("reading the database")
			return User{"Ada"}, nil
		}, libstore.WithTags([]string{"users"}))
		fmt.Println(user.Name, err)
	}
	_, err = users.GetOrLoad(ctx, "user:43", 10*time.Minute, func(context.Context) (User, error) {
		return User{}, fmt.Errorf("user 43: %w", store.ErrNotFound)
	})
	fmt.Println(errors.Is(err, store.ErrNotFound))
	// Output:
	// reading the database
	// Ada <nil>
	// Ada <nil>
	// true
}
