package placement_test

import (
	"fmt"
	"log"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// A client that finds what PHP's Memcached has stored, with its defaults.
func Example() {
	servers := []string{"cache-1:11211", "cache-2:11211"} // as in PHP, in the same order
	client, err := memcached.New(servers, &memcached.Options{
		Distribution: placement.PHPMemcached,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(len(client.Stats().Servers), "servers")
	// Output:
	// 2 servers
}
