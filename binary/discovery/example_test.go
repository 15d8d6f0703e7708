package discovery_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/discovery"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// Behind a headless service the name would be
// "memcached.default.svc.cluster.local." and have an address per pod.
func ExampleDNS() {
	server, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	ctx := context.Background()

	_, port, _ := net.SplitHostPort(server.Addr())
	number, _ := strconv.Atoi(port)
	resolver := discovery.DNS{Name: "127.0.0.1", Port: number}
	client, watcher, err := discovery.New(ctx, resolver, &memcached.Options{Timeout: time.Second}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	defer watcher.Close()
	fmt.Println(client.Ping(ctx), len(watcher.Status().Servers))
	// Output:
	// <nil> 1
}

// A client follows a list that comes from anywhere: here the servers move. When
// the list is empty the client keeps what it has.
func ExampleWatch() {
	first, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()
	second, err := memcachedtest.NewServer(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer second.Close()
	client, err := memcached.New([]string{first.Addr()}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx := context.Background()
	list := first.Addr()
	watcher, err := discovery.Watch(ctx, client, discovery.ResolverFunc(func(context.Context) ([]string, error) {
		return strings.Fields(list), nil // such as a file's content
	}), &discovery.Options{
		Interval: time.Minute,
		OnChange: func(before, now []string) { fmt.Println("from", len(before), "to", len(now)) },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Close()

	list = first.Addr() + " " + second.Addr()
	fmt.Println(watcher.Refresh(ctx)) // now, instead of within the minute
	list = ""
	fmt.Println(watcher.Refresh(ctx))
	fmt.Println(len(watcher.Status().Servers), client.Ping(ctx))
	// Output:
	// from 0 to 1
	// from 1 to 2
	// <nil>
	// discovery: no servers found
	// 2 <nil>
}

// A cluster with encryption in transit: both the configuration endpoint and the
// nodes speak TLS.
func ExampleElastiCache() {
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		log.Fatal(err)
	}
	server, err := memcachedtest.NewServer(&memcachedtest.Options{TLS: serverTLS})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	ctx := context.Background()
	resolver := &discovery.ElastiCache{
		Endpoint: "localhost", // my-cluster.abc123.cfg.use1.cache.amazonaws.com
		TLS:      clientTLS,
		// Only here, since there is no cluster: it stands in for the network.
		DialContext: exampleCluster(serverTLS, server.Addr()),
	}
	client, watcher, err := discovery.New(ctx, resolver, &memcached.Options{TLS: clientTLS}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	defer watcher.Close()
	fmt.Println(client.Ping(ctx))
	// Output:
	// <nil>
}
