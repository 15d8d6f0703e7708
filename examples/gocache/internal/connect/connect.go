// Package connect gives the examples a memcached: the one that the environment
// names, or one inside the process.
package connect

import (
	"os"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// Client returns a client of the servers in MEMCACHED_SERVERS, separated by
// commas, with MEMCACHED_USERNAME and MEMCACHED_PASSWORD, or else of a server
// inside the process. stop ends both.
func Client() (client *memcached.Client, stop func(), err error) {
	if servers := os.Getenv("MEMCACHED_SERVERS"); servers != "" {
		opts := &memcached.Options{}
		if username := os.Getenv("MEMCACHED_USERNAME"); username != "" {
			opts.Auth = sasl.Auto(username, os.Getenv("MEMCACHED_PASSWORD"))
		}
		client, err = memcached.New(strings.Split(servers, ","), opts)
		if err != nil {
			return nil, nil, err
		}
		return client, func() { client.Close() }, nil
	}
	server, err := memcachedtest.NewServer(&memcachedtest.Options{Users: map[string]string{"demo": "demo"}})
	if err != nil {
		return nil, nil, err
	}
	client, err = memcached.New([]string{server.Addr()}, &memcached.Options{Auth: sasl.Auto("demo", "demo")})
	if err != nil {
		server.Close()
		return nil, nil, err
	}
	return client, func() {
		client.Close()
		server.Close()
	}, nil
}
