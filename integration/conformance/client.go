package main

import (
	"os"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// openClient returns a client of the memcached that the environment names, or of
// one that it starts.
func openClient() (client *memcached.Client, closeAll func(), err error) {
	opts := &memcached.Options{}
	if user := os.Getenv("MEMCACHED_USERNAME"); user != "" {
		opts.Auth = sasl.Auto(user, os.Getenv("MEMCACHED_PASSWORD"))
	}
	closeServer := func() {}
	var servers []string
	if list := os.Getenv("MEMCACHED_SERVERS"); list != "" {
		if servers, opts.Weights, err = memcached.ParseServers(list); err != nil {
			return nil, nil, err
		}
	} else {
		server, err := memcachedtest.NewServer(nil)
		if err != nil {
			return nil, nil, err
		}
		servers, closeServer = []string{server.Addr()}, server.Close
	}
	if client, err = memcached.New(servers, opts); err != nil {
		closeServer()
		return nil, nil, err
	}
	return client, func() { _ = client.Close(); closeServer() }, nil
}
