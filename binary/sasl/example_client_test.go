package sasl_test

import (
	"context"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// A client that authenticates to every server it connects to.
func Example() {
	server, err := memcachedtest.NewServer(&memcachedtest.Options{Users: map[string]string{"web": "correct horse"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{
		Auth: sasl.Auto("web", "correct horse"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	ctx := context.Background()
	if err := client.Set(ctx, &memcached.Item{Key: "greeting", Value: []byte("hello")}); err != nil {
		fmt.Println(err)
		return
	}
	item, err := client.Get(ctx, "greeting")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", item.Value)
	// Output: hello
}
