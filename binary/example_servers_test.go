package memcached_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"maps"
	"slices"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/placement"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// A server that demands authentication.
func ExampleOptions_auth() {
	f := newFleet(&memcachedtest.Options{Users: map[string]string{"app": "secret"}}, "cache-1:11211")
	defer f.Close()
	for _, password := range []string{"secret", "guess"} {
		client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{
			Auth:        sasl.Auto("app", password),
			DialContext: f.DialContext,
		})
		if err != nil {
			log.Fatal(err)
		}
		err = client.Ping(context.Background())
		fmt.Println(err, errors.Is(err, memcached.ErrAuth))
		client.Close()
	}
	// Output:
	// <nil> false
	// memcached: ping on cache-1:11211: authentication failed: the server refused the credentials (SCRAM-SHA-256) true
}

// A password that changes while the program runs: credentials are asked for at
// every connect.
func ExampleOptions_rotation() {
	server, err := memcachedtest.NewServer(&memcachedtest.Options{Users: map[string]string{"app": "of May"}})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	vault := sasl.Credentials{Username: "app", Password: sasl.NewSecret("of May")}
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{
		Auth: sasl.AutoFunc(func(context.Context) (sasl.Credentials, error) { return vault, nil }),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	fmt.Println(client.Ping(ctx))

	server.SetPassword("app", "of June")
	vault.Password = sasl.NewSecret("of June")
	fmt.Println(client.Ping(ctx)) // connections stay authenticated

	if err := server.Restart(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Ping(ctx)) // and new ones use the new password
	// Output:
	// <nil>
	// <nil>
	// <nil>
}

// A server that speaks TLS. A program loads the certificate of its authority
// from a file.
func ExampleOptions_tls() {
	serverConfig, clientConfig, err := memcachedtest.TLSConfig()
	if err != nil {
		log.Fatal(err)
	}
	server, err := memcachedtest.NewServer(&memcachedtest.Options{TLS: serverConfig})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	for _, roots := range []*x509.CertPool{clientConfig.RootCAs, x509.NewCertPool()} {
		client, err := memcached.New([]string{server.Addr()}, &memcached.Options{
			TLS: &tls.Config{RootCAs: roots}, // the ServerName is the host of each server
		})
		if err != nil {
			log.Fatal(err)
		}
		err = client.Ping(context.Background())
		fmt.Println(err == nil, errors.As(err, new(x509.UnknownAuthorityError)))
		client.Close()
	}
	// Output:
	// true false
	// false true
}

// Every server holds every key: one may go, and the values stay.
func ExampleOptions_replicate() {
	f := newFleet(nil, "cache-1:11211", "cache-2:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211", "cache-2:11211"}, &memcached.Options{
		Replicate:   true,
		DialContext: f.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	if err := client.Set(ctx, &memcached.Item{Key: "user:42", Value: []byte("Ada")}); err != nil {
		log.Fatal(err)
	}
	f["cache-1:11211"].Stop()
	item, err := client.Get(ctx, "user:42")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", item.Value)
	// Output: Ada
}

// With EjectAfter the keys of a server that fails move to the others.
func ExampleOptions_ejectAfter() {
	f := newFleet(nil, "cache-1:11211", "cache-2:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211", "cache-2:11211"}, &memcached.Options{
		EjectAfter:  1,
		DialContext: f.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	f["cache-2:11211"].Stop()
	_ = client.Ping(ctx) // the first failure
	failed := 0
	for i := range 100 {
		item := &memcached.Item{Key: fmt.Sprintf("key:%d", i), Value: []byte("value")}
		if err := client.Set(ctx, item); err != nil {
			failed++
		}
	}
	fmt.Println(failed, "of 100 failed;", len(f["cache-1:11211"].Keys()), "are on the other server")
	// Output: 0 of 100 failed; 100 are on the other server
}

// SetServers changes the servers while the client is in use.
func ExampleClient_SetServers() {
	f := newFleet(nil, "cache-1:11211", "cache-2:11211", "cache-3:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211", "cache-2:11211"}, &memcached.Options{DialContext: f.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	if err := client.SetServers([]string{"cache-2:11211", "cache-3:11211"}); err != nil {
		log.Fatal(err)
	}
	versions, err := client.Versions(context.Background())
	fmt.Println(slices.Sorted(maps.Keys(versions)), err)
	// Output: [cache-2:11211 cache-3:11211] <nil>
}

// The Distribution is that of the clients with which a cache is shared.
func ExampleDistribution() {
	servers := []memcached.Server{
		{Addr: "cache-1:11211", Weight: 1},
		{Addr: "cache-2:11211", Weight: 1},
		{Addr: "cache-3:11211", Weight: 1},
	}
	for _, shared := range []struct {
		with  string
		place memcached.Distribution
	}{
		{"libmemcached: PHP, pylibmc, C", memcached.Ketama},
		{"spymemcached", placement.SpymemcachedKetama},
		{"Dalli", placement.Dalli},
		{"gomemcache", placement.Gomemcache},
		{"python-binary-memcached", placement.BMemcached("app", "secret")},
	} {
		pick := shared.place(servers)
		fmt.Printf("%-30s user:42 is on %s\n", shared.with+",", servers[pick("user:42")].Addr)
	}
	// Output:
	// libmemcached: PHP, pylibmc, C, user:42 is on cache-3:11211
	// spymemcached,                  user:42 is on cache-1:11211
	// Dalli,                         user:42 is on cache-3:11211
	// gomemcache,                    user:42 is on cache-2:11211
	// python-binary-memcached,       user:42 is on cache-3:11211
}

// Half as many keys again on the larger machine.
func ExampleOptions_weights() {
	f := newFleet(nil, "small:11211", "large:11211")
	defer f.Close()
	client, err := memcached.New([]string{"small:11211", "large:11211"}, &memcached.Options{
		Weights:     map[string]int{"small:11211": 2, "large:11211": 3},
		DialContext: f.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	for i := range 10_000 {
		item := &memcached.Item{Key: fmt.Sprintf("key:%d", i), Value: []byte("v")}
		if err := client.Set(context.Background(), item); err != nil {
			log.Fatal(err)
		}
	}
	share := float64(len(f["large:11211"].Keys())) / 10_000
	fmt.Println(0.5 < share && share < 0.7)
	// Output: true
}

// Ping, Versions and ServerStats ask every server.
func ExampleClient_Ping() {
	f := newFleet(nil, "cache-1:11211", "cache-2:11211")
	defer f.Close()
	client, err := memcached.New([]string{"cache-1:11211", "cache-2:11211"}, &memcached.Options{DialContext: f.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	fmt.Println(client.Ping(ctx))
	f["cache-2:11211"].Stop()
	var down *memcached.MultiError
	fmt.Println(errors.As(client.Ping(ctx), &down), slices.Collect(maps.Keys(down.Errors)))
	// Output:
	// <nil>
	// true [cache-2:11211]
}

func ExampleClient_Versions() {
	client, stop := connect()
	defer stop()

	versions, err := client.Versions(context.Background())
	fmt.Println(versions, err)
	// Output: map[cache-1:11211:1.6.18] <nil>
}

func ExampleClient_ServerStats() {
	client, stop := connect()
	defer stop()
	ctx := context.Background()

	if err := client.Set(ctx, &memcached.Item{Key: "user:42", Value: []byte("Ada")}); err != nil {
		log.Fatal(err)
	}
	general, err := client.ServerStats(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	settings, err := client.ServerStats(ctx, "settings")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("items:", general["cache-1:11211"]["curr_items"])
	fmt.Println("largest item:", settings["cache-1:11211"]["item_size_max"])
	// Output:
	// items: 1
	// largest item: 1048576
}
